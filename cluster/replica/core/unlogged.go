package core

import (
	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster/replica/internal/planted"
	"ssod/persistence"
)

// unlogged is what a group that is alone writes past its log: DESIGN.md, 8.
type unlogged struct {
	// place is where the commits belong, while it is open: raft does not know
	// of it yet.
	place Position
	// closing is a place that raft has been given an empty entry for, which it
	// is still to hand out for application.
	closing  Position
	inflight []*Proposal
}

// end answers what is being written because the term is over. It cannot fail to
// be applied, but that is not known yet.
func (u *unlogged) end() {
	answer(u.inflight, ErrUnknown)
	u.inflight = nil
}

// raft returns the group's raft for whoever is about to give it something. From
// here on the log counts again: raft gets an empty entry for the open place
// first, which can only become the one at that place, because this replica leads
// the term and nobody else has a say.
func (g *group) raft() *raft.RawNode {
	g.stirred = true
	u := &g.unlogged
	if u.place.Index != 0 {
		u.place, u.closing = Position{}, u.place
		g.log.pin = u.closing.Index // the disk never has it
		if err := g.node.Propose(nil); err != nil {
			broken(g.shard, "no entry at %d, where there are commits: %v", u.closing.Index, err)
		}
	}
	return g.node
}

// unloggable reports whether commits may go past the log: this replica leads,
// is the only member, everything in its log is applied and nothing is under way
// that could show the open place to anybody.
func (c *Core) unloggable(g *group) bool {
	if g.unlogged.place.Index != 0 {
		return true // nothing has happened since it was opened, or it were closed
	}
	if !g.open || g.frozen() || g.appending+g.applying+c.sending[g.shard] > 0 || g.applied.Index != g.log.last {
		return false
	}
	conf := g.applied.Conf
	alone := soleVoter(conf, g.id) && (!learns(conf) || c.cfg.Planted.Has(planted.UnloggedBesideLearners))
	return alone && !g.stirs()
}

// learns reports whether a configuration has members that do not vote.
func learns(cs *pb.ConfState) bool { return len(cs.GetLearners())+len(cs.GetLearnersNext()) > 0 }

// writeUnlogged hands out a batch of what is queued.
func (c *Core) writeUnlogged(g *group, out *Round) {
	u := &g.unlogged
	w := LogWrite{Shard: g.shard}
	if u.place.Index == 0 {
		u.place = Position{Index: g.log.last + 1, Term: g.term}
		w.Truncate, g.truncate = u.place, Position{}
		g.log.truncate(g.applied.Position)
	}
	u.inflight = g.commits.take(c.cfg.MaxEntry)
	w.Unlogged = &Unlogged{Change: Change{
		Shard: g.shard, Position: u.place, Time: c.stamp(g), Commits: decodeCommits(u.inflight),
	}}
	g.appending++
	j := out.append()
	j.Sync = true
	j.Writes = append(j.Writes, w)
	j.groups = append(j.groups, appendWrite{g: g, unlogged: w.Unlogged})
}

func decodeCommits(ps []*Proposal) []persistence.Commit {
	cs := make([]persistence.Commit, len(ps))
	for i, p := range ps {
		var err error
		if cs[i], err = DecodeCommit(p.Data); err != nil {
			broken(p.Shard, "a commit just encoded: %v", err)
		}
	}
	return cs
}

// unloggedDone takes note that a batch is on disk.
func (c *Core) unloggedDone(g *group, w *Unlogged) {
	c.mark(g)
	if g.removed {
		return
	}
	g.setApplied(Applied{Position: w.Position, Conf: g.applied.Conf, Time: w.Time})
	ps := g.unlogged.inflight
	g.unlogged.inflight = nil
	answerEach(ps, w.Rejected)
}

// without returns what of the entries is to be written: not the one for the
// place that is closing, which the log on disk begins behind.
func (u *unlogged) without(entries []*pb.Entry) []*pb.Entry {
	if len(entries) > 0 && entries[0].GetIndex() == u.closing.Index {
		return entries[1:]
	}
	return entries
}

// closed takes committed entries and returns those that are to be applied. The
// one for the place that is closing stands for what is applied already. Nobody
// may get it instead of that, so the log begins behind it in memory too.
func (g *group) closed(entries []*pb.Entry) []*pb.Entry {
	u := &g.unlogged
	if u.closing.Index == 0 || entries[0].GetIndex() != u.closing.Index {
		return entries
	}
	if e := entries[0]; e.GetTerm() != u.closing.Term || len(e.GetData()) > 0 {
		broken(g.shard, "an entry of term %d at %d, where there are commits of term %d", e.GetTerm(), e.GetIndex(), u.closing.Term)
	}
	g.log.pin = 0
	g.log.truncate(u.closing)
	u.closing = Position{}
	return entries[1:]
}
