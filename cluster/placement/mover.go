package placement

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster"
	"ssod/cluster/plan"
	"ssod/cluster/replica/core"
	"ssod/cluster/wait"
)

const (
	// maxMoves is how many shards led here get a new replica at a time.
	maxMoves = 2
	// movePace is how often moves under way are checked.
	movePace = 20 * time.Millisecond
	// recheck is how often a settled shard is checked.
	recheck = 5 * time.Second
	// handOverPause is between two attempts to hand over the lead of a shard.
	handOverPause = 3 * time.Second
)

// mover moves the groups of the shards that this node leads to their assignments. Only its
// loop uses it.
type mover struct {
	p       *Placement
	settled map[cluster.ShardID]settlement
	known   map[cluster.ShardID]map[NodeID]plan.ReplicaID
	handed  map[cluster.ShardID]time.Time // over
	last    cluster.ShardID               // that was handed over
	recorder
	stalls map[cluster.ShardID]stall
}

// settlement is when a shard was found to be as assigned.
type settlement struct {
	term       uint64
	assignment plan.Assignment
	at         time.Time
}

func newMover(p *Placement) *mover {
	return &mover{
		p: p, settled: map[cluster.ShardID]settlement{},
		known: map[cluster.ShardID]map[NodeID]plan.ReplicaID{}, handed: map[cluster.ShardID]time.Time{},
		recorder: recorder{p: p, proposed: map[cluster.ShardID]proposed{}},
		stalls:   map[cluster.ShardID]stall{},
	}
}

// look moves until nothing is under way.
func (m *mover) look(ctx context.Context) {
	for m.pass(ctx) {
		if wait.Pause(ctx, movePace) != nil {
			return
		}
	}
}

// passState is what one pass has done so far.
type passState struct {
	moves int             // shards that wait for a replica
	away  map[NodeID]bool // nodes that did not answer
	busy  bool
	draft
}

// pass takes every shard that is led here one step, and reports whether more follow soon.
func (m *mover) pass(ctx context.Context) bool {
	r := &passState{away: map[NodeID]bool{}, draft: draft{contents: m.p.registry.contents.Load(), records: map[cluster.ShardID]plan.Config{}}}
	if m.p.resigning.Load() {
		return false
	}
	for id := range cluster.ShardID(m.p.engine.Count() + 1) {
		shard, leads := m.p.engine.Lead(id)
		assignment, ok := r.contents.assignment(int(id))
		if !leads || !ok || m.rests(id, shard.Term(), assignment) {
			continue
		}
		if err := m.step(ctx, id, assignment, r); err != nil && ctx.Err() == nil {
			m.p.cfg.Log.Debug("a shard is not moved", "shard", id, "error", err)
		}
	}
	more := m.write(ctx, &r.draft)
	return (r.busy || more && r.urgent) && ctx.Err() == nil
}

// rests reports whether a shard was as assigned within [recheck].
func (m *mover) rests(id cluster.ShardID, term uint64, assignment plan.Assignment) bool {
	s, ok := m.settled[id]
	return ok && s.term == term && s.assignment.Equal(assignment) && time.Since(s.at) < recheck
}

// step takes one shard one step.
func (m *mover) step(ctx context.Context, id cluster.ShardID, assignment plan.Assignment, r *passState) error {
	st, err := m.p.engine.Status(ctx, id)
	if err != nil || !st.Open || m.leaves(st) {
		return err
	}
	step := plan.Next(assignment, m.group(st, r.contents))
	if !m.note(st, step, &r.draft) {
		return nil
	}
	switch step.Kind {
	case plan.Settled:
		if _, waits := r.records[id]; !waits && st.Settled {
			m.settled[id] = settlement{st.Term, assignment, time.Now()}
		}
	case plan.Wait:
		if !m.stuck(st, assignment) {
			r.moves++
			r.busy = true
		}
		return m.askAgain(ctx, st, assignment)
	case plan.Add:
		return m.add(ctx, st, step.Node, r)
	case plan.Reform:
		r.busy = true
		m.propose(st, step)
		return m.reform(ctx, st, step.Changes)
	case plan.HandOver:
		return m.handOver(ctx, st, step.To, r)
	}
	return nil
}

// leaves reports whether another node is about to lead a shard because this one accepts no
// leads. Without a successor moves go on: they may be what gets the data off a bad disk.
func (m *mover) leaves(st core.Status) bool {
	return (m.p.Skew().Off || m.p.badDisk() || m.p.leaves()) && len(m.p.successors(st)) > 0
}

// group is that of the plan.
func (m *mover) group(st core.Status, contents *contents) plan.Group {
	g := m.p.group(st, contents)
	g.Known = m.known[st.Shard]
	return g
}

// group is what this node knows of a group that it leads.
func (p *Placement) group(st core.Status, contents *contents) plan.Group {
	conf := st.Applied.Conf
	return plan.Group{
		Self: st.ID, Voters: replicas(conf.GetVoters()), Learners: replicas(conf.GetLearners()),
		Joint: len(conf.GetVotersOutgoing()) > 0, Behind: st.Behind,
		Alive: func(n NodeID) bool { return !contents.removed(n) && p.sound(n) }, Willing: p.view.willing,
		CanLead: func(r plan.ReplicaID) bool { return slices.Contains(st.Successors, r) },
	}
}

// add has a node create a replica and makes it a learner.
func (m *mover) add(ctx context.Context, st core.Status, n NodeID, r *passState) error {
	if r.moves >= maxMoves || r.away[n] {
		r.busy = r.busy || !r.away[n]
		return nil
	}
	r.moves++
	id, err := m.askFor(ctx, st.Shard, n)
	if err != nil {
		r.away[n] = true
		return err
	}
	r.busy = true
	return m.change(ctx, st, change(pb.ConfChangeAddLearnerNode, id))
}

// askFor asks a node for its replica of a shard, which it creates if there is none.
func (m *mover) askFor(ctx context.Context, shard cluster.ShardID, n NodeID) (plan.ReplicaID, error) {
	a, err := m.p.call(ctx, n, &Request{Prepare: &PrepareRequest{Shard: uint32(shard)}})
	if err != nil {
		return 0, err
	}
	id := plan.ReplicaID(a.GetPrepared().GetReplica())
	if id.Node() != n {
		return 0, errors.New("the node answered with a replica of another one")
	}
	if m.known[shard] == nil {
		m.known[shard] = map[NodeID]plan.ReplicaID{}
	}
	m.known[shard][n] = id
	return id, nil
}

// reform changes the members.
func (m *mover) reform(ctx context.Context, st core.Status, changes []plan.Change) error {
	types := map[plan.ChangeKind]pb.ConfChangeType{
		plan.Promote: pb.ConfChangeAddNode, plan.Demote: pb.ConfChangeAddLearnerNode, plan.Expel: pb.ConfChangeRemoveNode,
	}
	var cs []*pb.ConfChangeSingle
	for _, c := range changes {
		cs = append(cs, change(types[c.Kind], c.Replica))
	}
	return m.change(ctx, st, cs...)
}

func change(t pb.ConfChangeType, id plan.ReplicaID) *pb.ConfChangeSingle {
	return &pb.ConfChangeSingle{Type: t.Enum(), NodeId: new(uint64(id))}
}

func (m *mover) change(ctx context.Context, st core.Status, cs ...*pb.ConfChangeSingle) error {
	err := m.p.engine.ChangeMembers(ctx, st, cs)
	if errors.Is(err, core.ErrConfChange) {
		return nil // another one is under way
	}
	return err
}

// handOver hands over the lead of one shard after another, not too often, because a shard
// takes no commits meanwhile.
func (m *mover) handOver(ctx context.Context, st core.Status, to plan.ReplicaID, r *passState) error {
	if time.Since(m.handed[st.Shard]) < handOverPause {
		return nil
	}
	if m.handing(ctx) {
		r.busy = true
		return nil
	}
	m.handed[st.Shard], m.last = time.Now(), st.Shard
	return m.p.engine.Transfer(ctx, st.Shard, to)
}

// handing reports whether the last hand-over is still under way.
func (m *mover) handing(ctx context.Context) bool {
	st, err := m.p.engine.Status(ctx, m.last)
	return err == nil && st.Transferring
}

// prepare creates a replica for the leader of a shard.
func (p *Placement) prepare(ctx context.Context, r *PrepareRequest) (*Answer, error) {
	lock, err := p.lock(r.GetShard())
	if err != nil {
		return nil, err
	}
	defer lock.Unlock()
	if p.leaves() && r.GetShard() != uint32(cluster.MetaShard) {
		return nil, fmt.Errorf("%w: the node is drained", ErrTemporary)
	}
	id, err := p.engine.Prepare(ctx, cluster.ShardID(r.GetShard()))
	if err != nil {
		return nil, err
	}
	return &Answer{Prepared: &Prepared{Replica: uint64(id)}}, nil
}

// lock takes the lock of a shard's replica here.
func (p *Placement) lock(shard uint32) (*sync.Mutex, error) {
	if uint64(shard) >= uint64(len(p.locks)) {
		return nil, errors.New("there is no such shard")
	}
	p.locks[shard].Lock()
	return &p.locks[shard], nil
}
