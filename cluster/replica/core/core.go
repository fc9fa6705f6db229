package core

import (
	"cmp"
	"fmt"
	"slices"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
)

// Core is the state machine of one node's replicas. It is not safe for
// concurrent use.
type Core struct {
	cfg     Config
	groups  map[ShardID]*group
	order   []*group // by shard, so that rounds are deterministic
	dirty   []*group
	spare   []*group     // room for the next dirty
	applies []applyWrite // room for the next job
	out     outbox
	entry   []byte // room for packing one
	snaps   []SnapshotSend
	changes []Leadership
	ticks   uint64
	rounds  uint64 // that were handed out
	// reluctant: this node should lead nothing.
	reluctant bool
	fences    fences
}

// Envelope is a raft message of one shard.
type Envelope struct {
	Shard   ShardID
	Message *pb.Message
}

// SnapshotSend asks for a snapshot to be sent. Message is the MsgSnap that
// follows the data, after [SnapshotSend.Fill]. [Core.SnapshotSent] must be called
// when it is over.
type SnapshotSend struct {
	Shard   ShardID
	To      ReplicaID
	Message *pb.Message
}

// Fill puts the position and configuration of the exported state and the name of its
// file into the message.
func (s *SnapshotSend) Fill(a Applied, name string) {
	s.Message.Snapshot = &pb.Snapshot{Data: []byte(name), Metadata: &pb.SnapshotMetadata{
		Index: new(a.Index), Term: new(a.Term), ConfState: a.Conf,
	}}
}

// Destroy names a replica whose data is to go.
type Destroy struct {
	Shard ShardID
	ID    ReplicaID
}

// Leadership is that of a shard as far as this node knows.
type Leadership struct {
	Shard  ShardID
	Leader ReplicaID // 0: unknown
	Term   uint64
	// Open: this node leads and has applied everything up to its own term.
	Open bool
	// Sole: this node's replica is the only voter.
	Sole bool
	// Replica is this node's if it follows in the term and may vouch for that, else 0.
	// Seconds are the voters any one of which is a majority together with it.
	Replica ReplicaID
	Seconds []ReplicaID
	// Era counts the resets of the shard time that were applied here. Commits that
	// were decided in an earlier one are refused.
	Era uint64
}

// Round is what the driver is to do.
type Round struct {
	// Messages are to be sent at once, in [Frames] for each node. They may be
	// lost. They are valid until the next call of the core.
	Messages map[NodeID][]Envelope
	// Fences leave with them, in a frame of their own ([AppendFences]).
	Fences map[NodeID][]Fence
	// Append and Apply are to be done in order, each kind on its own, and
	// reported with [Core.AppendDone] and [Core.ApplyDone]. They may be nil.
	Append *AppendJob
	Apply  *ApplyJob
	// Installs and Snapshots may take long; they run concurrently.
	Installs  []*InstallJob
	Snapshots []SnapshotSend
	// Destroys are replicas whose data is to be removed with [Store.Destroy].
	Destroys []Destroy
	// Leaderships are the changed ones, latest last.
	Leaderships []Leadership

	shards  int          // of the round
	applies []applyWrite // room for those of the job
}

func (r *Round) append() *AppendJob {
	if r.Append == nil {
		r.Append = &AppendJob{Writes: make([]LogWrite, 0, r.shards), groups: make([]appendWrite, 0, r.shards)}
	}
	return r.Append
}

func (r *Round) apply() *ApplyJob {
	if r.Apply == nil {
		r.Apply = &ApplyJob{groups: r.applies}
	}
	return r.Apply
}

// New returns a core that holds the replicas a node found on its disk.
func New(cfg Config, replicas []Replica) (c *Core, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = Broken(r)
		}
	}()
	c = &Core{cfg: cfg.withDefaults(), groups: make(map[ShardID]*group)}
	for _, r := range replicas {
		if err := c.Add(r); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Add takes in a replica that [Store.Create] made.
func (c *Core) Add(r Replica) error {
	if c.groups[r.Shard] != nil {
		return fmt.Errorf("shard %d: there is a replica already", r.Shard)
	}
	if r.ID.Node() != c.cfg.Node {
		return fmt.Errorf("shard %d: replica %v is not of node %d", r.Shard, r.ID, c.cfg.Node)
	}
	g, err := c.openGroup(r)
	if err != nil {
		return err
	}
	c.groups[r.Shard] = g
	c.order = append(c.order, g)
	slices.SortFunc(c.order, byShard)
	if soleVoter(g.applied.Conf, g.id) {
		_ = g.move().Campaign() // no need to wait for a timeout
	}
	c.mark(g)
	return nil
}

func byShard(a, b *group) int { return cmp.Compare(a.shard, b.shard) }

// Replay is that of all shards together.
func (c *Core) Replay() (all Replay) {
	for _, g := range c.order {
		all.Entries += g.log.replay.Entries
		all.Bytes += g.log.replay.Bytes
	}
	return all
}

// Remove ends a replica and everything that waits for it. Once its jobs are done a
// round asks for its data to be destroyed.
func (c *Core) Remove(shard ShardID) {
	g := c.groups[shard]
	if g == nil || g.removed {
		return
	}
	g.removed = true
	c.endTerm(g)
	c.changes = append(c.changes, Leadership{Shard: shard, Term: g.term})
	c.mark(g)
}

// Replica is the id of this node's replica of a shard; 0 if there is none or it is
// ending.
func (c *Core) Replica(shard ShardID) (id ReplicaID, ending bool) {
	g := c.groups[shard]
	switch {
	case g == nil:
		return 0, false
	case g.removed:
		return 0, true
	}
	return g.id, false
}

// Close ends all leaderships: queued commits are refused, the outcome of those in
// flight is unknown. Only a last round may follow.
func (c *Core) Close() {
	for _, g := range c.order {
		c.endTerm(g)
		g.lead, g.leading = 0, false
		c.changed(g)
	}
	c.dirty = nil
}

func (c *Core) finishRemove(g *group, out *Round) {
	if g.appending > 0 || g.applying > 0 || g.installing {
		return
	}
	delete(c.groups, g.shard)
	c.order = slices.DeleteFunc(c.order, func(o *group) bool { return o == g })
	out.Destroys = append(out.Destroys, Destroy{g.shard, g.id})
}

func (c *Core) mark(g *group) {
	if !g.dirty {
		g.dirty = true
		c.dirty = append(c.dirty, g)
	}
}

// Tick advances the time of all shards. Leaders advance together by
// [heartbeatTicks], so that the heartbeats of all shards leave in one frame to each
// node.
func (c *Core) Tick() {
	c.ticks++
	c.tickFences()
	for _, g := range c.order {
		if g.frozen() {
			continue
		}
		c.checkQuorum(g)
		c.abortTransfer(g)
		c.measure(g)
		c.tickHolds(g)
		c.askLater(g)
		c.campaign(g)
		c.retryPreVote(g)
		if !g.leading && c.ticks >= g.granted.until {
			g.tick(1)
		} else if g.leading && c.ticks%heartbeatTicks == 0 {
			g.tick(heartbeatTicks)
		}
		if g.stirred || len(g.commits.queue) > 0 {
			c.mark(g)
		}
	}
}

// heartbeatTicks is how many ticks apart heartbeats are.
const heartbeatTicks = 2

// tick advances raft's time. The next round skips the group if nothing comes of it,
// as on most followers.
func (g *group) tick(n int) {
	for range n {
		g.node.Tick()
	}
	if g.node.HasReady() {
		g.stirred, g.moved = true, true
	}
}

// Round does one round over the shards to which something happened.
func (c *Core) Round() Round {
	dirty := c.dirty
	c.dirty, c.spare = c.spare[:0], nil
	slices.SortFunc(dirty, byShard) // writes are closer together in shard order
	out := Round{shards: len(dirty), applies: c.applies}
	for _, g := range dirty {
		g.dirty = false
		c.collect(g, &out)
	}
	if out.Apply != nil {
		c.applies = nil
	}
	clear(dirty)
	c.spare = dirty
	c.question()
	out.Fences, c.fences.out = c.fences.out, nil
	out.Messages = c.out.take()
	c.rounds++
	out.Snapshots, c.snaps = c.snaps, nil
	out.Leaderships, c.changes = c.changes, nil
	return out
}

// Pending reports whether a round would have something to do.
func (c *Core) Pending() bool {
	return len(c.dirty) > 0 || c.out.full || len(c.changes) > 0 || len(c.fences.out) > 0 || c.fences.due()
}

func (c *Core) collect(g *group, out *Round) {
	if g.removed {
		c.finishRemove(g, out)
		return
	}
	c.observe(g)
	c.pack(g)
	c.ask(g)
	if g.stirs() && !g.frozen() {
		c.ready(g, out)
	}
	c.takeDeferred(g)
	c.appendTruncation(g, out)
	c.startInstall(g, out)
}

// ready distributes what raft wants done for one shard.
func (c *Core) ready(g *group, out *Round) {
	rd := g.node.Ready()
	g.stirred = false // raft has handed everything out
	var toAppend *pb.Message
	var held []*pb.Message
	for _, m := range rd.Messages {
		switch m.GetTo() {
		case raft.LocalAppendThread:
			toAppend = m
		case raft.LocalApplyThread:
			c.apply(g, out, m)
		case raft.None: // the answer to [group.commitTo] without a known leader
		default:
			if m.GetType() == pb.MsgVote {
				// Until the own vote is on disk:
				// cluster/replica/DESIGN.md#why-each-message-may-leave-when-it-does.
				held = append(held, m)
			} else {
				c.send(g, m)
			}
		}
	}
	if toAppend != nil {
		c.append(g, out, toAppend, held)
	}
	c.observe(g)
	if g.stirred {
		c.mark(g)
	}
}

// stirs reports whether raft has something to do.
func (g *group) stirs() bool {
	g.stirred = g.stirred && g.node.HasReady()
	return g.stirred
}

// startInstall hands an installation out once the shard's jobs are done.
func (c *Core) startInstall(g *group, out *Round) {
	if g.install == nil || g.appending > 0 || g.applying > 0 {
		return
	}
	w := *g.install
	g.install, g.installing = nil, true
	out.Installs = append(out.Installs, &InstallJob{
		Install: Install{Shard: g.shard, Snapshot: w.snapshot, Hard: w.hard, Entries: w.entries},
		write:   w,
	})
}

// send adds a message to the round, a snapshot to those that travel on their own.
func (c *Core) send(g *group, m *pb.Message) {
	to := ReplicaID(m.GetTo())
	if m.GetType() == pb.MsgSnap {
		c.holdFor(g, to, m.GetSnapshot().GetMetadata().GetIndex())
		c.snaps = append(c.snaps, SnapshotSend{g.shard, to, m})
		return
	}
	if m.GetType() == pb.MsgApp && c.dispensable(g, to, m) {
		return
	}
	switch {
	case grantsPreVote(m):
		g.granted = grant{until: c.ticks + grantTicks, to: to}
	case m.GetReject() && (m.GetType() == pb.MsgPreVoteResp || m.GetType() == pb.MsgVoteResp):
		c.voteRefused(g, to)
	}
	g.addApplied(m)
	c.tellEverywhere(g, m)
	if c.dedupe(g, to, m) {
		return
	}
	c.out.add(to.Node(), Envelope{g.shard, m})
}

func soleVoter(cs *pb.ConfState, id ReplicaID) bool {
	return len(cs.GetVoters()) == 1 && len(cs.GetVotersOutgoing()) == 0 && cs.GetVoters()[0] == uint64(id)
}
