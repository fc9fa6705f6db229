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

// decideWithin bounds what the leader of the meta shard does about one request to
// take a node in or to give one up.
const decideWithin = 4 * time.Second

// reachWithin bounds the request to it.
const reachWithin = decideWithin + time.Second/2

// session is a time in which this node leads the meta shard, and the tables as
// they were when a majority had just confirmed that.
type session struct {
	p        *Placement
	shard    cluster.Shard
	contents *contents
}

// errElsewhere: another node leads the meta shard.
var errElsewhere = fmt.Errorf("%w: this node does not lead the meta shard", ErrTemporary)

// beginSession begins a session.
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

// decide changes the registry if nothing in it has changed since the session
// began, and this node leads in the same term.
func (s *session) decide(ctx context.Context, changed ...Node) error {
	puts := map[string][]byte{}
	for _, n := range changed {
		puts[n.key()] = n.encode()
	}
	return s.change(ctx, nodesTable, s.contents.revision, puts)
}

// change changes a table if it has a certain revision, and this node leads in the same
// term.
func (s *session) change(ctx context.Context, table string, revision uint64, puts map[string][]byte) error {
	if err := s.p.tables.Decide(ctx, s.shard, table, revision, puts, nil); err != nil {
		return fmt.Errorf("%w: table %s was not changed: %w", ErrTemporary, table, err)
	}
	s.p.reread()
	return nil
}

// decideUntil tries a decision again as long as it only meets other changes of
// the registry.
func (p *Placement) decideUntil(ctx context.Context, decision func(*session) error) error {
	for {
		s, err := p.beginSession(ctx)
		if err != nil {
			return err
		}
		err = decision(s)
		if !errors.Is(err, meta.ErrChanged) || ctx.Err() != nil {
			return err
		}
	}
}

// replace gives a node up in two steps. The first writes down who asks: claimant. The
// second is taken when claimant asks again, of the same leader in the same term, and
// everything is judged anew, on the tables as they are then. When the node is heard
// again the first step is taken back: [planner.judge].
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

// refer hands a request to the leader of the meta shard.
func (p *Placement) refer(ctx context.Context, name string, r *Request) (*Answer, error) {
	owner, _ := p.view.Owner(cluster.MetaShard)
	leader, ok := p.registry.At(owner.Address)
	if !ok || leader.ID == p.self || !p.Alive(leader.ID) {
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

// seeDecision waits until this node has what the leader of the meta shard has just
// decided, and has taken it over: whoever asked looks here next. The decision stands
// without.
func (p *Placement) seeDecision(ctx context.Context) {
	if err := p.CatchUp(ctx); err != nil {
		p.cfg.Log.Debug("a decision is not here yet", "error", err)
	}
	p.reread()
}
