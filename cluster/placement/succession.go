package placement

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"ssod/cluster"
	"ssod/cluster/meta"
)

// decideWithin bounds one decision of the leader of the meta shard.
const decideWithin = 4 * time.Second

// reachWithin bounds the request to it.
const reachWithin = decideWithin + time.Second/2

// session is a term in which this node leads the meta shard, and the tables as they were
// when a majority had just confirmed that.
type session struct {
	p        *Placement
	shard    cluster.Shard
	contents *contents
}

// errElsewhere: another node leads the meta shard.
var errElsewhere = fmt.Errorf("%w: this node does not lead the meta shard", ErrTemporary)

func (p *Placement) beginSession(ctx context.Context) (*session, error) {
	shard, leads := p.engine.Lead(cluster.MetaShard)
	if !leads {
		return nil, errElsewhere
	}
	newest, err := p.tables.Newest(ctx)
	if err == nil {
		err = p.tables.Await(ctx, nodesTable, newest[nodesTable])
	}
	if err == nil {
		err = p.tables.Await(ctx, settingsTable, newest[settingsTable])
	}
	if err != nil {
		return nil, fmt.Errorf("%w: the leader of the meta shard reaches no majority of its voters: %w", ErrTemporary, err)
	}
	p.reread()
	contents := p.registry.contents.Load()
	if contents.revision == 0 {
		return nil, fmt.Errorf("%w: the cluster is being founded", ErrTemporary)
	}
	return &session{p, shard, contents}, nil
}

// decide changes the registry if nothing in it has changed since the session began and
// this node leads in the same term.
func (s *session) decide(ctx context.Context, changed ...Node) error {
	return s.change(ctx, nodesTable, s.contents.revision, nodeRecords(changed))
}

// change changes a table if it has a certain revision and this node leads in the same term.
func (s *session) change(ctx context.Context, table string, revision uint64, puts map[string][]byte) error {
	if err := s.p.tables.Decide(ctx, s.shard, table, revision, puts, nil); err != nil {
		return fmt.Errorf("%w: table %s was not changed: %w", ErrTemporary, table, err)
	}
	s.p.reread()
	return nil
}

// decideUntil makes a decision within [decideWithin], again when it meets other changes of
// the registry.
func (p *Placement) decideUntil(ctx context.Context, decision func(context.Context, *session) error) error {
	ctx, cancel := context.WithTimeout(ctx, decideWithin)
	defer cancel()
	for {
		s, err := p.beginSession(ctx)
		if err != nil {
			return err
		}
		err = decision(ctx, s)
		if !errors.Is(err, meta.ErrChanged) || ctx.Err() != nil {
			return err
		}
	}
}

// replace gives a node up in two steps. The first registers the claimant. The second is
// taken when the claimant asks the same leader again in the same term, and everything is
// judged again on the tables as they are then. If the node is heard again meanwhile,
// [planner.judge] takes the first step back.
//
// It returns false after the first step. The certificates of a node without a successor
// are refused from then on.
func (s *session) replace(ctx context.Context, old Node, claimant []byte, successor *Node) (done bool, err error) {
	if err := s.mayGo(ctx, old); err != nil {
		return false, err
	}
	if !bytes.Equal(old.Claimant, claimant) || old.ClaimTerm != s.shard.Term() {
		if err := s.p.turns.take(old.ID, claimant, time.Now()); err != nil {
			return false, err
		}
		old.Claimant, old.ClaimTerm = claimant, s.shard.Term()
		return false, s.decide(ctx, old)
	}
	old.State, old.Changed = NodeState_REMOVED, s.p.cfg.Clock()
	old.Claimant, old.ClaimTerm = nil, 0
	if successor == nil {
		s.p.shown(&old)
		return true, s.decide(ctx, old)
	}
	old.ReplacedBy, old.Certificates = successor.ID, nil // its successor may have the same
	return true, s.decide(ctx, old, *successor)
}

// nextID is the id of the next node that joins.
func (g *contents) nextID() NodeID {
	next := NodeID(1)
	for id := range g.nodes {
		next = max(next, id+1)
	}
	return next
}

// request has the leader of the meta shard carry out a request about the node of a name.
func (p *Placement) request(ctx context.Context, name string, r *Request) error {
	carryOut := func() (*Answer, error) { return p.refer(ctx, name, r) }
	if _, leads := p.engine.Lead(cluster.MetaShard); leads {
		carryOut = func() (*Answer, error) { return p.handle(ctx, p.self, r) }
	}
	_, err := carryOut()
	return err
}

// refer forwards a request to the leader of the meta shard.
func (p *Placement) refer(ctx context.Context, name string, r *Request) (*Answer, error) {
	leader, err := p.leaderOf(cluster.MetaShard)
	if err != nil || !p.Alive(leader.ID) {
		return nil, p.leaderless(name)
	}
	ctx, cancel := context.WithTimeout(ctx, reachWithin)
	defer cancel()
	raw, err := p.cfg.Calls.Call(ctx, leader.ID, encode(r))
	if err != nil {
		return nil, fmt.Errorf("%w: node %s, which leads the meta shard, does not answer: %w", ErrTemporary, leader.Name, err)
	}
	return decodeAnswer(raw)
}

// seeDecision waits until this node has what the leader of the meta shard has just decided,
// because the caller looks here next. A failure does not change the decision.
func (p *Placement) seeDecision(ctx context.Context) {
	if err := p.CatchUp(ctx); err != nil {
		p.cfg.Log.Debug("a decision is not here yet", "error", err)
	}
	p.reread()
}
