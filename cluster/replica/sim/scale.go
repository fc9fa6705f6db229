package sim

import (
	"fmt"
	"slices"
	"time"

	"ssod/cluster/plan"
	"ssod/cluster/replica/core"
	"ssod/cluster/replica/internal/planted"
)

// beginScale makes a cluster of three nodes, in three zones or in none, that others
// join, and whose operators drain nodes and take them back. Zones go dark and come back.
func (w *world) beginScale() {
	w.estate = &estate{w: w}
	w.drawLimits()
	// The registry is one entry.
	w.limits.MaxEntry, w.limits.MaxQueue, w.limits.MaxUncommitted = 1<<20, 1<<20, 1<<20
	zoned, machines := w.chance(0.6), 5+w.rand.IntN(2)
	if zoned && w.chance(0.3) {
		machines = 9
	}
	for i := range machines {
		m := &machine{name: fmt.Sprint("n", i+1)}
		if zoned {
			m.zone = string("abc"[i%3])
		}
		w.estate.machines = append(w.estate.machines, m)
		if i < 3 {
			m.node = w.newNode(core.NodeID(i + 1))
		}
	}
	for s := range 3 + w.rand.IntN(3) {
		w.found(core.ShardID(s))
	}
	for _, m := range w.estate.machines {
		if m.node != nil {
			m.node.start()
		} else {
			w.after(w.between(0, 6*time.Second), func() { w.estate.seek(m) })
		}
	}
	w.employ(3)
	w.faulty = true
	w.leaps = false
	w.watchClocks()
	w.drawNetwork()
	w.schedule([]fault{
		{5 * time.Second, w.crashNode},
		{6 * time.Second, w.cutNode},
		{6 * time.Second, w.pauseNode},
		{8 * time.Second, w.slowDisk},
		{9 * time.Second, w.darken},
		{15 * time.Second, w.crashAll},
	})
	w.after(w.between(0, 3*time.Second), w.estate.scale)
}

// darken is a power cut of the zone of a node.
func (w *world) darken(n *node) {
	zone := w.estate.zone(n.id)
	for _, id := range w.ids {
		if w.estate.zone(id) == zone {
			w.crashNode(w.nodes[id])
		}
	}
}

// zone is that of a node's machine.
func (e *estate) zone(id core.NodeID) string {
	for _, m := range e.machines {
		if m.node != nil && m.node.id == id {
			return m.zone
		}
	}
	return ""
}

// scale lets an operator drain a node or take one back, again and again. Of two that
// are drained at once the second is often one too many.
func (e *estate) scale() {
	if !e.w.faulty {
		return
	}
	m := e.machines[e.w.rand.IntN(len(e.machines))]
	e.tokens++
	q := request{name: m.name, token: e.tokens, drains: true, back: e.w.chance(0.4)}
	for i := range 3 {
		e.w.after(time.Duration(i)*askPace, func() { e.ask(q) })
	}
	e.w.after(e.w.between(200*time.Millisecond, 4*time.Second), e.scale)
}

// drain decides about a drain as the leader of the meta shard: others must be there
// to hold what the node has, and those that are drained do not count.
func (n *node) drain(o *owner, q request, r registry) {
	id, known := r.bearer(q.name)
	m := r.Nodes[id]
	switch {
	case !known || r.rev == 0:
		return
	case q.back:
		if m.Leave == plan.Stays || m.Leave == plan.Left && !n.alive(id) {
			return
		}
		m.Leave = plan.Stays
	default:
		there := 0
		for other, o := range r.Nodes {
			if other != id && !o.Removed && o.Leave == plan.Stays && n.alive(other) {
				there++
			}
		}
		if m.Leave != plan.Stays || !n.alive(id) || there < copies {
			n.w.objections++
			return
		}
		m.Leave = plan.Leaves
	}
	m.Drain = r.rev + 1
	r.Nodes[id] = m
	o.decree(r, func(error) {})
}

// leave asks the leader of the meta shard to write down that this node has left, when
// it is drained and holds nothing.
func (n *node) leave(r *registry) {
	me := r.Nodes[n.id]
	if me.Leave != plan.Leaves || n.holds(r, n.id) {
		return
	}
	for _, s := range n.w.shards {
		if _, here := n.core.Status(s); s != meta && here && !n.byMap() {
			return
		}
	}
	n.toMeta(func(leader *node, o *owner) {
		leader.core.Barrier(&core.Barrier{Shard: meta, Term: o.term, Done: func(err error) {
			if r := leader.registry(); err == nil && !o.over {
				leader.release(o, r, n.id, me.Drain)
			}
		}})
	})
}

// tidy removes replicas that the map does not have here, when the leader of the group
// says, after a read barrier, that they are no members.
func (n *node) tidy(r *registry) {
	for _, s := range n.w.shards {
		st, here := n.core.Status(s)
		if !here || s == meta || int(s) >= len(r.Map) || r.Map[s].Has(n.id) {
			continue
		}
		leader, _ := n.w.newestOwner(s)
		if leader == nil || leader == n {
			continue
		}
		n.w.network.carry(n.id, leader.id, func(l *node) {
			o := l.owners[s]
			if o == nil {
				return
			}
			l.core.Barrier(&core.Barrier{Shard: s, Term: o.term, Done: func(err error) {
				now, ok := l.core.Status(s)
				if err != nil || o.over || !ok || slices.Contains(memberIDs(now.Applied.Conf), st.ID) || l.places(s, n.id) {
					return
				}
				n.w.network.carry(l.id, n.id, func(n *node) {
					if again, here := n.core.Status(s); here && again.ID == st.ID {
						n.input(func(c *core.Core) { c.Remove(s) })
					}
				})
			}})
		})
	}
}

// places reports whether a node is to have a shard by what this one knows.
func (n *node) places(s core.ShardID, id core.NodeID) bool {
	r := n.registry()
	return int(s) < len(r.Map) && r.Map[s].Has(id)
}

// release writes down that a node has left.
func (n *node) release(o *owner, r registry, id core.NodeID, drain uint64) {
	m := r.Nodes[id]
	if m.Leave != plan.Leaves || m.Drain != drain || n.holds(&r, id) {
		return
	}
	m.Leave = plan.Left
	r.Nodes[id] = m
	o.decree(r, func(err error) {
		if err == nil {
			n.w.left++
			n.w.checkLeft(id)
		}
	})
}

// holds reports whether a node has a copy of an entity shard, or a vote in the meta
// shard, or may get one by now, by what is written down.
func (n *node) holds(r *registry, id core.NodeID) bool {
	for s, c := range r.Groups {
		var a plan.Assignment
		if s < len(r.Map) {
			a = r.Map[s]
		}
		if n.byMap() {
			c = plan.Config{Voters: []core.ReplicaID{0}}
		}
		if !c.Known() || c.Votes(id) || a.Votes(id) || s > 0 && (c.Has(id) || a.Has(id)) {
			return true
		}
	}
	return false
}

// byMap is the mistake: it takes the map for what is.
func (n *node) byMap() bool { return n.w.opts.Planted.Has(planted.LeavesByMap) }

// checkLeft: a node that has left votes in no group. It may be a learner for a short time:
// adding one is not announced, and the leader will find that it is not assigned.
func (w *world) checkLeft(id core.NodeID) {
	for _, s := range w.shards {
		conf := w.latest[s].Conf
		if slices.Contains(nodesOf(slices.Concat(conf.GetVoters(), conf.GetVotersOutgoing())), id) {
			w.violate("node %d has left, and votes in shard %d", id, s)
		}
	}
}

// listening returns "" when all learners are as assigned, else which are not.
func (e *estate) listening() string {
	r := e.w.registry()
	for _, s := range e.w.shards {
		if listens := nodesOf(e.w.latest[s].Conf.GetLearners()); !slices.Equal(listens, r.Map[s].Learners) {
			return fmt.Sprintf("nodes %v listen in shard %d, and %v should", listens, s, r.Map[s].Learners)
		}
	}
	return ""
}

// spread returns "" when no zone has a majority of any group although there are
// three with nodes that take part, else what is wrong.
func (e *estate) spread() string {
	r := e.w.registry()
	zones := map[string]bool{}
	for _, m := range e.machines {
		if m.node != nil && r.Nodes[m.node.id].Leave == plan.Stays {
			zones[m.zone] = true
		}
	}
	if len(zones) < 3 {
		return ""
	}
	spare := plan.SpareZones(r.Groups, plan.ZoneOutlook{
		Live: func(int, core.ReplicaID) bool { return true }, Zone: e.zone,
	})
	if spare < 1 {
		return "a zone has a majority of a shard"
	}
	return ""
}
