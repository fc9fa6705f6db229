package recovery

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster"
	"ssod/cluster/placement"
	"ssod/cluster/replica"
	"ssod/cluster/replica/core"
	"ssod/cluster/transport"
	"ssod/persistence"
)

// Format is the version of reports and plans.
const Format = 1

// Member is a node.
type Member struct {
	ID   persistence.NodeID `json:"id"`
	Name string             `json:"name,omitempty"` // empty: no survivor knows it
}

// Known is what a node knows of another one: its newest start, and the newest write that it
// said is on its disk.
type Known struct {
	ID      persistence.NodeID `json:"id"`
	Start   persistence.Boot   `json:"start"`
	Durable uint64             `json:"durable"`
}

// String is the node's name, if it is known.
func (m Member) String() string {
	if m.Name == "" {
		return fmt.Sprintf("node %d", m.ID)
	}
	return m.Name
}

// Report is what one stopped node has.
type Report struct {
	Format  int       `json:"format"`
	Taken   time.Time `json:"taken"`
	Cluster string    `json:"cluster"`
	Node    Member    `json:"node"`
	Shards  int       `json:"shards"` // of entities; shard 0 comes on top
	// Starts is how often the node was started with this directory, and Durable the
	// number of the last write to it. Known is what the node knows of others in turn.
	Starts  uint64  `json:"starts"`
	Durable uint64  `json:"durable"`
	Known   []Known `json:"known,omitempty"`
	// Members are the members in the registry, as far as this node has it.
	Members []Member `json:"members"`
	// Replicas are those of the node that are not empty.
	Replicas []Replica `json:"replicas"`
	// Next are the ids that a first replica of the other shards would get here.
	Next map[persistence.ShardID]persistence.ReplicaID `json:"next,omitempty"`
}

// Replica is what a node has of one shard.
type Replica struct {
	Shard   persistence.ShardID   `json:"shard"`
	Replica persistence.ReplicaID `json:"replica"`
	// Term is the latest that the replica has seen.
	Term uint64 `json:"term"`
	// LastTerm and LastIndex are of the last entry of its log. Commit is the last that is
	// known to be committed; later ones may be committed too.
	LastTerm  uint64 `json:"lastTerm"`
	LastIndex uint64 `json:"lastIndex"`
	Commit    uint64 `json:"commit"`
	// Newest is when the last change in the log was made, by its leader's clock; zero
	// without a change.
	Newest time.Time `json:"newest,omitzero"`
	// Configurations are those that can be in force by the log.
	Configurations []Configuration `json:"configurations"`
}

// Configuration is the voters of a group. While a change is under way, a majority of
// Outgoing is needed too.
type Configuration struct {
	Voters   []persistence.ReplicaID `json:"voters"`
	Outgoing []persistence.ReplicaID `json:"outgoing,omitempty"`
}

// Inspect reports what is in a data directory that no process uses.
func Inspect(dir string, log *slog.Logger) (Report, error) {
	s, err := open(dir, "", log)
	if err != nil {
		return Report{}, err
	}
	r, err := inspect(s)
	return r, closing(s, err)
}

func inspect(s *persistence.Store) (Report, error) {
	id := s.Identity()
	r := Report{
		Format: Format, Taken: time.Now().UTC().Truncate(time.Second), Cluster: id.Cluster,
		Node: Member{ID: persistence.NodeID(id.NodeID), Name: id.Node}, Shards: id.Shards,
	}
	boots, err := s.Boots()
	if err != nil {
		return r, err
	}
	r.Starts, r.Durable = boots.Number, s.Durable()
	if err := r.inspectNotes(s); err != nil {
		return r, err
	}
	nodes, err := placement.Stored(replica.ReaderOf(s, cluster.MetaShard))
	if err != nil {
		return r, err
	}
	for _, n := range nodes {
		if n.State != placement.NodeState_REMOVED {
			r.Members = append(r.Members, Member{n.ID, n.Name})
		}
	}
	return r, r.inspectReplicas(s)
}

func (r *Report) inspectNotes(s *persistence.Store) error {
	notes, err := s.Peers()
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(notes)) {
		start, durable, err := transport.ReadNote(notes[id])
		if err != nil {
			return fmt.Errorf("what is known of node %d: %w", id, err)
		}
		r.Known = append(r.Known, Known{id, start, durable})
	}
	return nil
}

func (r *Report) inspectReplicas(s *persistence.Store) error {
	r.Next = map[persistence.ShardID]persistence.ReplicaID{}
	for shard := range persistence.ShardID(r.Shards + 1) {
		next, err := s.Log().NextReplica(shard, r.Node.ID)
		if err != nil {
			return err
		}
		r.Next[shard] = next
	}
	replicas, err := s.Log().Replicas()
	if err != nil {
		return err
	}
	for _, found := range replicas {
		if !filled(found) { // it is destroyed, with its id
			r.Next[found.Shard] = persistence.NewReplicaID(r.Node.ID, found.ID.Generation()+1)
			continue
		}
		delete(r.Next, found.Shard)
		tail, err := core.ReadTail(s.Log(), found)
		if err != nil {
			return err
		}
		r.Replicas = append(r.Replicas, replicaOf(found, tail))
	}
	return nil
}

// filled reports whether a replica has any data; one that waits for its first snapshot has
// none.
func filled(r persistence.Replica) bool { return r.Applied.Index > 0 }

func replicaOf(r persistence.Replica, tail core.Tail) Replica {
	said := Replica{
		Shard: r.Shard, Replica: r.ID, Term: max(r.Hard.GetTerm(), tail.Last.Term), LastTerm: tail.Last.Term, LastIndex: tail.Last.Index,
		Commit: max(r.Hard.GetCommit(), r.Applied.Index),
	}
	if tail.Time > 0 {
		said.Newest = time.UnixMilli(int64(tail.Time)).UTC()
	}
	for _, conf := range tail.Confs {
		said.Configurations = append(said.Configurations, configurationOf(conf))
	}
	return said
}

func configurationOf(conf *pb.ConfState) Configuration {
	return Configuration{Voters: ids(conf.GetVoters()), Outgoing: ids(conf.GetVotersOutgoing())}
}

func ids(numbers []uint64) (all []persistence.ReplicaID) {
	for _, n := range numbers {
		all = append(all, persistence.ReplicaID(n))
	}
	slices.Sort(all)
	return all
}

// digest tells whether a directory is still what was reported of it.
func (r Report) digest() string {
	r.Taken = time.Time{}
	b, err := json.Marshal(r)
	if err != nil {
		panic(err) // numbers, strings and times
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// compare orders replicas as votes do: the more up-to-date log is the greater.
func (r Replica) compare(o Replica) int {
	return cmp.Or(cmp.Compare(r.LastTerm, o.LastTerm), cmp.Compare(r.LastIndex, o.LastIndex))
}
