package sim

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"ssod/cluster/plan"
	"ssod/cluster/replica/core"
	"ssod/persistence"
)

// meta is the shard that remembers the registry.
const meta core.ShardID = 0

// registryEntity is the registry as the meta shard stores it.
var registryEntity = core.Entity{Kind: "meta", Identity: "nodes"}

// registry is one version of what the cluster remembers of its nodes and groups,
// as the tables of the meta shard do.
type registry struct {
	rev uint64
	// Nodes are all that there ever were.
	Nodes map[core.NodeID]member
	// Map is where shards belong, Groups who votes in them as confirmed.
	Map    plan.Map
	Groups []plan.Config
}

// member is a node in the registry.
type member struct {
	Name    string
	Removed bool
	// Applicant is the process that joined, Claimant the one that is about to get the
	// name, from the leader of the meta shard in a term.
	Applicant, Claimant int
	ClaimTerm           uint64
	// Leave is how far the node is that is drained, in the drain of a number.
	Leave plan.Leave
	Drain uint64
	Zone  string
}

// copies is how many of each shard there are to be.
const copies = 3

// registry is what a node has of it.
func (n *node) registry() registry {
	r := registry{Nodes: map[core.NodeID]member{}, Groups: make([]plan.Config, len(n.w.shards))}
	h, ok := n.store.Head(meta, registryEntity)
	if !ok {
		return r
	}
	n.must(json.Unmarshal(h.State, &r))
	r.rev = h.Rev
	return r
}

// registry is the newest version anywhere.
func (w *world) registry() registry {
	newest, rev := w.nodes[w.ids[0]], uint64(0)
	for _, id := range w.ids {
		if h, _ := w.nodes[id].store.Head(meta, registryEntity); h.Rev > rev {
			newest, rev = w.nodes[id], h.Rev
		}
	}
	return newest.registry()
}

// bearer is the member that has a name.
func (r *registry) bearer(name string) (core.NodeID, bool) {
	for _, id := range slices.Sorted(maps.Keys(r.Nodes)) {
		if m := r.Nodes[id]; m.Name == name && !m.Removed {
			return id, true
		}
	}
	return 0, false
}

// add makes a process a member.
func (r *registry) add(name, zone string, applicant int) core.NodeID {
	id := core.NodeID(1)
	for other := range r.Nodes {
		id = max(id, other+1)
	}
	r.Nodes[id] = member{Name: name, Zone: zone, Applicant: applicant}
	return id
}

func (r *registry) removed(id core.NodeID) bool { return r.Nodes[id].Removed }

// desired is where shards belong now.
func (r *registry) desired() plan.Map {
	var nodes []plan.Node
	for id, m := range r.Nodes {
		n := plan.Node{ID: id, Leave: m.Leave, Zone: m.Zone}
		if m.Removed {
			n.State = plan.Removed
		}
		nodes = append(nodes, n)
	}
	return plan.Desired(nodes, r.Map, plan.Rules{Shards: len(r.Groups) - 1, Replicas: copies})
}

// decree proposes the next version of the registry, as the leader of the meta
// shard in its term: it rests on the version that it was made of.
func (o *owner) decree(r registry, done func(error)) {
	w := o.n.w
	state, err := json.Marshal(r)
	o.n.must(err)
	w.tags++
	tag := fmt.Sprintf("%d|registry", w.tags)
	outcome := persistence.Outcome{Result: []byte(tag)}
	binary.BigEndian.PutUint64(outcome.Request[:], uint64(w.tags))
	o.propose(tag, &persistence.Commit{
		Entity: registryEntity, BaseRev: r.rev, State: state, Outcomes: []persistence.Outcome{outcome},
	}, done)
}

// govern founds the registry, and keeps it as the leader of the meta shard: a node that
// is heard again loses its claimant, and the map follows the nodes.
func (n *node) govern(o *owner, r registry) {
	changed := false
	if r.rev == 0 {
		changed = true
		for _, m := range n.w.estate.machines {
			if m.node != nil {
				r.Nodes[m.node.id] = member{Name: m.name, Zone: m.zone}
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(r.Nodes)) {
		if m := r.Nodes[id]; m.Claimant != 0 && n.alive(id) && !n.judgesOnce() {
			m.Claimant, m.ClaimTerm = 0, 0
			r.Nodes[id], changed = m, true
		}
	}
	if wanted := r.desired(); !slices.EqualFunc(wanted, r.Map, plan.Assignment.Equal) {
		r.Map, changed = wanted, true
	}
	if changed {
		o.decree(r, func(error) {})
	}
}
