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
	node  *raft.RawNode // [group.raft] is for who gives it something
	log   *log
	dirty bool
	// stirred: raft may have something to do.
	stirred bool
	// role is what raft was when it was looked at; moved: it may have changed.
	// transfers: raft may be handing its lead over, since the tick transferred.
	role        role
	moved       bool
	transfers   bool
	transferred uint64

	// What was last seen of raft's state.
	term    uint64
	lead    ReplicaID
	leading bool
	// open: leading, and everything up to an entry of this very term is
	// applied, so there is a handle.
	open bool

	election
	// entrusted is the tick at which each other replica was sent entries last.
	entrusted tally
	// posted is what this replica has sent in the round postedIn.
	posted   []posted
	postedIn uint64

	applied Applied
	// flushed is up to where the state is on disk, as far as the core was told.
	flushed uint64
	// confAt is a place from which on the configuration in force is, and reached
	// is how far each other replica has applied the log, while this one leads.
	confAt  uint64
	reached tally
	// emitted is the configuration after the entries that were handed out for
	// application, which may be ahead of applied.
	emitted *pb.ConfState

	// newest is the newest time in the log or the state, and what else there is
	// to the shard's time.
	newest uint64
	era    uint64
	// resetting: the shard time is being set back, and nothing is proposed.
	resetting bool

	commits  commits
	barriers barriers

	truncate Position // to be written with the next append
	// everywhere is an index up to which all replicas have the log; on a leader
	// as of a tick.
	everywhere, asOf uint64
	// holds keep the log, on a leader, for replicas that get snapshots.
	holds map[ReplicaID]*hold
	// rate is at how many bytes a tick the log grows, and written what it had had when
	// that was measured.
	rate, written int
	// voted is the term and vote that were handed out to be written.
	voted ballot
	// Jobs under way. An installation waits until there is none; from its
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
		// The commit index is written without a sync of its own; what is
		// applied was committed.
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

// raft returns the group's raft for whoever is about to give it something.
func (g *group) raft() *raft.RawNode {
	g.stirred = true
	return g.node
}

// observe compares raft's state with what was last seen of it and ends what
// belongs to a term that is over.
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
	g.commits.endInflight()
	g.commits.end()
	g.barriers.end()
}

// changed notes that the shard's leadership looks different.
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
