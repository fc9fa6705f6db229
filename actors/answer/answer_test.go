package answer_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/answer"
	"ssod/cluster"
	"ssod/cluster/faulty"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start starts a runtime whose clock the test moves.
func start(t *testing.T, o faulty.Options) (c answer.Client, pass func(time.Duration)) {
	t.Helper()
	var ahead time.Duration
	o.Clock = func() time.Time { return time.Now().Add(ahead) }
	shards := faulty.New(o).Node("a:1")
	r, err := actors.Start(actors.Config{Shards: shards, Slots: shards.Slots, Self: "a:1", Kinds: []actors.Kind{answer.Kind()}})
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
	return answer.Client{Asker: r}, func(d time.Duration) { ahead += d }
}

var (
	id     = answer.ID{ServiceProvider: "tv", Secret: "secret"}
	phone  = []byte("phone's cookie")
	tablet = []byte("tablet's cookie")
)

// TestAnAnswerWaitsForItsBrowser: it is given to the first one with the right state, as
// often as that asks, and to no other.
func TestAnAnswerWaitsForItsBrowser(t *testing.T) {
	c, pass := start(t, faulty.Options{Commits: faulty.Script(faulty.UnknownDone, faulty.UnknownNotDone)})
	serial := byte(0)
	take := func(id answer.ID, state string, browser []byte) (string, error) {
		serial++
		return c.Take(t.Context(), cluster.RequestID{1, serial}, id, state, browser)
	}
	if _, err := take(id, "state", phone); !errors.Is(err, answer.ErrGone) {
		t.Errorf("before it was stored: got %v, want %v", err, answer.ErrGone)
	}
	if err := c.Store(t.Context(), cluster.RequestID{2}, id, "state", "code=1"); err != nil {
		t.Fatal(err)
	}
	if _, err := take(id, "another state", phone); !errors.Is(err, answer.ErrGone) {
		t.Errorf("with the state of another login: got %v, want %v", err, answer.ErrGone)
	}
	if _, err := take(answer.ID{ServiceProvider: "other", Secret: "secret"}, "state", phone); !errors.Is(err, answer.ErrGone) {
		t.Errorf("another service provider: got %v, want %v", err, answer.ErrGone)
	}
	for range 2 {
		if values, err := take(id, "state", phone); values != "code=1" || err != nil {
			t.Errorf("got %q, %v", values, err)
		}
	}
	if _, err := take(id, "state", tablet); !errors.Is(err, answer.ErrGone) {
		t.Errorf("another browser: got %v, want %v", err, answer.ErrGone)
	}
	pass(answer.TTL)
	if _, err := take(id, "state", phone); !errors.Is(err, answer.ErrGone) {
		t.Errorf("too late: got %v, want %v", err, answer.ErrGone)
	}
}

// TestTheSweepForgetsAnswers that are over, or were stored before the time was set back.
func TestTheSweepForgetsAnswers(t *testing.T) {
	now := time.Date(2026, 1, 2, 20, 0, 0, 0, time.UTC)
	for left, forgets := range map[time.Duration]bool{time.Second: false, answer.TTL: false, 0: true, time.Hour: true} {
		state, err := proto.Marshal(&answer.State{NotAfterMs: now.Add(left).UnixMilli()})
		if err != nil {
			t.Fatal(err)
		}
		got := answer.Kind().Sweep(cluster.Head{Schema: 1, State: state}, actors.Times{Now: now, Confirmed: now})
		if (got != nil) != forgets {
			t.Errorf("with %v left: got %v", left, got)
		}
		if stays, err := answer.Restored(cluster.Head{Schema: 1, State: state}, nil); stays || err != nil {
			t.Errorf("restored: got %v, %v", stays, err)
		}
	}
}
