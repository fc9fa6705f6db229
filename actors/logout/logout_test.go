package logout_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ssod/actors"
	"ssod/actors/logout"
	"ssod/cluster"
	"ssod/cluster/faulty"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start starts a runtime whose clock the test moves.
func start(t *testing.T, o faulty.Options) (c logout.Client, wait func(time.Duration)) {
	t.Helper()
	var ahead time.Duration
	o.Clock = func() time.Time { return time.Now().Add(ahead) }
	shards := faulty.New(o).Node("a:1")
	r, err := actors.Start(actors.Config{Shards: shards, Slots: shards.Slots, Self: "a:1", Kinds: []actors.Kind{logout.Kind()}})
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
	return logout.Client{Asker: r}, func(d time.Duration) { ahead += d }
}

var (
	id     = logout.ID{ServiceProvider: "tv", Secret: "secret"}
	create = &logout.Create{Mvpd: "cable", Account: []byte("account"), RedirectUrl: "https://tv.example/", TtlMs: time.Hour.Milliseconds()}
)

// The whole way, with commits of unknown outcome in it: each request is
// repeated with its id until its outcome is known.
func TestAFarewellIsUsedOnce(t *testing.T) {
	c, _ := start(t, faulty.Options{Commits: faulty.Script(faulty.UnknownDone, faulty.UnknownDone)})
	if _, err := c.Back(t.Context(), cluster.RequestID{1}, id); !errors.Is(err, logout.ErrUsed) {
		t.Errorf("back from nowhere: got %v", err)
	}
	if err := c.Create(t.Context(), cluster.RequestID{2}, id, create); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Back(t.Context(), cluster.RequestID{3}, id); !errors.Is(err, logout.ErrUsed) {
		t.Errorf("back before it was used: got %v", err)
	}
	mvpd, account, err := c.Take(t.Context(), cluster.RequestID{4}, id)
	if err != nil || mvpd != "cable" || string(account) != "account" {
		t.Errorf("take: got %q, %q, %v", mvpd, account, err)
	}
	if _, _, err := c.Take(t.Context(), cluster.RequestID{5}, id); !errors.Is(err, logout.ErrUsed) {
		t.Errorf("take again: got %v", err)
	}
	for n := range byte(2) {
		if to, err := c.Back(t.Context(), cluster.RequestID{6, n}, id); err != nil || to != create.RedirectUrl {
			t.Errorf("back: got %q, %v", to, err)
		}
	}
}

func TestAFarewellEnds(t *testing.T) {
	c, wait := start(t, faulty.Options{})
	if err := c.Create(t.Context(), cluster.RequestID{1}, id, create); err != nil {
		t.Fatal(err)
	}
	wait(time.Hour)
	if _, _, err := c.Take(t.Context(), cluster.RequestID{2}, id); !errors.Is(err, logout.ErrUsed) {
		t.Errorf("take after its time: got %v", err)
	}
}
