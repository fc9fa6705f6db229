package once_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/once"
	"ssod/cluster"
	"ssod/cluster/faulty"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start starts a runtime whose clock the test moves.
func start(t *testing.T, o faulty.Options) (c once.Client, pass func(time.Duration)) {
	t.Helper()
	var ahead time.Duration
	o.Clock = func() time.Time { return time.Now().Add(ahead) }
	shards := faulty.New(o).Node("a:1")
	r, err := actors.Start(actors.Config{Shards: shards, Slots: shards.Slots, Self: "a:1", Kinds: []actors.Kind{once.Kind()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if err := r.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return once.Client{Asker: r}, func(d time.Duration) { ahead += d }
}

var id = once.ID{Realm: "acme", MVPD: "cable", Text: "_assertion-1"}

// TestAnIDCountsOnce, also when the outcome of a claim was unknown and it was asked
// again; in another realm and at another provider it is another id.
func TestAnIDCountsOnce(t *testing.T) {
	c, pass := start(t, faulty.Options{Commits: faulty.Script(faulty.UnknownDone, faulty.UnknownNotDone)})
	until := time.Now().Add(time.Hour)
	others := []once.ID{
		{Realm: "other", MVPD: "cable", Text: id.Text}, {Realm: "acme", MVPD: "dish", Text: id.Text}, {Realm: "acme", MVPD: "cable", Text: "_assertion-2"},
	}
	for n, first := range append(others, id) {
		if err := c.Claim(t.Context(), cluster.RequestID{1, byte(n)}, first, until); err != nil {
			t.Errorf("%+v: %v", first, err)
		}
	}
	if err := c.Claim(t.Context(), cluster.RequestID{2}, id, until); !errors.Is(err, once.ErrTaken) {
		t.Errorf("a second claim: got %v, want %v", err, once.ErrTaken)
	}
	pass(59 * time.Minute)
	if err := c.Claim(t.Context(), cluster.RequestID{3}, id, until); !errors.Is(err, once.ErrTaken) {
		t.Errorf("shortly before its time: got %v, want %v", err, once.ErrTaken)
	}
	pass(2 * time.Minute)
	if err := c.Claim(t.Context(), cluster.RequestID{4}, id, until.Add(time.Hour)); err != nil {
		t.Errorf("after its time: %v", err)
	}
}

// TestOneOfManyHasIt: many claim at the same time.
func TestOneOfManyHasIt(t *testing.T) {
	c, _ := start(t, faulty.Options{Delay: time.Millisecond})
	var all sync.WaitGroup
	results := make(chan error, 16)
	for n := range byte(16) {
		all.Go(func() {
			results <- c.Claim(t.Context(), cluster.RequestID{n}, id, time.Now().Add(time.Hour))
		})
	}
	all.Wait()
	close(results)
	first := 0
	for err := range results {
		if err == nil {
			first++
		} else if !errors.Is(err, once.ErrTaken) {
			t.Error(err)
		}
	}
	if first != 1 {
		t.Errorf("%d claims came first, want 1", first)
	}
}

// TestWhatTheSweepForgets: an id whose time is over, and none before; after the time of a
// shard was set back none is taken for longer than one can be.
func TestWhatTheSweepForgets(t *testing.T) {
	now := time.Date(2026, 1, 2, 20, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		until, confirmed time.Duration
		forgets          bool
	}{
		{time.Minute, 0, false},
		{0, 0, true},
		{-time.Minute, -time.Hour, false}, // the clock may have leapt
		{48 * time.Hour, 0, false},
	} {
		state, err := proto.Marshal(&once.State{UntilMs: now.Add(tt.until).UnixMilli()})
		if err != nil {
			t.Fatal(err)
		}
		got := once.Kind().Sweep(cluster.Head{Schema: 1, State: state}, actors.Times{Now: now, Confirmed: now.Add(tt.confirmed)})
		if (got != nil) != tt.forgets {
			t.Errorf("until %v, confirmed %v: got %v", tt.until, tt.confirmed, got)
		}
	}
	s := &once.State{UntilMs: now.Add(72 * time.Hour).UnixMilli()}
	if !s.Cut(actors.Times{Now: now, Confirmed: now}) || s.UntilMs != now.Add(once.Longest).UnixMilli() {
		t.Errorf("cut: got %v", time.UnixMilli(s.UntilMs))
	}
}
