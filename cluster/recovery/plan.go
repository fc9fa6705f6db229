package recovery

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"ssod/persistence"
)

// Plan is how a cluster goes on with its survivors.
type Plan struct {
	Format int       `json:"format"`
	Made   time.Time `json:"made"`
	// Cluster is the cluster's id as it was, Recovered as it is afterwards.
	Cluster   string `json:"cluster"`
	Recovered string `json:"recovered"`
	// Nodes are the survivors; all others, of which the known ones are Lost, are removed.
	Nodes []Survivor `json:"nodes"`
	Lost  []Member   `json:"lost"`
	// Older are survivors whose directories are old copies: they lack a start or a write
	// that others know of.
	Older  []Member `json:"older,omitempty"`
	Shards []Shard  `json:"shards"` // by number, the meta shard first
}

// Survivor is a node that goes on.
type Survivor struct {
	Member
	// Report is the digest of what it reported: the directory must still be that.
	Report string `json:"report"`
	// Start is the newest start of the node that another survivor knows of.
	Start persistence.Boot `json:"start"`
}

// Shard is how one shard goes on.
type Shard struct {
	Shard   persistence.ShardID `json:"shard"`
	Verdict Verdict             `json:"verdict"`
	// Source is the node whose replica becomes the only voter, in a term after Term.
	Source persistence.NodeID `json:"source"`
	Term   uint64             `json:"term"`
	// Replicas are the ids that the replicas get, by node.
	Replicas map[persistence.NodeID]persistence.ReplicaID `json:"replicas"`
	// LastIndex is the last entry that is kept, Newest when the last change was made.
	LastIndex uint64    `json:"lastIndex,omitempty"`
	Newest    time.Time `json:"newest,omitzero"`
}

// Verdict is what is left of what a shard had acknowledged.
type Verdict string

const (
	// Whole: a majority of the voters is left, so everything is there, unless directories
	// are old copies.
	Whole Verdict = "whole"
	// MayLack: the newest changes, which no survivor has got, may be missing.
	MayLack Verdict = "may lack the newest changes"
	// Gone: no survivor has any of it. The shard begins empty.
	Gone Verdict = "gone"
)

// Errors of [Decide].
var (
	// ErrReports: the reports do not belong together.
	ErrReports = errors.New("these reports make no plan")
	// ErrGone: shards of which nothing is left.
	ErrGone = errors.New("nothing is left of some shards")
)

// Decide makes a plan of the reports of all survivors. Shards of which nothing is left are
// an error unless the operator accepts that they begin empty; so is the meta shard in any
// case.
func Decide(reports []Report, acceptEmpty bool) (Plan, error) {
	if err := together(reports); err != nil {
		return Plan{}, err
	}
	reports = slices.Clone(reports)
	slices.SortFunc(reports, func(a, b Report) int { return cmp.Compare(a.Node.ID, b.Node.ID) })
	p := Plan{
		Format: Format, Made: time.Now().UTC().Truncate(time.Second), Cluster: reports[0].Cluster,
		Recovered: persistence.Founding(reports[0].Cluster) + "." + incarnation(),
	}
	for _, r := range reports {
		start, _ := newest(reports, r.Node.ID)
		p.Nodes = append(p.Nodes, Survivor{r.Node, r.digest(), start})
	}
	p.Lost, p.Older = lost(reports), older(reports)
	d := deciding{reports: reports, copies: len(p.Older) > 0, sources: map[persistence.NodeID]int{}}
	var gone []persistence.ShardID
	for s := range persistence.ShardID(reports[0].Shards + 1) {
		shard := d.shard(s)
		if shard.Verdict == Gone {
			gone = append(gone, s)
		}
		p.Shards = append(p.Shards, shard)
	}
	switch {
	case slices.Contains(gone, 0):
		return Plan{}, fmt.Errorf("%w: shard 0, which says what the cluster is, is one of them: add the report of a node that has it, or restore a backup", ErrGone)
	case len(gone) > 0 && !acceptEmpty:
		return Plan{}, fmt.Errorf("%w: %v: add the report of a node that has them, or accept that they begin empty (--accept-empty)", ErrGone, gone)
	}
	return p, nil
}

// incarnation is 64 random bits.
func incarnation() string {
	var b [8]byte
	rand.Read(b[:]) // never fails since Go 1.24
	return hex.EncodeToString(b[:])
}

// together refuses reports that are not of different nodes of one cluster.
func together(reports []Report) error {
	if len(reports) == 0 {
		return fmt.Errorf("%w: there are none", ErrReports)
	}
	first, seen := reports[0], map[persistence.NodeID]bool{}
	for _, r := range reports {
		switch {
		case r.Format != Format:
			return fmt.Errorf("%w: that of %v has format %d, this version knows %d", ErrReports, r.Node, r.Format, Format)
		case r.Cluster != first.Cluster || r.Shards != first.Shards:
			return fmt.Errorf("%w: %v is of cluster %s with %d shards, %v of %s with %d",
				ErrReports, r.Node, r.Cluster, r.Shards, first.Node, first.Cluster, first.Shards)
		case seen[r.Node.ID]:
			return fmt.Errorf("%w: two are of %v", ErrReports, r.Node)
		}
		seen[r.Node.ID] = true
	}
	return nil
}

// lost are the nodes that reports mention and that have none.
func lost(reports []Report) []Member {
	names := map[persistence.NodeID]string{}
	for _, r := range reports {
		for _, x := range r.Replicas {
			for _, c := range x.Configurations {
				for _, v := range slices.Concat(c.Voters, c.Outgoing) {
					names[v.Node()] = cmp.Or(names[v.Node()], "")
				}
			}
		}
		for _, m := range r.Members {
			names[m.ID] = cmp.Or(m.Name, names[m.ID])
		}
	}
	for _, r := range reports {
		delete(names, r.Node.ID)
	}
	var all []Member
	for _, id := range slices.Sorted(maps.Keys(names)) {
		all = append(all, Member{ID: id, Name: names[id]})
	}
	return all
}

// newest is the newest start and the newest write of a node that any report mentions.
func newest(reports []Report, id persistence.NodeID) (start persistence.Boot, durable uint64) {
	for _, r := range reports {
		for _, k := range r.Known {
			if k.ID != id {
				continue
			}
			durable = max(durable, k.Durable)
			if k.Start.Number > start.Number {
				start = k.Start
			}
		}
	}
	return start, durable
}

// older are the nodes whose directories lack a start or a write that others know of.
func older(reports []Report) (all []Member) {
	for _, r := range reports {
		if start, durable := newest(reports, r.Node.ID); start.Number > r.Starts || durable > r.Durable {
			all = append(all, r.Node)
		}
	}
	return all
}

// deciding is one run of Decide.
type deciding struct {
	reports []Report // in order of node
	copies  bool     // some directories are older than what their nodes acknowledged
	sources map[persistence.NodeID]int
}

// shard decides how a shard goes on. Among equal logs it takes the one on the node that is
// the source of the fewest other shards.
func (d *deciding) shard(s persistence.ShardID) Shard {
	shard := Shard{Shard: s, Verdict: Gone, Replicas: map[persistence.NodeID]persistence.ReplicaID{}}
	var best Replica
	for _, r := range d.reports {
		for _, x := range r.Replicas {
			if x.Shard != s {
				continue
			}
			shard.Term = max(shard.Term, x.Term)
			shard.Replicas[r.Node.ID] = persistence.NewReplicaID(r.Node.ID, x.Replica.Generation()+1)
			order := x.compare(best)
			if shard.Source == 0 || order > 0 || order == 0 && d.sources[r.Node.ID] < d.sources[shard.Source] {
				best, shard.Source = x, r.Node.ID
			}
		}
	}
	if shard.Source == 0 {
		return d.empty(shard)
	}
	d.sources[shard.Source]++
	shard.Term++
	shard.LastIndex, shard.Newest = best.LastIndex, best.Newest
	shard.Verdict = MayLack
	if !d.copies && d.whole(s, best) {
		shard.Verdict = Whole
	}
	return shard
}

// empty lets a shard of which nothing is left begin on the node that is the source of the
// fewest.
func (d *deciding) empty(shard Shard) Shard {
	for _, r := range d.reports {
		if shard.Source == 0 || d.sources[r.Node.ID] < d.sources[shard.Source] {
			shard.Source = r.Node.ID
		}
	}
	d.sources[shard.Source]++
	for _, r := range d.reports {
		if r.Node.ID == shard.Source {
			shard.Replicas[r.Node.ID] = r.Next[shard.Shard]
		}
	}
	shard.Term = 1
	return shard
}

// whole reports whether a majority of the voters is left in every configuration that
// can be in force, so that it has all that was acknowledged.
func (d *deciding) whole(s persistence.ShardID, best Replica) bool {
	left := map[persistence.ReplicaID]bool{}
	var configurations []Configuration // of all that have the best log
	for _, r := range d.reports {
		for _, x := range r.Replicas {
			if x.Shard != s {
				continue
			}
			left[x.Replica] = true
			if x.compare(best) == 0 {
				configurations = append(configurations, x.Configurations...)
			}
		}
	}
	majority := func(set []persistence.ReplicaID) bool {
		n := 0
		for _, r := range set {
			if left[r] {
				n++
			}
		}
		return len(set) == 0 || 2*n > len(set)
	}
	for _, c := range configurations {
		if len(c.Voters) == 0 || !majority(c.Voters) || !majority(c.Outgoing) {
			return false
		}
	}
	return true
}
