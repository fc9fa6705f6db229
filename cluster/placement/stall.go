package placement

import (
	"context"
	"time"

	"ssod/cluster/plan"
	"ssod/cluster/replica/core"
)

// stall is the progress of a shard that waits for new replicas, and since when.
type stall struct {
	at    progress
	since time.Time
	asked time.Time // when a node was asked again for its replica
}

// progress is that of the replica which holds a shard up.
type progress struct {
	term  uint64
	joint bool
	match uint64
}

// stuck reports whether a shard has waited so long without progress that it must not hold
// up others: the node of its new replica may answer and yet store nothing.
func (m *mover) stuck(st core.Status, assignment plan.Assignment) bool {
	now := progressOf(st, assignment)
	w, ok := m.stalls[st.Shard]
	if !ok || w.at != now {
		m.stalls[st.Shard] = stall{at: now, since: time.Now()}
		return false
	}
	return time.Since(w.since) > m.p.cfg.Patience
}

// askAgain asks nodes again for replicas that have acknowledged nothing for a while: the
// map may have changed twice while one was added, and its node has removed it in between.
// Then it answers with a later one, and the plan expels the first.
func (m *mover) askAgain(ctx context.Context, st core.Status, assignment plan.Assignment) error {
	w := m.stalls[st.Shard]
	if time.Since(later(w.since, w.asked)) < m.p.cfg.Patience/5 {
		return nil
	}
	w.asked = time.Now()
	m.stalls[st.Shard] = w
	for _, r := range replicas(st.Applied.Conf.GetLearners()) {
		if !assignment.Votes(r.Node()) || st.Match[r] > 0 || !m.p.Alive(r.Node()) {
			continue
		}
		if _, err := m.askFor(ctx, st.Shard, r.Node()); err != nil {
			return err
		}
	}
	return nil
}

// progressOf is that of the learner with the least progress that is to vote.
func progressOf(st core.Status, assignment plan.Assignment) progress {
	p := progress{term: st.Term, joint: len(st.Applied.Conf.GetVotersOutgoing()) > 0, match: ^uint64(0)}
	for _, r := range replicas(st.Applied.Conf.GetLearners()) {
		if assignment.Votes(r.Node()) {
			p.match = min(p.match, st.Match[r])
		}
	}
	return p
}
