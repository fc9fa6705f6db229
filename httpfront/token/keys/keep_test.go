package keys

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"ssod/httpfront/config"
	"ssod/httpfront/token/keys/keystest"
)

// soon waits for what comes without the test's doing.
func soon(condition func() bool) {
	for !condition() {
		runtime.Gosched()
	}
}

// wantProgress checks how many of the keys that take long are there.
func (f *fixture) wantProgress(when string, made, wanted int) {
	f.t.Helper()
	if p := f.Progress(); p != (Progress{made, wanted}) {
		f.t.Errorf("%s: %d of %d keys are made, want %d of %d", when, p.Made, p.Wanted, made, wanted)
	}
}

// A ring opens without the keys of realms that take long to make; what is signed
// with others is signed at once.
func TestOpeningDoesNotWaitForKeysOfRealms(t *testing.T) {
	gate := gated(t)
	gate <- struct{}{} // that of software statements
	f := newLazyFixture(t, configuration(realm("acme", HS256), realm("pub", RS256)))
	f.wantProgress("opened", 0, 3)
	if err := f.verify(f.realm(), f.mint(f.realm())); err != nil {
		t.Error(err)
	}
	if _, err := f.SignStatement([]byte(`{}`), begin); err != nil {
		t.Error(err)
	}
}

// A key set has every key that the configuration asks for. One that lacks some, for
// want of time, says so; one that lacks all is none.
func TestAKeySetIsCompletedFirst(t *testing.T) {
	gate := gated(t)
	gate <- struct{}{}
	f := newLazyFixture(t, configuration(realm("pub", RS256)))
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := f.JWKS(over, "pub"); !errors.Is(err, ErrNotYet) {
		t.Errorf("without any key: got %v, want ErrNotYet", err)
	}
	gate <- struct{}{} // whichever of the two is made first
	soon(func() bool { return f.Progress().Made == 1 })
	document, complete, err := f.JWKS(over, "pub")
	if err != nil || complete || string(document) == noKeys {
		t.Errorf("with one of two keys: %s, complete %t, %v", document, complete, err)
	}
	gate <- struct{}{}
	if document, complete, err = f.JWKS(t.Context(), "pub"); err != nil || !complete {
		t.Errorf("with both keys: %s, complete %t, %v", document, complete, err)
	}
	f.expectJWKS(t, "pub", f.signing(Service, "pub"), f.signing(Media, "pub"))
}

// A key that a request needs is made at once, once for all who wait for it, and not
// given up with the first of them.
func TestAKeyIsMadeWhenItIsNeeded(t *testing.T) {
	gate := gated(t)
	gate <- struct{}{}
	f := newLazyFixture(t, configuration(realm("acme", HS256), realm("other", HS256)))
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.AwaitMedia(over, "acme"); !errors.Is(err, ErrNotYet) || errors.Is(err, context.Canceled) {
		t.Errorf("without time: got %v, want ErrNotYet", err)
	}
	var waiting sync.WaitGroup
	for range 8 {
		waiting.Go(func() {
			if err := f.AwaitMedia(t.Context(), "acme"); err != nil {
				t.Error(err)
			}
		})
	}
	gate <- struct{}{}
	waiting.Wait()
	f.wantProgress("needed", 1, 2)
	if _, err := f.SignMedia("acme", "x", begin); err != nil {
		t.Error(err)
	}
	f.expectJWKS(t, "acme", f.signing(Media, "acme"))
	if err := f.AwaitMedia(t.Context(), "nobody"); !errors.Is(err, errNoKey) {
		t.Errorf("an unknown realm: got %v, want errNoKey", err)
	}
	if err := f.AwaitService(t.Context(), f.realm()); err != nil {
		t.Error(err)
	}
}

// Who looked just before the key was published has no other one made.
func TestAKeyThatIsThereIsNotMadeAgain(t *testing.T) {
	gate := gated(t)
	gate <- struct{}{} // for the key of statements
	gate <- struct{}{}
	f := newLazyFixture(t, configuration(realm("acme", HS256)))
	if err := f.AwaitMedia(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	want, _ := f.snapshot().wants.find(groupID{Media, "acme"})
	if err := f.makeNow(want); err != nil {
		t.Errorf("got %v, want that nothing is made", err)
	}
}

// A key that cannot be kept is an error for who waits, not a key.
func TestANeededKeyThatCannotBeKept(t *testing.T) {
	f := newLazyFixture(t, configuration(realm("acme", RS256)))
	f.store.Fail(errors.New("no majority"))
	if err := f.AwaitService(t.Context(), f.realm()); !errors.Is(err, ErrNotYet) || !strings.Contains(err.Error(), "no majority") {
		t.Errorf("got %v, want ErrNotYet and the reason", err)
	}
	f.store.Fail(nil)
	if err := f.AwaitService(t.Context(), f.realm()); err != nil {
		t.Error(err)
	}
}

// Nobody waits for a key that is being made when the node stops.
func TestMakingKeysObeysAStop(t *testing.T) {
	gate := gated(t)
	gate <- struct{}{}
	f := newLazyFixture(t, configuration(realm("acme", HS256), realm("other", HS256)))
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	work.Go(func() {
		if err := f.KeepUp(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("keeper: got %v, want context.Canceled", err)
		}
	})
	work.Go(func() {
		if err := f.AwaitMedia(context.Background(), "other"); !errors.Is(err, ErrNotYet) {
			t.Errorf("request: got %v, want ErrNotYet", err)
		}
	})
	soon(func() bool { return f.flights.waiting.Load() > 0 }) // both have begun, or will find that they are too late
	cancel()
	f.Close()
	work.Wait()
}

// A request that waits for a key that the keeper makes ends its round early: the key
// is published without waiting for others.
func TestTheKeeperPublishesWhatIsWaitedFor(t *testing.T) {
	gate := gated(t)
	gate <- struct{}{}
	var realms []*config.Realm
	for i := range 20 {
		realms = append(realms, realm(fmt.Sprint("r", i), HS256))
	}
	f := newLazyFixture(t, configuration(realms...))
	ctx, cancel := context.WithCancel(t.Context())
	var keeper sync.WaitGroup
	keeper.Go(func() { _ = f.KeepUp(ctx) })
	defer keeper.Wait()
	defer cancel()
	soon(func() bool { // the keeper makes the first one
		f.flights.mu.Lock()
		defer f.flights.mu.Unlock()
		return f.flights.of[groupID{Media, "r0"}] != nil
	})
	var request sync.WaitGroup
	request.Go(func() {
		if err := f.AwaitMedia(t.Context(), "r0"); err != nil {
			t.Error(err)
		}
	})
	soon(func() bool { return f.flights.waiting.Load() > 0 })
	gate <- struct{}{} // and no other one
	request.Wait()
}

// The node that leads keeps the keys; the others make what requests need.
func TestOneNodeKeepsTheKeys(t *testing.T) {
	f := newLazyFixture(t, configuration(realm("acme", HS256), realm("other", HS256)))
	var leads, asked atomic.Bool
	f.leads = func() bool { asked.Store(true); return leads.Load() }
	ctx, cancel := context.WithCancel(t.Context())
	var keeper sync.WaitGroup
	keeper.Go(func() { f.Keep(ctx) })
	defer keeper.Wait()
	defer cancel()
	soon(asked.Load)
	f.wantProgress("not leading", 0, 2)
	if err := f.AwaitMedia(t.Context(), "acme"); err != nil {
		t.Error(err)
	}
	f.wantProgress("needed", 1, 2)
	leads.Store(true)
	r, err := f.Rotate(t.Context(), Rotation{Use: Access}) // which it hears of
	if err != nil {
		t.Fatal(err)
	}
	if !f.AwaitRotated(t.Context(), r.ID) {
		t.Fatal("the rotation goes on")
	}
	f.wantProgress("leading", 2, 2)
	f.wantStates("rotated", Access, Retired, Signing)
}

// A rotation goes on after a restart, and under another leader.
func TestARotationGoesOnAfterARestart(t *testing.T) {
	f := newFixture(t, configuration(realm("acme", HS256), realm("other", RS256)))
	r, err := f.Rotate(t.Context(), Rotation{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Keys != 9 || r.Slow != 4 || r.Done {
		t.Errorf("the rotation is of %+v", r)
	}
	f.wantProgress("ordered", 3, 12)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if f.AwaitRotated(over, r.ID) {
		t.Error("it is done before it has begun")
	}
	f.lazy = true
	f.open()
	f.wantProgress("opened again", 3, 12)
	f.keepUp()
	if !f.AwaitRotated(t.Context(), r.ID) {
		t.Error("it goes on although nothing is left")
	}
	f.wantProgress("done", 3, 3)
	f.wantStates("done", Media, Retired, Signing, Retired, Signing)
}

func TestRotationsAreBounded(t *testing.T) {
	f := newFixture(t, configuration(realm("acme", HS256)))
	for range maxOrders {
		if _, err := f.Rotate(t.Context(), Rotation{Use: Client}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.Rotate(t.Context(), Rotation{Use: Client}); !errors.Is(err, ErrRotating) {
		t.Errorf("got %v, want ErrRotating", err)
	}
	f.keepUp()
	if got := len(f.states(Client)); got != 1+maxOrders {
		t.Errorf("%d keys after %d rotations", got, maxOrders)
	}
}

// Two nodes that need the same key at once get one.
func TestTwoNodesNeedTheSameKey(t *testing.T) {
	f := newLazyFixture(t, configuration(realm("acme", HS256)))
	f.together(func(r *Ring) error { return r.AwaitMedia(t.Context(), "acme") })
	f.wantStates("both nodes have it", Media, Signing)
}

// bounded is a store that takes so many records at once.
type bounded struct {
	*keystest.Store
	most int
}

func (b *bounded) Update(ctx context.Context, table string, revision uint64, puts map[string][]byte, deletes []string) error {
	if len(puts) > b.most {
		return fmt.Errorf("%d records at once", len(puts))
	}
	return b.Store.Update(ctx, table, revision, puts, deletes)
}

// However many realms there are, a change of the table fits into a message.
func TestKeysOfManyRealms(t *testing.T) {
	f := &fixture{t: t, lazy: true, store: &keystest.Store{}}
	var realms []*config.Realm
	for i := range 300 {
		realms = append(realms, realm(fmt.Sprint("r", i), HS256))
	}
	f.cfg.Store(configuration(realms...))
	f.at(begin)
	o := f.options()
	o.Store = &bounded{f.store, batch}
	r, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	f.Ring = r
	f.wantProgress("opened", 0, 300)
	if got := len(f.List()); got != 3+3*300 {
		t.Errorf("%d keys, want those of 300 realms", got)
	}
}
