package keys

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ssod/cluster"
	"ssod/httpfront/token/keys/keystest"
)

// meeting is the store of two nodes that decide at the same time: the first
// update of either waits for the other's.
type meeting struct {
	*keystest.Store
	mu       sync.Mutex
	there    int
	both     chan struct{}
	refusals int
}

func (m *meeting) Update(ctx context.Context, table string, revision uint64, puts map[string][]byte, deletes []string) error {
	m.mu.Lock()
	if m.there++; m.there == 2 {
		close(m.both)
	}
	m.mu.Unlock()
	<-m.both
	err := m.Store.Update(ctx, table, revision, puts, deletes)
	if errors.Is(err, cluster.ErrRejected) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.refusals++
	}
	return err
}

// together lets two nodes do something on the same version of the table.
func (f *fixture) together(do func(*Ring) error) {
	f.t.Helper()
	var rings [2]*Ring
	m := &meeting{Store: f.store, both: make(chan struct{})}
	for i := range rings {
		f.open()
		rings[i] = f.Ring
		rings[i].store = m
	}
	var nodes sync.WaitGroup
	for _, r := range rings {
		nodes.Go(func() {
			if err := do(r); err != nil {
				f.t.Error(err)
			}
		})
	}
	nodes.Wait()
	if m.refusals == 0 { // they may meet again when one is refused
		f.t.Error("no update was refused: the nodes did not meet")
	}
	if diff := cmp.Diff(rings[0].List(), rings[1].List()); diff != "" {
		f.t.Errorf("the two nodes have different keys:\n%s", diff)
	}
}

// Two nodes that get a new configuration at once make its keys once: with two
// link-code keys, what one node stored the other would not find.
func TestTwoNodesMakeMissingKeysOnce(t *testing.T) {
	f := newFixture(t, configuration(realm("acme", HS256)))
	cfg := configuration(realm("acme", HS256), realm("new", HS256))
	f.together(func(r *Ring) error {
		f.cfg.Store(cfg)
		return r.KeepUp(t.Context())
	})
	for _, use := range []Use{Service, Media, LinkCode} {
		f.wantStates("both nodes are reloaded", use, Signing, Signing) // one per realm
	}
}

// Two nodes that rotate at once make two successors, one after another, and lose
// none.
func TestTwoNodesRotateAtOnce(t *testing.T) {
	f := newFixture(t, configuration(realm("acme", HS256)))
	o := Rotation{Realm: "acme", Use: Service}
	f.together(func(r *Ring) error {
		_, err := r.Rotate(t.Context(), o)
		return err
	})
	f.keepUp()
	f.wantStates("both nodes rotated", Service, Retired, Retired, Signing)
	for i, s := range f.snapshot().groups[groupID{Service, "acme"}].slots {
		if s.number != int64(i+1) {
			t.Errorf("key %d has number %d", i+1, s.number)
		}
	}
}

// The limit of keys holds over all nodes.
func TestTwoNodesKeepTheLimitOfKeys(t *testing.T) {
	f := newFixture(t, configuration(realm("acme", HS256)))
	o := Rotation{Realm: "acme", Use: Service}
	for range MaxKeys - 2 {
		f.rotate(o)
	}
	var full int
	var mu sync.Mutex
	f.together(func(r *Ring) error {
		_, err := r.Rotate(t.Context(), o)
		mu.Lock()
		defer mu.Unlock()
		if errors.Is(err, ErrTooManyKeys) {
			full++
			return nil
		}
		return err
	})
	f.keepUp()
	if got := len(f.states(Service)); full != 1 || got != MaxKeys {
		t.Errorf("%d rotations were refused and there are %d keys, want 1 and %d", full, got, MaxKeys)
	}
}

// Two nodes that revoke the same key at once put one key in its place.
func TestTwoNodesRevokeTheSameKey(t *testing.T) {
	f := newFixture(t, configuration(realm("acme", HS256)))
	id := f.signing(Service, "acme").id
	f.together(func(r *Ring) error { return r.Revoke(t.Context(), id) })
	f.wantStates("both nodes revoked", Service, Revoked, Signing)
}
