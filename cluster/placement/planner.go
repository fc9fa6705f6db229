package placement

import (
	"context"
	"errors"

	"ssod/cluster"
	"ssod/cluster/meta"
	"ssod/cluster/plan"
)

// planner keeps the registry and, while this node leads the meta shard, the map.
type planner struct {
	p *Placement
	// done is the version of the registry that is planned.
	done *contents
	// full are the nodes whose disks have no room for further replicas.
	full map[NodeID]bool
}

func newPlanner(p *Placement) *planner { return &planner{p: p, full: map[NodeID]bool{}} }

func (l *planner) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := l.announce(ctx)
	shard, leads := l.p.engine.Lead(cluster.MetaShard)
	if !leads {
		l.done, l.p.load.relief = nil, plan.Relief{}
		clear(l.full)
		return
	}
	l.p.noteMetaLead(shard.Term())
	err = errors.Join(err, l.divide(ctx), l.judge(ctx), l.plan(ctx), l.relieve(ctx))
	if err != nil && ctx.Err() == nil && !errors.Is(err, meta.ErrChanged) {
		l.p.cfg.Log.Warn("placement is not kept up to date; trying again", "error", err)
	}
}

// divide founds the division of the hash slots, once.
func (l *planner) divide(ctx context.Context) error {
	if l.p.view.Slots() != nil {
		return nil
	}
	_, err := Divide(ctx, l.p.tables, l.p.engine.Count())
	return err
}

// announce puts this node into the registry as it is now. Only the leader of the meta
// shard founds the registry.
func (l *planner) announce(ctx context.Context) error {
	contents, self := l.p.registry.contents.Load(), l.p.cfg.Self
	known, ok := contents.nodes[self.ID]
	_, leads := l.p.engine.Lead(cluster.MetaShard)
	switch {
	case contents.revision == 0 && leads:
		if err := FoundSettings(ctx, l.p.tables, l.p.cfg.Founding); err != nil { // before any node can join
			return err
		}
		self.State, self.Joined, self.Changed = NodeState_ACTIVE, l.p.cfg.Clock(), l.p.cfg.Clock()
		return l.p.put(ctx, 0, self)
	case contents.revision == 0, !ok, known.sameAs(self):
		return nil
	}
	return l.p.put(ctx, contents.revision, known.here(self))
}

// put changes nodes in the registry if it has a certain revision.
func (p *Placement) put(ctx context.Context, revision uint64, nodes ...Node) error {
	return p.tables.Update(ctx, nodesTable, revision, nodeRecords(nodes), nil)
}

func nodeRecords(nodes []Node) map[string][]byte {
	puts := map[string][]byte{}
	for _, n := range nodes {
		puts[n.key()] = n.encode()
	}
	return puts
}

// judge registers which nodes are dead, which have come back, and the certificates that
// they have. A node that is back keeps its name.
func (l *planner) judge(ctx context.Context) error {
	contents := l.p.registry.contents.Load()
	var changed []Node
	for _, n := range l.p.registry.others(l.p.self) {
		state := n.State
		switch {
		case n.Leave == Leave_LEFT: // its absence is expected
		case l.p.Alive(n.ID):
			state = NodeState_ACTIVE
		case l.p.unheard(n.ID) > contents.settings.DeadAfter:
			state = NodeState_DEAD
		}
		back := len(n.Claimant) > 0 && l.p.Alive(n.ID)
		if state != n.State {
			l.p.shown(&n)
			l.p.cfg.Log.Info("a node's state changed", "node", n.Name, "id", n.ID, "was", n.State.String(), "is", state.String())
			n.State, n.Changed = state, l.p.cfg.Clock()
		} else if !l.p.shown(&n) && !back {
			continue
		}
		if back {
			n.Claimant, n.ClaimTerm = nil, 0
		}
		changed = append(changed, n)
	}
	if len(changed) == 0 {
		return nil
	}
	return l.p.put(ctx, contents.revision, changed...)
}

// plan writes the map that the registry asks for.
func (l *planner) plan(ctx context.Context) error {
	contents := l.p.registry.contents.Load()
	if changed := l.weighDisks(contents); contents.revision == 0 || contents == l.done && !changed {
		return nil
	}
	nodes := contents.planned()
	for i, n := range nodes {
		nodes[i].Full = l.full[n.ID]
	}
	puts := map[string][]byte{}
	for s, a := range plan.Desired(nodes, contents.shards, l.p.rules(contents)) {
		if s >= len(contents.shards) || !a.Equal(contents.shards[s]) {
			puts[shardKey(s)] = encodeAssignment(a)
		}
	}
	if len(puts) > 0 {
		return l.p.tables.Update(ctx, shardsTable, contents.mapped, puts, nil)
	}
	l.done = contents
	return nil
}

// weighDisks finds out which nodes' disks have room for further replicas, and reports
// whether that has changed. Nodes that are not known any more stay as they were.
func (l *planner) weighDisks(contents *contents) (changed bool) {
	need := l.p.cfg.Need()
	for id, n := range contents.nodes {
		free, known := l.p.cfg.Free(id)
		full := known && !plan.Room(free, need, l.full[id])
		if !known || full == l.full[id] || n.State == NodeState_REMOVED {
			continue
		}
		l.p.cfg.Log.Info("whether a node's disk has room for further replicas has changed", "node", n.Name, "room", !full, "free", free, "needed", need)
		l.full[id], changed = full, true
	}
	return changed
}

// planned are the nodes of the plan.
func (g *contents) planned() (nodes []plan.Node) {
	for _, n := range g.nodes {
		nodes = append(nodes, n.planned())
	}
	return nodes
}

// rules are those of the plan.
func (p *Placement) rules(g *contents) plan.Rules {
	return plan.Rules{Shards: p.engine.Count(), Replicas: g.settings.Replicas}
}
