package actors_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/cluster"
	"ssod/cluster/faulty"
)

func TestAskChangesAndReads(t *testing.T) {
	truth := faulty.New(faulty.Options{})
	r := start(t, truth.Node("a:1"), &probe{})
	to := address("realm", "one")
	for i := range 5 {
		if got := total(ask(t, r, to, request(i), add(2))); got != int64(2*i+2) {
			t.Fatalf("add %d: got %d", i, got)
		}
	}
	for _, how := range []string{"read", "read fenced"} {
		if got := total(ask(t, r, to, request(9), do(how))); got != 10 {
			t.Errorf("%s: got %d, want 10", how, got)
		}
	}
	if got := total(ask(t, r, address("realm", "two"), request(9), do("read"))); got != 0 {
		t.Errorf("another entity: got %d, want 0", got)
	}
}

func TestRepeatedRequestGetsTheFirstAnswer(t *testing.T) {
	truth := faulty.New(faulty.Options{})
	r := start(t, truth.Node("a:1"), &probe{})
	to := address("x")
	first := total(ask(t, r, to, request(1), add(5)))
	ask(t, r, to, request(2), add(1))
	if again := total(ask(t, r, to, request(1), add(5))); again != first {
		t.Errorf("repeated request: got %d, want %d", again, first)
	}
	m, err := r.Ask(t.Context(), to, request(1), 1, add(5))
	if err != nil || total(m) != 11 {
		t.Errorf("another step of the request: got %v, %v, want 11", m, err)
	}
}

func TestStateSurvivesPassivation(t *testing.T) {
	truth := faulty.New(faulty.Options{})
	p := &probe{}
	r := start(t, truth.Node("a:1"), p)
	ask(t, r, address("x"), request(1), add(7))
	r.Sweep()
	eventually(t, "passivation", func() bool { return r.Active() == 0 })
	if got := total(ask(t, r, address("x"), request(2), do("read"))); got != 7 {
		t.Errorf("after passivation: got %d, want 7", got)
	}
	if got := p.loads.Load(); got != 2 {
		t.Errorf("loads: got %d, want 2", got)
	}
}

func TestPanicCostsOneRequest(t *testing.T) {
	truth := faulty.New(faulty.Options{})
	p := &probe{}
	log := &recorder{}
	r := start(t, truth.Node("a:1"), p, func(c *actors.Config) { c.Log = log.logger() })
	ask(t, r, address("x"), request(1), add(7))
	for _, command := range []string{"panic", "nothing"} {
		if _, err := r.Ask(t.Context(), address("x"), request(2), 0, do(command)); !errors.Is(err, actors.ErrInternal) {
			t.Errorf("%s: got %v, want ErrInternal", command, err)
		}
	}
	if got := total(ask(t, r, address("x"), request(3), do("read"))); got != 7 {
		t.Errorf("after the panic: got %d, want 7", got)
	}
	if n := log.count("entity panicked", "trace=00000000-0000-0003-0000-000000000000"); n != 1 {
		t.Errorf("panic logged %d times with the request id, want once", n)
	}
	if n := log.count("a secret"); n != 0 {
		t.Error("the panic's text is in the log")
	}
}

// broken panics once when an outcome is looked up.
type broken struct {
	cluster.Shards
	broke *atomic.Bool
}

type brokenShard struct {
	cluster.Shard
	broke *atomic.Bool
}

func (b broken) Lead(id cluster.ShardID) (cluster.Shard, bool) {
	s, ok := b.Shards.Lead(id)
	return brokenShard{s, b.broke}, ok
}

func (s brokenShard) Outcome(e cluster.Entity, r cluster.RequestID, step uint32) ([]byte, bool, error) {
	if !s.broke.Swap(true) {
		panic(errors.New("a secret"))
	}
	return s.Shard.Outcome(e, r, step)
}

// TestPanicOutsideOfTheEntity: before it sees the command, which is delivered again.
// That, too, costs one request.
func TestPanicOutsideOfTheEntity(t *testing.T) {
	var broke atomic.Bool
	broke.Store(true)
	truth := faulty.New(faulty.Options{Commits: func(op faulty.Op) faulty.Fault {
		if op.N == 1 {
			broke.Store(false) // from here on
			return faulty.UnknownDone
		}
		return faulty.None
	}})
	log := &recorder{}
	r := start(t, broken{truth.Node("a:1"), &broke}, &probe{}, func(c *actors.Config) { c.Log = log.logger() })
	ask(t, r, address("x"), request(1), add(7))
	if _, err := r.Ask(t.Context(), address("x"), request(2), 0, add(1)); !errors.Is(err, actors.ErrInternal) {
		t.Errorf("got %v, want ErrInternal", err)
	}
	if got := total(ask(t, r, address("x"), request(3), do("read"))); got != 8 {
		t.Errorf("after the panic: got %d, want 8", got)
	}
	if n := log.count("entity panicked"); n != 1 || log.count("a secret") != 0 {
		t.Errorf("panic logged %d times, want once and without its text", n)
	}
	r.Sweep()
	eventually(t, "it is passivated", func() bool { return r.Active() == 0 })
}

func TestStopWaitsForWhatIsInFlight(t *testing.T) {
	truth := faulty.New(faulty.Options{})
	p := &probe{entered: make(chan struct{}), release: make(chan struct{})}
	r := start(t, truth.Node("a:1"), p)
	answered := make(chan error, 1)
	go func() {
		_, err := r.Ask(context.Background(), address("x"), request(1), 0, do("block"))
		answered <- err
	}()
	<-p.entered
	stopped := make(chan error, 1)
	go func() { stopped <- r.Stop(context.Background()) }()
	eventually(t, "new asks are refused", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := r.Ask(ctx, address("y"), request(2), 0, do("read"))
		return errors.Is(err, actors.ErrUnavailable)
	})
	close(p.release)
	if err := <-answered; err != nil {
		t.Errorf("ask in flight at Stop: %v", err)
	}
	if err := <-stopped; err != nil {
		t.Errorf("Stop: %v", err)
	}
}

func TestStopCutsOffWhatDoesNotEnd(t *testing.T) {
	truth := faulty.New(faulty.Options{Commits: faulty.Always(faulty.Hold)})
	r := start(t, truth.Node("a:1"), &probe{})
	answered := make(chan error, 1)
	go func() {
		_, err := r.Ask(context.Background(), address("x"), request(1), 0, add(1))
		answered <- err
	}()
	eventually(t, "the entity is active", func() bool { return r.Active() == 1 })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := r.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Stop: got %v, want the context's error", err)
	}
	if err := <-answered; !errors.Is(err, actors.ErrUnknown) && !errors.Is(err, actors.ErrUnavailable) {
		t.Errorf("ask cut off: got %v", err)
	}
}

func TestUnansweredAskIsUnknown(t *testing.T) {
	truth := faulty.New(faulty.Options{})
	r := start(t, truth.Node("a:1"), &probe{})
	var ctx context.Context
	eventually(t, "an ask that was delivered is given up", func() bool { // again where the machine stalled before
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		_, err := r.Ask(ctx, address("x"), request(1), 0, do("defer"))
		if !errors.Is(err, actors.ErrUnknown) && !errors.Is(err, actors.ErrUnavailable) {
			t.Errorf("got %v, want ErrUnknown", err)
		}
		return errors.Is(err, actors.ErrUnknown)
	})
	if _, err := r.Ask(ctx, address("x"), request(2), 0, add(1)); !errors.Is(err, actors.ErrUnavailable) {
		t.Errorf("deadline passed before: got %v, want ErrUnavailable", err)
	}
	r.Sweep() // gives the turn up, so that Stop need not wait for it
}

func TestConfigIsChecked(t *testing.T) {
	_, err := actors.Start(actors.Config{Kinds: []actors.Kind{{}, {}}, Remote: &actors.Remote{}})
	if err == nil {
		t.Fatal("an empty configuration is accepted")
	}
}

// TestWhoAsksRunsAnIdleEntity: no goroutine is woken for an entity that does
// nothing else.
func TestWhoAsksRunsAnIdleEntity(t *testing.T) {
	r := start(t, free{faulty.New(faulty.Options{}).Node("a:1")}, &probe{})
	for n, command := range []proto.Message{add(1), do("read"), do("read fenced"), add(1)} {
		ask(t, r, address("x"), request(n), command)
	}
	if n := r.Workers(); n != 0 {
		t.Errorf("%d workers were started", n)
	}
}

// TestWhoAsksLeavesItsCommit: the commit of who runs an entity himself does not
// keep him beyond his time, and has one effect whatever becomes of it.
func TestWhoAsksLeavesItsCommit(t *testing.T) {
	for _, fault := range []faulty.Fault{faulty.Hold, faulty.Delay} {
		ctx, cancel := context.WithCancel(t.Context())
		truth := faulty.New(faulty.Options{Delay: time.Hour, Commits: func(o faulty.Op) faulty.Fault {
			if o.N > 0 {
				return faulty.None
			}
			cancel()
			return fault
		}})
		r := start(t, free{truth.Node("a:1")}, &probe{})
		if _, err := r.Ask(ctx, address("x"), request(1), 0, add(1)); err != nil && !errors.Is(err, actors.ErrUnknown) {
			t.Errorf("%v: got %v, want ErrUnknown, or the answer of a worker", fault, err)
		}
		if got := total(ask(t, r, address("x"), request(1), add(1))); got != 1 {
			t.Errorf("%v: asked twice, got %d", fault, got)
		}
	}
}

// TestBriefEntitiesNeedNoWorker: neither who tells one something nor the end of
// its commit wakes a worker.
func TestBriefEntitiesNeedNoWorker(t *testing.T) {
	begun := make(chan struct{}, 1)
	truth := faulty.New(faulty.Options{Commits: func(faulty.Op) faulty.Fault {
		begun <- struct{}{}
		return faulty.Hold
	}})
	r := start(t, free{truth.Node("a:1")}, &probe{}, func(c *actors.Config) { c.Kinds[0].Brief = true })
	ask(t, r, address("x"), request(0), do("read")) // a Tell to a shard that was never asked goes another way
	r.Tell(address("x"), request(1), 0, batch(5))
	<-begun
	eventually(t, "the commit is held and has ended", func() bool { truth.Release(); return r.InFlight() == 0 })
	if n := r.Workers(); n != 0 {
		t.Errorf("%d workers were started", n)
	}
	if got := total(ask(t, r, address("x"), request(2), do("read"))); got != 5 {
		t.Errorf("got %d, want 5", got)
	}
}

// A command that may have been carried out, long ago by the time of the shard, is not
// carried out again because the clock of its owner was set back: what became of it is
// not kept any more.
func TestAClockThatWasSetBackRepeatsNothing(t *testing.T) {
	for ahead, want := range map[time.Duration]error{0: nil, 65 * time.Second: actors.ErrUnknown} {
		truth := faulty.New(faulty.Options{
			Commits: faulty.Script(faulty.UnknownNotDone), Clock: func() time.Time { return time.Now().Add(ahead) },
		})
		r := start(t, truth.Node("a:1"), &probe{})
		_, err := r.Ask(t.Context(), address("x"), request(1), 0, add(5))
		if !errors.Is(err, want) {
			t.Errorf("shard time %v ahead: got %v, want %v", ahead, err, want)
		}
		if _, err := r.Ask(t.Context(), address("x"), request(2), 0, add(1)); err != nil {
			t.Errorf("another command: %v", err)
		}
	}
}
