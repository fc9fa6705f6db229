package local

import (
	"errors"
	"fmt"
	"time"

	"ssod/cluster"
	"ssod/persistence"
)

// round is the commits that share one write and one fsync.
type round struct {
	pending []*pending
	commits []persistence.ShardCommit
	read    chan struct{} // closed when the commits are not needed any more
	write   *persistence.Round
}

// gather forms rounds until the queue is closed. It blocks while two rounds
// are on their way to disk; meanwhile the next one grows.
func (s *Shards) gather() {
	defer close(s.rounds)
	for range s.queue.wake {
		for {
			r := &round{read: make(chan struct{})}
			waiting, open := s.queue.take(nil)
			if !open {
				return
			}
			if len(waiting) == 0 {
				break
			}
			s.start(r, waiting)
			s.rounds <- r
		}
	}
}

// start writes the commits that nobody has abandoned meanwhile.
func (s *Shards) start(r *round, waiting []*pending) {
	r.commits = make([]persistence.ShardCommit, 0, len(waiting))
	for _, p := range waiting {
		if p.round.CompareAndSwap(nil, r) {
			r.pending = append(r.pending, p)
			r.commits = append(r.commits, persistence.ShardCommit{Shard: p.shard, Commit: &p.commit})
		}
	}
	r.write = s.store.Start(r.commits, s.config.Clock())
	close(r.read)
}

// settle waits for each round to be on disk and answers its commits.
func (s *Shards) settle() {
	for r := range s.rounds {
		errs := r.write.Wait()
		s.metrics.size.Observe(float64(len(errs)))
		now := time.Now()
		for i, p := range r.pending {
			s.metrics.seconds.Observe(now.Sub(p.queued).Seconds())
			if errors.Is(errs[i], persistence.ErrFailed) {
				s.loseAll()
			}
			p.answer(outcome(errs[i]))
		}
	}
}

// outcome maps the store's error to one of the four ways a commit ends.
func outcome(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, persistence.ErrRevision):
		return cluster.ErrRejected
	case errors.Is(err, persistence.ErrFailed):
		return fmt.Errorf("%w: %w", cluster.ErrUnknown, err)
	default:
		return fmt.Errorf("%w: %w", cluster.ErrRefused, err)
	}
}
