package actors_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/emptypb"

	"ssod/actors"
	"ssod/cluster/faulty"
)

// TestABatchTakesWhatItAnswersAtOnce: an entity that answers many with one commit
// turns none of them away while that is on its way.
func TestABatchTakesWhatItAnswersAtOnce(t *testing.T) {
	const callers = 1000
	truth := faulty.New(faulty.Options{Commits: func(faulty.Op) faulty.Fault { return faulty.Hold }})
	r := start(t, truth.Node("a:1"), &probe{}, func(c *actors.Config) { c.Kinds[0].AtOnce = callers })
	var group sync.WaitGroup
	for n := range callers {
		group.Go(func() {
			if _, err := r.Ask(context.Background(), address("x"), request(n), 0, batch(1)); err != nil {
				t.Errorf("ask: %v", err)
			}
		})
	}
	eventually(t, "all are admitted", func() bool { return r.Admitted() == callers })
	eventually(t, "all are answered", func() bool { truth.Release(); return r.Admitted() == 0 })
	group.Wait()
}

// TestAFastEntityMayHaveMoreWaiting: once it is known how fast it answers, more may
// wait than before.
func TestAFastEntityMayHaveMoreWaiting(t *testing.T) {
	p := &probe{entered: make(chan struct{}), release: make(chan struct{})}
	r := start(t, faulty.New(faulty.Options{}).Node("a:1"), p, func(c *actors.Config) { c.Limits.Wait = time.Hour })
	var group sync.WaitGroup
	rush := func(first, callers int) {
		for n := range callers {
			group.Go(func() {
				if _, err := r.Ask(context.Background(), address("x"), request(first+n), 0, &emptypb.Empty{}); err != nil {
					t.Errorf("ask: %v", err)
				}
			})
		}
	}
	hold := func(n int) {
		group.Go(func() {
			if _, err := r.Ask(context.Background(), address("x"), request(n), 0, do("block")); err != nil {
				t.Errorf("ask: %v", err)
			}
		})
		<-p.entered
	}
	hold(0)
	rush(1, 255)
	eventually(t, "as many wait as may while the pace is not known", func() bool { return r.Admitted() == 256 })
	if _, err := r.Ask(t.Context(), address("x"), request(1000), 0, &emptypb.Empty{}); !errors.Is(err, actors.ErrOverloaded) {
		t.Errorf("one more: got %v, want ErrOverloaded", err)
	}
	p.release <- struct{}{}
	group.Wait()
	hold(2000)
	rush(2001, 2000)
	eventually(t, "many more wait", func() bool { return r.Admitted() == 2001 })
	p.release <- struct{}{}
	group.Wait()
}

// TestWhatIsLoadedTurnsNobodyAway: an entity that has moved here with much to read is
// asked by as many as before. They wait for it, and their wait is not taken for its pace.
func TestWhatIsLoadedTurnsNobodyAway(t *testing.T) {
	const callers = 3000
	p := &probe{load: make(chan struct{})}
	r := start(t, faulty.New(faulty.Options{}).Node("a:1"), p, func(c *actors.Config) { c.Limits.Wait = time.Millisecond })
	var group sync.WaitGroup
	for n := range callers {
		group.Go(func() {
			if _, err := r.Ask(context.Background(), address("x"), request(n), 0, add(1)); err != nil {
				t.Errorf("ask: %v", err)
			}
		})
	}
	eventually(t, "all wait", func() bool { return r.Admitted() == callers })
	close(p.load)
	group.Wait()
	if got := total(ask(t, r, address("x"), request(callers), add(1))); got != callers+1 {
		t.Errorf("got %d, want %d", got, callers+1)
	}
	if n := p.loads.Load(); n != 1 {
		t.Errorf("it was loaded %d times", n)
	}
}

// TestWhatWaitsForALoadIsBounded: in bytes, of which one entity has a quarter, and then
// others are still asked.
func TestWhatWaitsForALoadIsBounded(t *testing.T) {
	p := &probe{load: make(chan struct{})}
	r := start(t, faulty.New(faulty.Options{}).Node("a:1"), p, func(c *actors.Config) { c.Limits.QueueBytes = 256 << 10 })
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	refused := make(chan error, 1)
	for n := range 1000 {
		group.Go(func() {
			if _, err := r.Ask(ctx, address("x"), request(n), 0, add(1)); errors.Is(err, actors.ErrOverloaded) {
				select {
				case refused <- err:
				default:
				}
			}
		})
	}
	<-refused
	if n := r.Admitted(); n > 256<<10/4/512 {
		t.Errorf("%d commands wait, over what an entity may take", n)
	}
	cancel()
	close(p.load)
	group.Wait()
}

// TestAHotEntityKeepsNobodyOut fills one entity until it takes no more, in time and
// in bytes: others are asked as if nothing were.
func TestAHotEntityKeepsNobodyOut(t *testing.T) {
	for name, limits := range map[string]actors.Limits{
		"time":  {},
		"bytes": {QueueBytes: 64 << 10, Wait: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			p := &probe{entered: make(chan struct{}), release: make(chan struct{})}
			r := start(t, faulty.New(faulty.Options{}).Node("a:1"), p, func(c *actors.Config) {
				limits.Tick, limits.OwnerWait = c.Limits.Tick, c.Limits.OwnerWait
				c.Limits = limits
			})
			ctx, cancel := context.WithCancel(context.Background())
			var group sync.WaitGroup
			group.Go(func() { _, _ = r.Ask(ctx, address("hot"), request(0), 0, do("block")) })
			<-p.entered
			var full sync.WaitGroup
			full.Add(1)
			once := sync.OnceFunc(full.Done)
			for n := range 600 {
				group.Go(func() {
					_, err := r.Ask(ctx, address("hot"), request(1+n), 0, &emptypb.Empty{})
					var overloaded *actors.OverloadedError
					if errors.As(err, &overloaded) {
						if overloaded.RetryAfter <= 0 {
							t.Error("nobody is told when to ask again")
						}
						once()
					}
				})
			}
			full.Wait()
			for n := range 100 {
				ask(t, r, address(fmt.Sprint("cold", n)), request(10_000+n), add(1))
			}
			close(p.release)
			cancel()
			group.Wait()
		})
	}
}
