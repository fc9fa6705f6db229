package webhook

import (
	"cmp"
	"context"
	"crypto/rand"
	"log/slog"
	"slices"
	"sync"
	"time"

	"ssod/actors/event"
	"ssod/cluster"
)

const (
	// sumWindow is how long denied decisions and attacks are summed up.
	sumWindow = time.Minute
	// sumCommit bounds how long the commit of a window may take.
	sumCommit = 2 * time.Second
	// maxSums bounds the sums of a realm in a window. Beyond them nothing is counted.
	maxSums = 4096
	// sumsAtOnce is how many events a commit has: at most half a MiB.
	sumsAtOnce = 256
)

// SumOptions are what [Sums] need. All are required.
type SumOptions struct {
	Outbox *Outbox
	Shards cluster.Shards
	Level  func() int // of the cluster's format
	// Attacks states the attacks on link codes since it was called last.
	Attacks func() []event.Fact
	Now     func() time.Time
	Log     *slog.Logger
}

// Sums tell of what happens too often to be told one by one: denied decisions and attacks
// on link codes, summed up in the memory of this node and put into the outbox of one of
// its shards once a minute. What was not yet put there dies with the process. A node that
// leads no shard keeps its sums, and so tells of longer windows.
type Sums struct {
	options SumOptions
	stop    context.CancelFunc
	done    sync.WaitGroup
	telling sync.Mutex // held while a window is told of

	mu     sync.Mutex // guards what follows
	since  time.Time
	denied map[string]map[event.Denial]int // by realm; the keys have no count
}

// StartSums begins the first window.
func StartSums(o SumOptions) *Sums {
	s := &Sums{options: o, since: o.Now(), denied: map[string]map[event.Denial]int{}}
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.done.Go(func() { s.run(ctx) })
	return s
}

// Close loses the running window; see [Sums.Tell].
func (s *Sums) Close() {
	s.stop()
	s.done.Wait()
}

func (s *Sums) run(ctx context.Context) {
	pace := time.NewTicker(sumWindow)
	defer pace.Stop()
	for {
		select {
		case <-pace.C:
			s.Tell(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// Denied counts decisions of a realm in which somebody is interested.
func (s *Sums) Denied(realm string, denials []event.Denial) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sums := s.denied[realm]
	if sums == nil {
		sums = map[event.Denial]int{}
		s.denied[realm] = sums
	}
	for _, d := range denials {
		count := d.Count
		d.Count = 0
		if _, known := sums[d]; known || len(sums) < maxSums {
			sums[d] += count
		}
	}
}

// Tell ends the window and tells of it, as far as that can be done now.
func (s *Sums) Tell(ctx context.Context) {
	s.telling.Lock()
	defer s.telling.Unlock()
	shard := s.shard()
	if shard == nil {
		return
	}
	var events []cluster.Event
	at := shard.Now()
	for _, f := range s.take() {
		events = append(events, s.options.Outbox.Named(f, at, rand.Text())...) // a window is told of once or never
	}
	if s.options.Level() < event.Level {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, sumCommit)
	defer cancel()
	for batch := range slices.Chunk(events, sumsAtOnce) {
		if err := shard.Commit(ctx, cluster.Commit{Events: batch}); err != nil {
			s.options.Log.Warn("webhooks: denied decisions and attacks of a minute are not told", "events", len(batch), "error", err)
		}
	}
}

// shard is one that this node leads: not the meta shard, where events of degradation wait,
// in order.
func (s *Sums) shard() cluster.Shard {
	for id := range cluster.ShardID(s.options.Shards.Count()) {
		if h, leads := s.options.Shards.Lead(id + 1); leads {
			return h
		}
	}
	return nil
}

// take ends the window and states what was in it.
func (s *Sums) take() []event.Fact {
	facts := s.options.Attacks()
	s.mu.Lock()
	defer s.mu.Unlock()
	for realm, sums := range s.denied {
		facts = append(facts, event.Fact{Type: event.DecisionDenied, Realm: realm, Denials: sorted(sums)})
	}
	since, until := s.since, s.options.Now()
	if until.Before(since) { // the clock was set back
		since = until
	}
	s.since = until
	clear(s.denied)
	for i := range facts {
		facts[i].Since, facts[i].Until = since, until
	}
	return facts
}

// sorted are the sums, the largest first.
func sorted(sums map[event.Denial]int) []event.Denial {
	all := make([]event.Denial, 0, len(sums))
	for d, count := range sums {
		d.Count = count
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b event.Denial) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.ServiceProvider, b.ServiceProvider),
			cmp.Compare(a.MVPD, b.MVPD), cmp.Compare(a.Call, b.Call), cmp.Compare(a.Code, b.Code))
	})
	return all
}
