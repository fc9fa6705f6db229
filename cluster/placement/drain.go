package placement

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ssod/cluster"
	"ssod/cluster/plan"
)

// ErrNotDrained: a node cannot be drained, or taken back, now. Nothing has changed, and
// the text says what to do.
var ErrNotDrained = errors.New("the node is as it was")

// Drain has a node hand over what it holds and leave. The leader of the meta shard decides
// it in view of all other drains. It fails with [ErrUnknownNode] or [ErrNotDrained].
func (p *Placement) Drain(ctx context.Context, name string) error {
	if err := p.takeOut(ctx, &DrainRequest{Name: name}); err != nil {
		return fmt.Errorf("drain node %s: %w", name, err)
	}
	return nil
}

// Undrain takes back a node that is drained or has left. It fails like [Placement.Drain].
func (p *Placement) Undrain(ctx context.Context, name string) error {
	if err := p.takeOut(ctx, &DrainRequest{Name: name, Back: true}); err != nil {
		return fmt.Errorf("undrain node %s: %w", name, err)
	}
	return nil
}

// takeOut has the leader of the meta shard decide.
func (p *Placement) takeOut(ctx context.Context, r *DrainRequest) error {
	err := p.request(ctx, r.GetName(), &Request{Drain: r})
	if err == nil {
		p.seeDecision(ctx)
	}
	return err
}

// drain decides, on the leader of the meta shard.
func (p *Placement) drain(ctx context.Context, r *DrainRequest) error {
	return p.decideUntil(ctx, func(ctx context.Context, s *session) error {
		n, ok := s.contents.bearer(r.GetName())
		switch {
		case !ok:
			return ErrUnknownNode
		case r.GetBack():
			return s.undrain(ctx, n)
		}
		return s.drain(ctx, n)
	})
}

// drain begins to drain a node if the others can hold what it has. Nodes that are being
// drained do not count.
func (s *session) drain(ctx context.Context, n Node) error {
	if n.Leave != Leave_STAYS {
		return nil
	}
	if !s.p.Alive(n.ID) {
		return fmt.Errorf("%w: it is down and cannot hand anything over: start it, or give it up with ssoctl remove %s", ErrNotDrained, n.Name)
	}
	if err := s.room(n); err != nil {
		return err
	}
	n.Leave, n.Drain = Leave_LEAVES, s.contents.revision+1
	if err := s.decide(ctx, n); err != nil {
		return err
	}
	s.p.cfg.Log.Info("a node is drained", "node", n.Name, "id", n.ID)
	return nil
}

// room is an error if the other nodes cannot hold what a node has.
func (s *session) room(n Node) error {
	var there, away []string
	for _, o := range s.contents.nodes {
		switch {
		case o.ID == n.ID, o.State == NodeState_REMOVED, o.Leave != Leave_STAYS:
		case o.State == NodeState_ACTIVE && s.p.Alive(o.ID):
			there = append(there, o.Name)
		default:
			away = append(away, o.Name)
		}
	}
	slices.Sort(there)
	slices.Sort(away)
	replicas := s.contents.settings.Replicas
	if len(there) >= replicas {
		return nil
	}
	if len(there) == 0 {
		return fmt.Errorf("%w: no other node is there that takes part", ErrNotDrained)
	}
	text := fmt.Sprintf("%d nodes would be left (%s) for %d copies of each shard", len(there), strings.Join(there, ", "), replicas)
	if len(away) > 0 {
		text += fmt.Sprintf("; not there: %s", strings.Join(away, ", "))
	}
	return fmt.Errorf("%w: %s: join another node, or lower the copies first: ssoctl cluster set replicas=%d", ErrNotDrained, text, odd(len(there)))
}

// odd is the largest setting of copies that nodes can hold.
func odd(nodes int) int { return nodes - 1 + nodes%2 }

// undrain takes a node back. One that has left must be there, as it gets replicas at once.
func (s *session) undrain(ctx context.Context, n Node) error {
	if n.Leave == Leave_STAYS {
		return nil
	}
	if n.Leave == Leave_LEFT && !s.p.Alive(n.ID) {
		return fmt.Errorf("%w: it is not there: start it first", ErrNotDrained)
	}
	n.Leave, n.Drain = Leave_STAYS, 0
	if err := s.decide(ctx, n); err != nil {
		return err
	}
	s.p.cfg.Log.Info("a node takes part again", "node", n.Name, "id", n.ID)
	return nil
}

// leave decides that a node has left when it says that it holds and serves nothing. The
// votes are in the same table, so that it cannot get one on an earlier revision. A request
// from an earlier start, or of a drain that was taken back, does not count.
func (p *Placement) leave(ctx context.Context, from NodeID, r *LeaveRequest) error {
	return p.decideUntil(ctx, func(ctx context.Context, s *session) error {
		n := s.contents.nodes[from]
		switch {
		case n.Drain != r.GetDrain(), n.Leave == Leave_STAYS, n.Boot.Number != r.GetBoot(), n.Boot.Incarnation != r.GetIncarnation():
			return fmt.Errorf("%w: the drain of node %s was taken back, or it has started again", ErrRefused, n.Name)
		case n.Leave == Leave_LEFT:
			return nil
		}
		if h := s.contents.holdings(from, p.engine.Count()); h.Unknown || h.Copies > 0 || h.MetaVote {
			return fmt.Errorf("%w: by the registry node %s still holds %v", ErrTemporary, n.Name, h)
		}
		n.Leave = Leave_LEFT
		if err := s.decide(ctx, n); err != nil {
			return err
		}
		p.cfg.Log.Info("a node has left", "node", n.Name, "id", n.ID)
		return nil
	})
}

// Holdings are what a node has by the registry.
type Holdings struct {
	// Copies counts the entity shards that it has, or may have got.
	Copies int
	// Leads counts the shards that it leads, as far as the node that is asked knows.
	Leads int
	// MetaVote: it votes in the meta group, or may do so.
	MetaVote bool
	// Unknown: the voters of some groups are not registered yet.
	Unknown bool
}

func (h Holdings) String() string {
	text := fmt.Sprintf("%d copies, %d leads", h.Copies, h.Leads)
	if h.MetaVote {
		text += ", a vote in the meta group"
	}
	if h.Unknown {
		text += ", and perhaps what is not registered yet"
	}
	return text
}

// holdings are those of a node, without its leads.
func (g *contents) holdings(n NodeID, shards int) (h Holdings) {
	for shard, c := range g.all(shards) {
		assignment, _ := g.assignment(shard)
		h.Unknown = h.Unknown || !c.Known()
		switch {
		case shard == int(cluster.MetaShard):
			h.MetaVote = c.Votes(n) || assignment.Votes(n)
		case c.Has(n), assignment.Has(n):
			h.Copies++
		}
	}
	return h
}

// Holdings are those of a node.
func (p *Placement) Holdings(n NodeID) Holdings {
	h := p.registry.contents.Load().holdings(n, p.engine.Count())
	rpc := p.registry.RPC(n)
	for id := range cluster.ShardID(p.engine.Count() + 1) {
		if owner, ok := p.view.Owner(id); ok && owner.Address == rpc {
			h.Leads++
		}
	}
	return h
}

// Leave is how far this node is in being drained, and in which drain.
func (p *Placement) Leave() (how Leave, drain uint64) {
	n, _ := p.registry.Node(p.self)
	return n.Leave, n.Drain
}

// leaves reports whether this node is drained or has left.
func (p *Placement) leaves() bool {
	how, _ := p.Leave()
	return how != Leave_STAYS
}

// Empty reports whether this node holds nothing but the tables, so that it can leave.
func (p *Placement) Empty(ctx context.Context) bool {
	h := p.Holdings(p.self)
	if h.Unknown || h.Copies > 0 || h.Leads > 0 || h.MetaVote {
		return false
	}
	for id := range cluster.ShardID(p.engine.Count()) {
		if _, err := p.engine.Status(ctx, id+1); !errors.Is(err, cluster.ErrLost) {
			return false
		}
	}
	return true
}

// HasLeft asks the leader of the meta shard to register that this node has left. From
// before the call until the drain is taken back the caller must serve nothing.
func (p *Placement) HasLeft(ctx context.Context, drain uint64) error {
	boot := p.cfg.Boots.Last()
	r := &LeaveRequest{Drain: drain, Boot: boot.Number, Incarnation: boot.Incarnation}
	if err := p.request(ctx, p.cfg.Self.Name, &Request{Leave: r}); err != nil {
		return fmt.Errorf("leave: %w", err)
	}
	return nil
}

// watchLeave hands the leaderships over while this node is drained. One that no other node
// accepts stays.
func (p *Placement) watchLeave(ctx context.Context) {
	if p.leaves() {
		p.stepDown(ctx)
	}
}

// mayServe reports whether this node may serve, which it may not once it steps aside or has
// left: cluster/placement/DESIGN.md#leaving.
func (p *Placement) mayServe() bool {
	switch how, _ := p.Leave(); how {
	case Leave_LEFT:
		return false
	case Leave_LEAVES:
		return !p.aside.Load() && (p.cfg.Boots.Last().Number == 0 || p.isRegistered())
	}
	return !p.aside.Load()
}

// StepAside has this node serve nothing until the process ends or the placement is closed.
func (p *Placement) StepAside() { p.aside.Store(true) }

func (l Leave) planned() plan.Leave {
	return map[Leave]plan.Leave{Leave_LEAVES: plan.Leaves, Leave_LEFT: plan.Left}[l]
}
