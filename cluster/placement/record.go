package placement

import (
	"context"
	"slices"
	"time"

	"ssod/cluster"
	"ssod/cluster/plan"
	"ssod/cluster/replica/core"
)

const (
	// recordPause is between two writes that no step waits for: while many shards move,
	// one write has several of them.
	recordPause = 200 * time.Millisecond
	// recordTimeout bounds one write.
	recordTimeout = time.Second
)

// recorder registers the voters of the groups that this node leads. Only the mover uses it.
type recorder struct {
	p        *Placement
	proposed map[cluster.ShardID]proposed
	written  time.Time
}

// proposed are the last sets of voters that this node has proposed in a term: as many as
// may be announced before one comes into force, which settles all earlier ones.
type proposed struct {
	term uint64
	sets [][]plan.ReplicaID
}

// draft is what is to be registered, and the version of the registry that it was decided
// on.
type draft struct {
	contents *contents
	records  map[cluster.ShardID]plan.Config
	// urgent: a step waits for it.
	urgent bool
}

// note compares a group, and the voters that a step would give it, with the registry and
// drafts what is missing. It reports whether the step may be taken: not before its outcome
// is announced.
//
// New voters are confirmed when a majority of them has them on disk. Until then the old
// ones may be needed to elect a leader.
func (w *recorder) note(st core.Status, step plan.Step, d *draft) bool {
	now, known := configOf(st), d.contents.group(int(st.Shard))
	if known.Term > st.Term || d.contents.revision == 0 {
		return false // another node leads by now, or there is no registry yet
	}
	next := outcome(now, step)
	if !st.Settled && len(now.Outgoing) == 0 && !now.SameVoters(known) {
		return next == nil // the announcement still covers it
	}
	record := now.Record(known, next, func(s []plan.ReplicaID) bool { return w.has(st, s) })
	if !record.Says(known) {
		d.records[st.Shard] = record
		d.urgent = d.urgent || next != nil
		return next == nil
	}
	return next == nil || known.Announces(next)
}

// outcome are the voters after a step; nil: the same.
func outcome(now plan.Config, step plan.Step) []plan.ReplicaID {
	if step.Kind != plan.Reform {
		return nil
	}
	next := plan.After(now.Voters, step.Changes)
	if slices.Equal(next, now.Voters) {
		return nil
	}
	return next
}

// has reports whether a set of voters was proposed in this term.
func (w *recorder) has(st core.Status, voters []plan.ReplicaID) bool {
	p := w.proposed[st.Shard]
	return p.term == st.Term && slices.ContainsFunc(p.sets, func(s []plan.ReplicaID) bool { return slices.Equal(s, voters) })
}

// propose notes that a step is about to be proposed.
func (w *recorder) propose(st core.Status, step plan.Step) {
	next := outcome(configOf(st), step)
	if next == nil || w.has(st, next) {
		return
	}
	p := w.proposed[st.Shard]
	if p.term != st.Term {
		p = proposed{term: st.Term}
	}
	p.sets = append(p.sets, next)
	p.sets = p.sets[max(0, len(p.sets)-plan.MaxNext):]
	w.proposed[st.Shard] = p
}

// write writes the draft as one change, and reports whether it is still to be written.
func (w *recorder) write(ctx context.Context, d *draft) (more bool) {
	if len(d.records) == 0 {
		return false
	}
	if _, known := w.p.view.Owner(cluster.MetaShard); !known || !d.urgent && time.Since(w.written) < recordPause {
		return true
	}
	puts := map[string][]byte{}
	for shard, c := range d.records {
		puts[groupKey(shard)] = encodeGroup(c)
	}
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	w.written = time.Now()
	if err := w.p.tables.Update(ctx, nodesTable, d.contents.revision, puts, nil); err != nil {
		w.p.cfg.Log.Debug("the voters of shards are not registered yet", "shards", len(puts), "error", err)
		return true
	}
	return false
}
