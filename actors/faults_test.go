package actors_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"ssod/actors"
	"ssod/cluster"
	"ssod/cluster/faulty"
)

// history is what clients saw of one counter whose every request adds one, so
// that each effect leaves its own total.
type history struct {
	mu      sync.Mutex
	answers map[int]int64 // request -> total
	unknown int
}

func newHistory() *history { return &history{answers: map[int]int64{}} }

func (h *history) note(t interface{ Errorf(string, ...any) }, n int, m proto.Message, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case err == nil:
		if first, ok := h.answers[n]; ok && first != total(m) {
			t.Errorf("request %d: answered %d, then %d", n, first, total(m))
		}
		h.answers[n] = total(m)
	case errors.Is(err, actors.ErrUnknown):
		h.unknown++
	case !errors.Is(err, actors.ErrUnavailable):
		t.Errorf("request %d: %v", n, err)
	}
}

// check compares the answers with the counter as it is in the end.
func (h *history) check(t interface{ Errorf(string, ...any) }, final int64) {
	seen := map[int64]int{}
	for n, total := range h.answers {
		if other, ok := seen[total]; ok {
			t.Errorf("requests %d and %d both left %d", n, other, total)
		}
		seen[total] = n
	}
	least, most := int64(len(h.answers)), int64(len(h.answers)+h.unknown)
	if final < least || final > most {
		t.Errorf("counter is %d after %d acknowledged and %d unknown requests", final, least, h.unknown)
	}
}

// TestEveryRequestHasOneEffect asks under every fault, each request once or
// twice, some through Change and some in batches.
func TestEveryRequestHasOneEffect(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		faults := rapid.SliceOfN(rapid.SampledFrom(faulty.Faults), 0, 40).Draw(rt, "faults")
		truth := faulty.New(faulty.Options{Shards: 1, Commits: faulty.Script(faults...), Delay: 100 * time.Microsecond})
		p := &probe{}
		r := start(t, truth.Node("a:1"), p)
		defer stop(t, r)
		h := newHistory()
		commands := rapid.SliceOfN(rapid.SampledFrom([]string{"add", "batch"}), 1, 12).Draw(rt, "commands")
		var group sync.WaitGroup
		for n, how := range commands {
			command := add(1)
			if how == "batch" {
				command = batch(1)
			}
			group.Go(func() {
				for range 2 {
					m, err := r.Ask(context.Background(), address("x"), request(n), 0, command)
					h.note(rt, n, m, err)
				}
			})
		}
		group.Wait()
		m, err := r.Ask(context.Background(), address("x"), request(1000), 0, do("read"))
		if err != nil {
			rt.Fatalf("read: %v", err)
		}
		h.check(rt, total(m))
	})
}

// TestRepeatIsLookedUpBeforeTheEntitySeesIt repeats a change that the entity
// itself would answer differently, without another change.
func TestRepeatIsLookedUpBeforeTheEntitySeesIt(t *testing.T) {
	for _, fault := range []faulty.Fault{faulty.UnknownDone, faulty.FlapDone} {
		truth := faulty.New(faulty.Options{Commits: faulty.Script(fault)})
		r := start(t, truth.Node("a:1"), &probe{})
		if got := total(ask(t, r, address("x"), request(1), do("claim"))); got != 1 {
			t.Errorf("%v: got %d, want the first answer 1", fault, got)
		}
		if got := total(ask(t, r, address("x"), request(2), do("claim"))); got != -1 {
			t.Errorf("%v: another request: got %d, want -1", fault, got)
		}
	}
}

// TestFaultStorm loads many counters while commits and barriers fail, shards
// flap and entities are passivated.
func TestFaultStorm(t *testing.T) {
	rounds := 40
	if os.Getenv("SSOD_LONG") != "" {
		rounds = 2000
	}
	truth := faulty.New(faulty.Options{
		Commits:  faulty.Seeded(1, 20),
		Barriers: faulty.Seeded(2, 10, faulty.Delay, faulty.Flap),
	})
	r := start(t, truth.Node("a:1"), &probe{})
	const counters, callers = 8, 32
	var histories [counters]*history
	for i := range histories {
		histories[i] = newHistory()
	}
	var group sync.WaitGroup
	for caller := range callers {
		group.Go(func() {
			for i := range rounds {
				n := caller*rounds + i
				which := n % counters
				command := add(1)
				if n%3 == 0 {
					command = batch(1)
				}
				m, err := r.Ask(context.Background(), address(fmt.Sprint(which)), request(n), 0, command)
				histories[which].note(t, n, m, err)
				if i%8 == 0 {
					r.Sweep()
				}
			}
		})
	}
	group.Wait()
	for which, h := range histories {
		m, err := retried(r, address(fmt.Sprint(which)), 1e6+which)
		if err != nil {
			t.Fatalf("read: %v", err)
		}
		h.check(t, total(m))
	}
}

// retried reads until a fault does not get in the way.
func retried(r *actors.Runtime, to actors.Address, n int) (m proto.Message, err error) {
	for range 10 {
		if m, err = r.Ask(context.Background(), to, request(n), 0, do("read")); err == nil {
			return m, nil
		}
	}
	return nil, err
}

// TestTwoOwners lets a deposed node that does not know it serve beside its
// successor.
func TestTwoOwners(t *testing.T) {
	truth := faulty.New(faulty.Options{Shards: 1})
	a, b := truth.Node("a:1"), truth.Node("b:1")
	old := start(t, a, &probe{}, func(c *actors.Config) { c.Limits.OwnerWait = 50 * time.Millisecond })
	ask(t, old, address("x"), request(1), add(1))
	truth.Usurp(1, b)
	young := start(t, b, &probe{}, func(c *actors.Config) { c.Self = "b:1" })
	if got := total(ask(t, young, address("x"), request(2), add(1))); got != 2 {
		t.Fatalf("new owner: got %d, want 2", got)
	}
	for n, command := range map[int]proto.Message{3: add(1), 4: do("read"), 5: do("read fenced"), 6: batch(1)} {
		m, err := old.Ask(t.Context(), address("x"), request(n), 0, command)
		if !errors.Is(err, actors.ErrUnknown) && !errors.Is(err, actors.ErrUnavailable) {
			t.Errorf("deposed owner: %v answered %v, %v", command, m, err)
		}
	}
	if got := total(ask(t, young, address("x"), request(7), do("read"))); got != 2 {
		t.Errorf("after the deposed owner tried: got %d, want 2", got)
	}
	truth.Notice(1)
	truth.Move(1, a)
	if got := total(ask(t, old, address("x"), request(8), do("read"))); got != 2 {
		t.Errorf("leading again: got %d, want 2", got)
	}
}

// TestHandOverAnswersEveryone takes the shard away while one commit is in
// flight and commands queue behind it.
func TestHandOverAnswersEveryone(t *testing.T) {
	begun := make(chan struct{})
	truth := faulty.New(faulty.Options{Shards: 1, Commits: func(op faulty.Op) faulty.Fault {
		if op.N == 0 {
			close(begun)
		}
		return faulty.Hold
	}})
	r := start(t, truth.Node("a:1"), &probe{})
	results := make(chan error, 20)
	for n := range cap(results) {
		go func() {
			_, err := r.Ask(context.Background(), address("x"), request(n), 0, []proto.Message{add(1), batch(1)}[n%2])
			results <- err
		}()
	}
	eventually(t, "all are admitted", func() bool { return r.InFlight() == cap(results) })
	<-begun // who is admitted first may still be on his way there
	truth.Move(1, nil)
	unknown := 0
	for range cap(results) {
		switch err := <-results; {
		case errors.Is(err, actors.ErrUnknown):
			unknown++
		case !errors.Is(err, actors.ErrUnavailable):
			t.Errorf("got %v", err)
		}
	}
	if unknown == 0 || unknown == cap(results) {
		t.Errorf("%d of %d are unknown; want those of the commit in flight only", unknown, cap(results))
	}
	if n := r.Active(); n != 0 {
		eventually(t, "the entities stop", func() bool { return r.Active() == 0 })
	}
}

// TestAskWaitsForAnOwner shows that a request rides out a short failover.
func TestAskWaitsForAnOwner(t *testing.T) {
	truth := faulty.New(faulty.Options{Shards: 1})
	node := truth.Node("a:1")
	r := start(t, node, &probe{}, func(c *actors.Config) { c.Limits.OwnerWait = 5 * time.Second })
	ask(t, r, address("x"), request(1), add(1))
	truth.Move(1, nil)
	got := make(chan error, 1)
	go func() {
		_, err := r.Ask(context.Background(), address("x"), request(2), 0, add(1))
		got <- err
	}()
	eventually(t, "the ask waits", func() bool { return r.Waiting() == 1 })
	truth.Move(1, node)
	if err := <-got; err != nil {
		t.Errorf("after the owner is back: %v", err)
	}
}

func TestNoOwnerIsUnavailableAfterTheWait(t *testing.T) {
	truth := faulty.New(faulty.Options{Shards: 1})
	r := start(t, truth.Node("a:1"), &probe{}, func(c *actors.Config) { c.Limits.OwnerWait = 30 * time.Millisecond })
	truth.Move(1, nil)
	if _, err := r.Ask(t.Context(), address("x"), request(1), 0, add(1)); !errors.Is(err, actors.ErrUnavailable) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
}

// TestNobodyWaitsWithoutHope: a node that hears no majority of a shard says so at
// once, also to those who had begun to wait.
func TestNobodyWaitsWithoutHope(t *testing.T) {
	truth := faulty.New(faulty.Options{Shards: 1})
	var noQuorum atomic.Bool
	r := start(t, truth.Node("a:1"), &probe{}, func(c *actors.Config) {
		c.Limits.OwnerWait = time.Hour
		c.NoQuorum = func(cluster.ShardID) bool { return noQuorum.Load() }
	})
	truth.Move(1, nil)
	eventually(t, "both are told at once", func() bool { // again where the machine stalls
		noQuorum.Store(false)
		got := make(chan error, 1)
		go func() {
			_, err := r.Ask(context.Background(), address("x"), request(1), 0, add(1))
			got <- err
		}()
		eventually(t, "the ask waits", func() bool { return r.Waiting() == 1 })
		begin := time.Now()
		noQuorum.Store(true)
		if err := <-got; !errors.Is(err, actors.ErrUnavailable) {
			t.Errorf("who waits: got %v, want ErrUnavailable", err)
		}
		if _, err := r.Ask(t.Context(), address("x"), request(2), 0, add(1)); !errors.Is(err, actors.ErrUnavailable) {
			t.Errorf("who comes: got %v, want ErrUnavailable", err)
		}
		return time.Since(begin) < time.Second
	})
}
