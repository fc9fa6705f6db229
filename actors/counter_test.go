package actors_test

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"ssod/actors"
	"ssod/cluster"
	"ssod/cluster/faulty"
)

// counter is an entity for tests: a number that commands add to. Each change
// leaves another total, so the answers tell which requests had an effect.
type counter struct {
	entity cluster.Entity
	probe  *probe
	total  int64
	// Adds of a batch: those waiting, and the sum decided but not committed.
	waiting []*actors.Turn
}

// probe is what a test sees and controls of the counters of one runtime.
type probe struct {
	loads, ticks atomic.Int64
	restless     atomic.Bool        // Tick answers that the entity is not idle
	ticked       func()             // called at each Tick, if not nil
	entered      chan struct{}      // gets a token when a "block" begins, if not nil
	release      chan struct{}      // ends a "block"
	load         chan struct{}      // closed when entities may be loaded, if not nil
	swept        chan proto.Message // commands that Sweep asked for
}

func kindOf(p *probe) actors.Kind {
	return actors.Kind{
		Name: "counter",
		New: func(id actors.Identity) actors.Entity {
			return &counter{entity: address(id...).Entity(), probe: p}
		},
		Flow: flowOf,
		Fenced: func(c proto.Message) bool {
			s, ok := c.(*wrapperspb.StringValue)
			return ok && s.Value == "read fenced"
		},
	}
}

func address(id ...string) actors.Address { return actors.Address{Kind: "counter", Identity: id} }

// Commands. Add changes the counter; Batch adds through Begin; the others are
// named by their text.
func add(n int64) proto.Message    { return wrapperspb.Int64(n) }
func batch(n int64) proto.Message  { return wrapperspb.Int32(int32(n)) }
func do(what string) proto.Message { return wrapperspb.String(what) }
func total(m proto.Message) int64  { return m.(*wrapperspb.Int64Value).GetValue() }
func answer(n int64) proto.Message { return wrapperspb.Int64(n) }
func request(n int) (r cluster.RequestID) {
	binary.BigEndian.PutUint64(r[:], uint64(n)+1)
	return r
}

func (c *counter) Load(store actors.Store) error {
	c.probe.loads.Add(1)
	if c.probe.load != nil {
		<-c.probe.load
	}
	h, ok, err := store.Head(c.entity)
	if ok {
		c.total = int64(binary.BigEndian.Uint64(h.State))
	}
	return err
}

func (c *counter) Receive(t *actors.Turn) {
	switch m := t.Command().(type) {
	case *wrapperspb.Int64Value:
		c.add(t, m.Value)
	case *wrapperspb.Int32Value:
		c.batch(t)
	case *wrapperspb.StringValue:
		c.do(t, m.Value)
	case *emptypb.Empty:
		t.Reply(m)
	}
}

func (c *counter) commit(total int64) cluster.Commit {
	return cluster.Commit{Schema: 1, State: binary.BigEndian.AppendUint64(nil, uint64(total))}
}

func (c *counter) add(t *actors.Turn, n int64) {
	next := c.total + n
	commit := c.commit(next)
	t.Change(actors.Decision{
		Reply:   answer(next),
		Commit:  &commit,
		Applied: func() { c.total = next },
	})
}

// batch adds for every waiting turn in one commit, each with its own outcome.
func (c *counter) batch(t *actors.Turn) {
	if t.Repeat() {
		return
	}
	t.Defer()
	c.waiting = append(c.waiting, t)
	if len(c.waiting) == 1 {
		c.begin(t)
	}
}

func (c *counter) begin(t *actors.Turn) {
	round := c.waiting
	next := c.total
	var outcomes []cluster.Outcome
	for _, w := range round {
		next += int64(w.Command().(*wrapperspb.Int32Value).Value)
		outcomes = append(outcomes, w.Outcome(answer(next)))
	}
	commit := c.commit(next)
	commit.Outcomes = outcomes
	t.Begin(commit, func(t *actors.Turn, err error) {
		c.settle(t, round, next, err)
	})
}

func (c *counter) settle(t *actors.Turn, round []*actors.Turn, next int64, err error) {
	for _, w := range round {
		if err != nil {
			w.Fail(err)
			continue
		}
		c.total += int64(w.Command().(*wrapperspb.Int32Value).Value)
		w.Reply(answer(c.total))
	}
	if err == nil && c.total != next {
		panic("sum")
	}
	c.waiting = c.waiting[len(round):]
	goesOn := err == nil || errors.Is(err, cluster.ErrRefused) // else it is loaded afresh
	if goesOn && len(c.waiting) > 0 {
		c.begin(t)
	}
}

func (c *counter) do(t *actors.Turn, what string) {
	switch what {
	case "read fenced":
		if !t.Fenced() {
			panic("not fenced")
		}
		t.Reply(answer(c.total))
	case "read":
		t.Change(actors.Decision{Reply: answer(c.total)})
	case "claim": // the first one adds; who comes later is told so at once
		if c.total != 0 {
			t.Reply(answer(-1))
			return
		}
		c.add(t, 1)
	case "sweep": // once: a walker may come round before the first is on disk
		if c.total != 1 {
			t.Change(actors.Decision{Reply: answer(c.total)})
			return
		}
		c.add(t, 1)
	case "panic":
		panic(errors.New("a secret"))
	case "nothing":
	case "block":
		if c.probe.entered != nil {
			c.probe.entered <- struct{}{}
		}
		<-c.probe.release
		t.Reply(answer(c.total))
	case "defer":
		t.Defer()
	}
}

func (c *counter) Tick(*actors.Turn) bool {
	c.probe.ticks.Add(1)
	if c.probe.ticked != nil {
		c.probe.ticked()
	}
	return !c.probe.restless.Load()
}

// start runs a runtime of counters until the test ends.
func start(t testing.TB, shards cluster.Shards, p *probe, change ...func(*actors.Config)) *actors.Runtime {
	t.Helper()
	c := actors.Config{
		Shards: shards, Slots: faulty.Slots(shards), Self: "a:1", Kinds: []actors.Kind{kindOf(p)},
		Limits: actors.Limits{Tick: time.Hour, OwnerWait: 200 * time.Millisecond},
		Log:    slog.New(slog.DiscardHandler),
	}
	for _, f := range change {
		f(&c)
	}
	r, err := actors.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, r) })
	return r
}

func stop(t testing.TB, r *actors.Runtime) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := r.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// ask asks and fails the test on an error.
func ask(t testing.TB, r *actors.Runtime, to actors.Address, id cluster.RequestID, command proto.Message) proto.Message {
	t.Helper()
	m, err := r.Ask(t.Context(), to, id, 0, command)
	if err != nil {
		t.Fatalf("ask %v: %v", command, err)
	}
	return m
}

// eventually waits for a condition that another goroutine brings about.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !done(); {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
		wait, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		<-wait.Done()
		cancel()
	}
}
