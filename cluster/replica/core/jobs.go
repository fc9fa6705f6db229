package core

import (
	"fmt"
	"slices"

	pb "go.etcd.io/raft/v3/raftpb"
)

// AppendJob is what one round writes to the logs of all shards.
type AppendJob struct {
	// Writes go to [Store.Append] as one batch.
	Writes []LogWrite
	// Sync: promises depend on the writes.
	Sync   bool
	groups []appendWrite
}

type appendWrite struct {
	g         *group
	entries   []*pb.Entry
	hard      *pb.HardState
	snapshot  *pb.Snapshot
	responses []*pb.Message
}

// InstallJob is a snapshot to be installed.
type InstallJob struct {
	Install
	write appendWrite
}

// ApplyJob is what one round applies to the states of all shards.
type ApplyJob struct {
	groups  []applyWrite
	changes []Change
	results [][]error
}

type applyWrite struct {
	g        *group
	entries  []*pb.Entry
	confs    []*pb.ConfState // per entry, nil when it changes none; nil if all would be
	own      [][]*Proposal   // per entry, nil when it is to be decoded; nil if all would be
	response []*pb.Message
}

// append takes raft's order to write. The messages in held wait for it too.
func (c *Core) append(g *group, out *Round, m *pb.Message, held []*pb.Message) {
	early, responses := partition(m.GetResponses(), answersPreVote)
	w := appendWrite{g: g, entries: m.GetEntries(), snapshot: m.GetSnapshot(), responses: responses}
	if len(held) > 0 {
		w.responses = append(held, responses...)
	}
	if len(early) > 0 {
		c.respond(g, early) // they promise nothing
	}
	g.ballot(&w, m)
	if w.snapshot != nil {
		g.install = &w
		c.changed(g) // it is frozen
		return
	}
	if len(w.entries) == 0 && w.hard == nil && saysNothing(w.responses) {
		return
	}
	g.appending++
	j := out.append()
	j.groups = append(j.groups, w)
	j.Sync = j.Sync || len(w.responses) > 0
	j.Writes = append(j.Writes, LogWrite{
		Shard: g.shard, Entries: w.entries, Hard: w.hard, Truncate: g.truncate,
	})
	g.truncate = Position{}
}

func answersPreVote(m *pb.Message) bool { return m.GetType() == pb.MsgPreVoteResp }

// saysNothing reports whether the responses to an empty write can be dropped, because
// the write before it says the same when it is done. Raft asks for one with every new
// commit index; in a new term, which voids earlier responses, there is a hard state to
// write.
func saysNothing(ms []*pb.Message) bool {
	return len(ms) == 0 || len(ms) == 1 && ms[0].GetType() == pb.MsgStorageAppendResp && ms[0].Snapshot == nil
}

// partition splits messages into those of a kind and the others.
func partition(ms []*pb.Message, is func(*pb.Message) bool) (of, others []*pb.Message) {
	if !slices.ContainsFunc(ms, is) {
		return nil, ms
	}
	for _, m := range ms {
		if is(m) {
			of = append(of, m)
		} else {
			others = append(others, m)
		}
	}
	return of, others
}

// ballot adds raft's hard state to a write if more than the commit index is new.
// Nothing depends on that one: at start it is raised to the applied index, and a
// majority knows the rest.
func (g *group) ballot(w *appendWrite, m *pb.Message) {
	if m.Term == nil || m.Commit == nil {
		return
	}
	now := ballot{m.GetTerm(), m.GetVote()}
	if now == g.voted && w.snapshot == nil {
		return
	}
	g.voted = now
	w.hard = &pb.HardState{Term: m.Term, Vote: new(now.vote), Commit: m.Commit}
}

// appendTruncation writes a truncation that no append took along.
func (c *Core) appendTruncation(g *group, out *Round) {
	if g.truncate.Index == 0 || g.frozen() {
		return
	}
	g.appending++
	j := out.append()
	j.groups = append(j.groups, appendWrite{g: g})
	j.Writes = append(j.Writes, LogWrite{Shard: g.shard, Truncate: g.truncate})
	g.truncate = Position{}
}

// AppendDone notes that a job's writes are on disk, synced if the job says so. Only now
// may the promises that depend on them leave.
func (c *Core) AppendDone(j *AppendJob) {
	for i := range j.groups {
		w := &j.groups[i]
		if c.groups[w.g.shard] != w.g {
			continue
		}
		w.g.appending--
		w.g.log.append(w.entries)
		c.respond(w.g, w.responses)
	}
}

// respond delivers messages that waited for a write.
func (c *Core) respond(g *group, ms []*pb.Message) {
	defer c.mark(g)
	if g.removed {
		return
	}
	for _, m := range ms {
		if m.GetTo() == uint64(g.id) {
			g.step(m)
		} else {
			c.send(g, m)
		}
	}
}

// InstallDone notes that a snapshot is installed.
func (c *Core) InstallDone(j *InstallJob, a Applied) {
	g := j.write.g
	if c.groups[g.shard] != g {
		return
	}
	g.installing = false
	g.log.reset(a.Position)
	g.log.append(j.Entries)
	g.setApplied(a)
	g.newest = timeOf(j.Entries, a.Time)
	g.emitted, g.confAt, g.flushed = a.Conf, a.Index, a.Index
	c.respond(g, j.write.responses)
	c.changed(g)
}

func (g *group) setApplied(a Applied) {
	g.applied = a
	g.log.applied = a
}

// apply takes raft's order to apply committed entries.
func (c *Core) apply(g *group, out *Round, m *pb.Message) {
	w := applyWrite{g: g, entries: m.GetEntries(), response: m.GetResponses()}
	for i, e := range w.entries {
		if own := c.own(g, e); own != nil {
			if w.own == nil {
				w.own = make([][]*Proposal, len(w.entries))
			}
			w.own[i] = own
		}
		cc, is, err := decodeConfChange(e)
		if is && err == nil {
			if w.confs == nil {
				w.confs = make([]*pb.ConfState, len(w.entries))
			}
			w.confs[i], err = nextConf(g.emitted, cc)
			g.emitted = w.confs[i]
		}
		if err != nil {
			broken(g.shard, "apply %d: %v", e.GetIndex(), err)
		}
	}
	g.applying++
	j := out.apply()
	j.groups = append(j.groups, w)
}

// Run applies the job's entries to the store.
func (j *ApplyJob) Run(s Store) error { return RunAll([]*ApplyJob{j}, s) }

// RunAll applies the entries of several jobs in order, in one call of the store.
func RunAll(jobs []*ApplyJob, s Store) error {
	for _, j := range jobs {
		if err := j.decode(); err != nil {
			return err
		}
	}
	all := jobs[0].changes
	for _, j := range jobs[1:] {
		all = append(all, j.changes...)
	}
	results, err := s.Apply(all)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		j.results, results = results[:len(j.changes)], results[len(j.changes):]
	}
	return nil
}

func (j *ApplyJob) decode() error {
	n := 0
	for i := range j.groups {
		n += len(j.groups[i].entries)
	}
	j.changes = make([]Change, 0, n)
	for _, w := range j.groups {
		for i, e := range w.entries {
			ch := Change{Shard: w.g.shard, Position: Position{Index: e.GetIndex(), Term: e.GetTerm()}}
			if w.confs != nil {
				ch.Conf = w.confs[i]
			}
			var own []*Proposal
			if w.own != nil {
				own = w.own[i]
			}
			if len(e.GetData()) > 0 && ch.Conf == nil && e.GetType() == pb.EntryNormal {
				if err := decodeCommits(&ch, e, own); err != nil {
					return fmt.Errorf("shard %d entry %d: %w", ch.Shard, ch.Index, err)
				}
			}
			j.changes = append(j.changes, ch)
		}
	}
	return nil
}

// decodeCommits fills in the commits of an entry, none when its term in the log is not
// the one that it was proposed in.
func decodeCommits(ch *Change, e *pb.Entry, own []*Proposal) error {
	if cs := commitsOf(own); len(cs) > 0 {
		ch.Time, _ = entryTime(e)
		ch.Commits = cs
		return nil
	}
	entry, err := DecodeEntry(e.GetData())
	if err != nil {
		return err
	}
	if entry.ProposerTerm == e.GetTerm() {
		ch.Time, ch.Commits, ch.Reset = entry.Time, entry.Commits, entry.Reset
	}
	return nil
}

// Concerns reports whether the job applies anything to a shard.
func (j *ApplyJob) Concerns(shard ShardID) bool {
	for i := range j.groups {
		if j.groups[i].g.shard == shard {
			return true
		}
	}
	return false
}

// Changes returns what the job applied and the results of [Store.Apply]. Tests compare
// them between nodes.
func (j *ApplyJob) Changes() ([]Change, [][]error) { return j.changes, j.results }

// ApplyDone notes that a job's entries are applied and answers their proposals. Only
// the changes remain of the job.
func (c *Core) ApplyDone(j *ApplyJob) {
	n := 0
	for i := range j.groups {
		w := &j.groups[i]
		done := j.changes[n : n+len(w.entries)]
		results := j.results[n : n+len(w.entries)]
		n += len(w.entries)
		if c.groups[w.g.shard] == w.g {
			c.applyDone(w, done, results)
		}
	}
	clear(j.groups)
	c.applies, j.groups = j.groups[:0], nil
}

func (c *Core) applyDone(w *applyWrite, changes []Change, results [][]error) {
	g := w.g
	g.applying--
	if g.removed {
		c.mark(g)
		return
	}
	for i, ch := range changes {
		a := Applied{Position: ch.Position, Conf: g.applied.Conf, Time: ch.After(g.applied.Time)}
		if ch.Conf != nil {
			a.Conf = c.reconfigure(g, w.entries[i], ch.Conf)
		}
		g.setApplied(a)
		if ch.Reset {
			c.resetDone(g)
		}
		if answerable(g, w.entries[i]) {
			g.commits.applied(len(ch.Commits) == 0 && !ch.Reset, results[i])
		}
		if g.leading && !g.open && ch.Term == g.term && g.leads(g.term) {
			g.open = true
			c.changed(g)
		}
	}
	c.respond(g, w.response)
	c.truncateLog(g)
}

// reconfigure puts an applied configuration into force.
func (c *Core) reconfigure(g *group, e *pb.Entry, want *pb.ConfState) *pb.ConfState {
	cc, _, err := decodeConfChange(e)
	if err != nil {
		broken(g.shard, "configuration at %d: %v", e.GetIndex(), err)
	}
	got := g.move().ApplyConfChange(cc)
	if err := want.Equivalent(got); err != nil {
		broken(g.shard, "configuration at %d: %v", e.GetIndex(), err)
	}
	g.applied.Conf, g.confAt = got, e.GetIndex()
	c.reask(g)
	c.changed(g)
	return got
}
