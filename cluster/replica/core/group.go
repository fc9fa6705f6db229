package core

import (
	"fmt"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
)

// group is one replica of one shard.
type group struct {
	shard ShardID
	id    ReplicaID
	node  *raft.RawNode // inputs go to it through [group.raft]
	log   *log
	dirty bool
	// stirred: raft may have something to do.
	stirred bool
	// role is raft's last known one; moved: it may have changed. transfers: raft may
	// have been transferring its lead since the tick transferred.
	role        role
	moved       bool
	transfers   bool
	transferred uint64

	// What [Core.observe] saw last.
	term    uint64
	lead    ReplicaID
	leading bool
	// open: leading, and an entry of this term is applied, so there is a handle.
	open bool

	election
	// entrusted is the tick at which each other replica was last sent entries.
	entrusted tally
	// posted is what this replica sent in the round postedIn.
	posted   []posted
	postedIn uint64

	applied Applied
	// flushed is the index up to which the state is known to be on disk.
	flushed uint64
	// confAt is the index of the configuration in force, or a later one, and reached
	// is, on a leader, the index that each other replica has applied.
	confAt  uint64
	reached tally
	// emitted is the configuration after the entries that were handed out for
	// application, which may be ahead of applied.
	emitted *pb.ConfState

	// newest is the latest time in the log or the state, era counts resets of the
	// shard time, and while resetting nothing is proposed.
	newest    uint64
	era       uint64
	resetting bool

	commits  commits
	barriers barriers

	truncate Position // to be written with the next append
	// everywhere is an index up to which all replicas have the log, on a leader as of
	// the tick asOf.
	everywhere, asOf uint64
	// holds keep the log, on a leader, for replicas that get snapshots.
	holds map[ReplicaID]*hold
	// rate is the growth of the log in bytes per tick, and written its total when that
	// was measured.
	rate, written int
	// voted is the term and vote that were last handed out to be written.
	voted ballot
	// Jobs under way. An installation waits for the end of the others; from its
	// arrival to its end the group is frozen: it neither ticks nor receives.
	appending, applying int
	install             *appendWrite // waits
	installing          bool         // handed out
	removed             bool
}

// ballot is the part of a hard state that promises rest on.
type ballot struct {
	term, vote uint64
}

func (c *Core) openGroup(r Replica) (*group, error) {
	l, err := openLog(r, c.cfg.Store, c.cfg.LogTail)
	if err != nil {
		return nil, err
	}
	if r.Hard != nil && r.Hard.GetCommit() < r.Applied.Index {
		// The commit index has no sync of its own; what is applied was committed.
		r.Hard.Commit = new(r.Applied.Index)
		l.hard = r.Hard
	}
	if l.last < r.Applied.Index {
		return nil, fmt.Errorf("shard %d: log ends at %d before the applied entry %d", r.Shard, l.last, r.Applied.Index)
	}
	g := &group{shard: r.Shard, id: r.ID, log: l, applied: r.Applied, emitted: r.Applied.Conf, stirred: true, moved: true}
	g.confAt, g.flushed = r.Applied.Index, r.Applied.Index

	g.voted = ballot{r.Hard.GetTerm(), r.Hard.GetVote()}
	g.node, err = raft.NewRawNode(c.raftConfig(g))
	if err != nil {
		return nil, fmt.Errorf("shard %d: %w", r.Shard, err)
	}
	g.term = g.is().term
	return g, g.readNewest()
}

func (c *Core) raftConfig(g *group) *raft.Config {
	return &raft.Config{
		ID:                        uint64(g.id),
		ElectionTick:              c.cfg.ElectionTicks,
		HeartbeatTick:             heartbeatTicks,
		Storage:                   g.log,
		Applied:                   g.applied.Index,
		AsyncStorageWrites:        true,
		MaxSizePerMsg:             uint64(c.cfg.MaxEntry),
		MaxCommittedSizePerReady:  4 * uint64(c.cfg.MaxEntry),
		MaxUncommittedEntriesSize: c.cfg.MaxUncommitted,
		MaxInflightMsgs:           64,
		MaxInflightBytes:          16 * uint64(c.cfg.MaxEntry),
		CheckQuorum:               true,
		PreVote:                   true,
		DisableProposalForwarding: true,
		StepDownOnRemoval:         true,
		Logger:                    quiet{g.shard},
	}
}

func (g *group) frozen() bool { return g.install != nil || g.installing || g.removed }

// raft returns the group's raft to be given an input.
func (g *group) raft() *raft.RawNode {
	g.stirred = true
	return g.node
}

// observe notes changes of raft's role and ends what belongs to a term that is over.
func (c *Core) observe(g *group) {
	r := g.is()
	leading := r.state == raft.StateLeader
	if r.term == g.term && r.lead == g.lead && leading == g.leading {
		return
	}
	if g.leading && (!leading || r.term != g.term) {
		c.endTerm(g)
	}
	g.term, g.lead, g.leading = r.term, r.lead, leading
	c.changed(g)
}

// endTerm answers everything that waits for a leadership which is over.
func (c *Core) endTerm(g *group) {
	g.open, g.reached, g.resetting, g.holds = false, nil, false, nil
	g.commits.end()
	g.barriers.end()
}

// changed reports the shard's leadership.
func (c *Core) changed(g *group) {
	l := Leadership{
		Shard: g.shard, Leader: g.lead, Term: g.term, Open: g.open, Sole: soleVoter(g.applied.Conf, g.id), Era: g.era,
	}
	switch {
	case g.open:
		l.Seconds = g.seconds()
	case g.lead != 0 && !g.leading && !g.frozen():
		l.Replica = g.id
	}
	c.changes = append(c.changes, l)
}
