package keys

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"ssod/httpfront/token/keys/keystest"
	"ssod/httpfront/token/keys/sealing"
)

// house is nodes of one cluster, with a ring each on the same store.
type house struct {
	*fixture
	mu      sync.Mutex
	members []sealing.Member
	secret  [][]byte
}

// newHouse has one node, with all its keys.
func newHouse(t *testing.T) *house {
	h := &house{fixture: &fixture{t: t, store: &keystest.Store{}}, secret: [][]byte{[]byte("the secret")}}
	h.cfg.Store(configuration(realm("acme", HS256), realm("other", RS256)))
	h.at(begin)
	pool.mu.Lock()
	pool.next = 0
	pool.mu.Unlock()
	h.Ring = h.enter(1)
	h.keepUp()
	return h
}

// node is with what a node opens its ring. It is a member from now on.
func (h *house) node(id uint64) Options {
	h.mu.Lock()
	defer h.mu.Unlock()
	for uint64(len(h.members)) < id {
		n := len(h.members) + 1
		h.members = append(h.members, sealing.Member{ID: uint64(n), Name: fmt.Sprint("n", n)})
	}
	o := h.options()
	o.Sealing = sealing.Options{
		Key: bytes.Repeat([]byte{byte(id)}, sealing.KeySize), Cluster: "c1", Self: h.members[id-1],
		Members: func() []sealing.Member {
			h.mu.Lock()
			defer h.mu.Unlock()
			return append([]sealing.Member(nil), h.members...)
		},
		Secret: func() [][]byte {
			h.mu.Lock()
			defer h.mu.Unlock()
			return h.secret
		},
	}
	return o
}

// enter opens the ring of a node that has its keys, or gets them at once.
func (h *house) enter(id uint64) *Ring {
	h.t.Helper()
	o := h.node(id)
	r, err := Open(context.Background(), o)
	if errors.Is(err, sealing.ErrNoCopy) && h.Ring != nil {
		h.tend(h.Ring)
		r, err = Open(context.Background(), o)
	}
	if err != nil {
		h.t.Fatalf("node %d: %v", id, err)
	}
	h.t.Cleanup(r.Close)
	return r
}

func (h *house) remove(id uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.members[id-1].Removed = true
}

// tend does all that there is to do, and counts the steps.
func (h *house) tend(r *Ring) (steps int) {
	h.t.Helper()
	for {
		done, err := r.tendSealing(h.t.Context(), turn{mine: true, reseals: true})
		if err != nil {
			h.t.Fatal(err)
		}
		if done {
			return steps
		}
		if steps++; steps > 1000 {
			h.t.Fatal("it never ends")
		}
	}
}

// wantAll checks that a ring can use every key, and that all are sealed under the key
// of that number alone.
func (h *house) wantAll(what string, r *Ring, number uint64) {
	h.t.Helper()
	h.wantKeys(what, r)
	p := r.Sealing()
	if !p.Done() || p.Current != number || p.Sealed != 3+2*4 {
		h.t.Errorf("%s: got %+v, want all under key %d", what, p, number)
	}
	if !bytes.Equal(r.LinkCodeKey("acme"), h.LinkCodeKey("acme")) {
		h.t.Errorf("%s: the link-code key is another", what)
	}
}

// wantKeys checks that a ring can use every key.
func (h *house) wantKeys(what string, r *Ring) {
	h.t.Helper()
	if got, want := len(r.List()), 3+2*4; got != want {
		h.t.Errorf("%s: %d keys can be used, want %d", what, got, want)
	}
}

// stored is the table as it is now.
func (h *house) stored() map[string][]byte { return maps.Collect(h.store.All(Table)) }

// thief opens whatever it can with the private key of a node and what a store had when
// the node was removed.
func (h *house) thief(id uint64, had, later map[string][]byte) (opened int) {
	o := h.node(id).Sealing
	old, err := sealing.Read(maps.All(had), &o, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	late, err := sealing.Read(maps.All(later), &o, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	for key, raw := range later {
		if sealing.IsRecord(key) {
			continue
		}
		for _, view := range []*sealing.View{old, late} {
			if _, err := openKey(view, key, raw); err == nil {
				opened++
				break
			}
		}
	}
	return opened
}

// A node that joins waits until another one has sealed the keys to it.
func TestANodeThatJoinsGetsTheKeys(t *testing.T) {
	h := newHouse(t)
	o := h.node(2)
	for range 2 {
		if _, err := Open(t.Context(), o); !errors.Is(err, sealing.ErrNoCopy) {
			t.Fatalf("before anybody has sealed the keys: got %v, want ErrNoCopy", err)
		}
	}
	if p := h.Sealing(); p.Done() || len(p.Waiting) != 1 || p.Waiting[0] != "n2" {
		t.Errorf("got %+v, want that n2 waits", p)
	}
	if steps := h.tend(h.Ring); steps != 1 {
		t.Errorf("%d steps, want 1", steps)
	}
	h.wantAll("the node that joined", h.enter(2), 1)
}

// After a removal nothing that is stored opens with what the removed node had.
func TestTheSealingKeyOfARemovedNodeOpensNothing(t *testing.T) {
	h := newHouse(t)
	second, third := h.enter(2), h.enter(3)
	had := h.stored()
	if got := h.thief(3, had, h.stored()); got != 11 {
		t.Fatalf("before the removal its node opens %d keys, want 11", got)
	}
	h.remove(3)
	if p := h.Sealing(); p.Done() || !p.Due {
		t.Errorf("got %+v, want that a new key is due", p)
	}
	h.tend(h.Ring)
	h.wantAll("the node that changed it", h.Ring, 2)
	h.wantAll("another node", second, 2)
	if got := h.thief(3, had, h.stored()); got != 0 {
		t.Errorf("after the change the removed node opens %d keys", got)
	}
	h.rotate(Rotation{Realm: "acme", Use: Service})
	if got := h.thief(3, had, h.stored()); got != 0 {
		t.Errorf("the removed node opens %d keys that were made later", got)
	}
	// A ring that stays open sees that it has no key, and goes on with what it knows.
	if got := len(third.snapshot().byID); got != 11 {
		t.Errorf("a running ring without a copy forgot keys: has %d, want 11", got)
	}
}

// Keys are sealed again some at a time, and the old key stays until none is left.
func TestKeysAreSealedAgainInParts(t *testing.T) {
	defer func(all int) { resealed = all }(resealed)
	resealed = 2
	h := newHouse(t)
	h.enter(2)
	h.remove(2)
	left, seen := -1, 0
	for range 100 {
		done, err := h.tendSealing(t.Context(), turn{mine: true, reseals: true})
		if err != nil {
			t.Fatal(err)
		}
		p := h.Sealing()
		if p.Outdated > 0 && p.Older == 0 {
			t.Fatalf("the old key is gone, which %d keys need", p.Outdated)
		}
		if left >= 0 && left-p.Outdated > resealed {
			t.Errorf("%d keys were sealed again at once, want %d", left-p.Outdated, resealed)
		}
		if left = p.Outdated; left > 0 {
			seen++
		}
		if len(h.List()) != 11 {
			t.Fatal("a key cannot be used meanwhile")
		}
		if done {
			break
		}
	}
	if seen < 4 {
		t.Errorf("%d steps left something to do, want 4 or more", seen)
	}
	h.wantAll("at the end", h.Ring, 2)
}

// When the cluster secret changes each node proves itself by the new one, so that it
// gets keys when the old one is none any more. One that comes too late gets them when it
// has proven itself.
func TestNodesProveThemselvesByTheNewSecret(t *testing.T) {
	h := newHouse(t)
	second, third := h.enter(2), h.enter(3)
	h.enter(4)
	set := func(secret ...string) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.secret = nil
		for _, s := range secret {
			h.secret = append(h.secret, []byte(s))
		}
	}
	set("a newer one", "the secret")
	for _, r := range []*Ring{h.Ring, second} {
		if _, err := r.tendSealing(t.Context(), turn{}); err != nil {
			t.Fatal(err)
		}
	}
	set("a newer one")
	h.remove(4)
	if _, err := h.tendSealing(t.Context(), turn{mine: true, reseals: true}); err != nil {
		t.Fatal(err)
	}
	if p := h.Sealing(); p.Current != 2 || fmt.Sprint(p.Unproven) != "[n3]" {
		t.Fatalf("got %+v, want that n3 alone is not proven", p)
	}
	h.tend(h.Ring)
	h.wantKeys("the node that was too late", third)
	if _, err := third.tendSealing(t.Context(), turn{}); err != nil {
		t.Fatal(err)
	}
	h.tend(h.Ring)
	for i, r := range []*Ring{h.Ring, second, third} {
		h.wantAll(fmt.Sprint("node ", i+1), r, 2)
	}
}

// The sealing key of a record that does not open stays: the record may have been read
// wrong, and it is nobody's to give up.
func TestARecordThatDoesNotOpenKeepsItsSealingKey(t *testing.T) {
	h := newHouse(t)
	h.enter(2)
	id := h.signing(Service, "acme").id
	h.tamper(id, id, func(r *Record) { r.Sealed[20] ^= 1 })
	h.remove(2)
	h.tend(h.Ring)
	if p := h.Sealing(); p.Done() || p.Current != 2 || p.Older != 1 || p.Outdated != 1 || p.Sealed != 11 {
		t.Errorf("got %+v, want one key under an older one, which is still there", p)
	}
}

// fragile is a store whose node dies at one of its updates: before it is made, or
// after, without its answer.
type fragile struct {
	*keystest.Store
	at   int
	made bool
	died bool
}

var errDied = errors.New("killed")

func (f *fragile) Update(ctx context.Context, table string, revision uint64, puts map[string][]byte, deletes []string) error {
	if f.died {
		return errDied
	}
	if f.at--; f.at > 0 {
		return f.Store.Update(ctx, table, revision, puts, deletes)
	}
	f.died = true
	if f.made {
		if err := f.Store.Update(ctx, table, revision, puts, deletes); err != nil {
			return err
		}
	}
	return errDied
}

// Whenever the node that changes the sealing key dies, and whether or not its last
// step was made, another one ends what it began, and no key is lost.
func TestTheChangeOfTheSealingKeySurvivesItsNode(t *testing.T) {
	defer func(all int) { resealed = all }(resealed)
	resealed = 4
	for _, made := range []bool{false, true} {
		for at, ended := 1, false; !ended; at++ {
			t.Run(fmt.Sprintf("update %d, made: %v", at, made), func(t *testing.T) {
				h := newHouse(t)
				h.enter(2)
				h.enter(3)
				had := h.stored()
				h.remove(3)
				dying := &fragile{Store: h.store, at: at, made: made}
				o := h.node(1)
				o.Store = dying
				r, err := Open(t.Context(), o)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(r.Close)
				for !ended && !dying.died {
					if ended, err = r.tendSealing(t.Context(), turn{mine: true, reseals: true}); err != nil && !dying.died {
						t.Fatal(err)
					}
				}
				heir := h.enter(2) // started again in between
				h.tend(heir)
				h.wantAll("who went on", heir, 2)
				h.wantAll("who was there before", h.Ring, 2)
				h.wantAll("who died and is back", h.enter(1), 2)
				if got := h.thief(3, had, h.stored()); got != 0 {
					t.Errorf("the removed node opens %d keys", got)
				}
			})
			if at > 20 {
				t.Fatal("it never ends")
			}
		}
	}
}

// A node that was down meanwhile has the new key when it is back, and so has one that
// joins in the middle.
func TestANodeThatWasAwayWhileTheSealingKeyChanged(t *testing.T) {
	h := newHouse(t)
	h.enter(2).Close()
	h.enter(3)
	h.remove(3)
	if done, err := h.tendSealing(t.Context(), turn{mine: true}); err != nil || done {
		t.Fatalf("the first step: done %v, %v", done, err)
	}
	if p := h.Sealing(); p.Current != 2 || p.Outdated != 11 {
		t.Fatalf("in the middle: got %+v, want all keys under an older one", p)
	}
	joined := h.enter(4)
	h.tend(h.Ring)
	h.wantAll("the node that joined in the middle", joined, 2)
	h.wantAll("the node that is back", h.enter(2), 2)
}

// A directory that is older than the change opens: its keys are in it.
func TestAnOlderDirectoryOpens(t *testing.T) {
	h := newHouse(t)
	h.enter(2)
	older := &keystest.Store{}
	if err := older.Change(t.Context(), Table, h.stored(), nil); err != nil {
		t.Fatal(err)
	}
	h.remove(2)
	h.tend(h.Ring)
	o := h.node(1)
	o.Store = older
	r, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	if len(r.List()) != 11 {
		t.Errorf("%d keys can be used, want 11", len(r.List()))
	}
}

// A node that has not heard of the new sealing key makes no key under the old one.
func TestNoKeyIsMadeUnderAnOldSealingKey(t *testing.T) {
	h := newHouse(t)
	second := h.enter(2)
	h.enter(3)
	h.remove(3)
	m := &meeting{Store: h.store, both: make(chan struct{})}
	second.store, h.Ring.store = m, m
	var nodes sync.WaitGroup
	nodes.Go(func() {
		if _, err := h.tendSealing(t.Context(), turn{mine: true}); err != nil {
			t.Error(err)
		}
	})
	nodes.Go(func() { // decided before it knows of the new key
		id := second.snapshot().groups[groupID{Service, "acme"}].signing(begin).id
		if err := second.Revoke(t.Context(), id); err != nil {
			t.Error(err)
		}
	})
	nodes.Wait()
	h.tend(h.Ring)
	if p := h.Sealing(); !p.Done() || p.Current != 2 || len(second.List()) != 12 {
		t.Errorf("got %+v and %d keys, want all 12 under key 2", p, len(second.List()))
	}
	if m.refusals == 0 {
		t.Error("no update was refused: the nodes did not meet")
	}
}

// The node that leads the table may itself wait for a key: another one seals it then.
func TestOthersActWhenTheLeaderDoesNot(t *testing.T) {
	h := newHouse(t)
	o := h.node(1)
	o.Leads = func() bool { return false }
	r, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	ctx, cancel := context.WithCancel(t.Context())
	var keeping sync.WaitGroup
	keeping.Go(func() { r.Keep(ctx) })
	defer keeping.Wait()
	defer cancel()
	if _, err := Open(t.Context(), h.node(2)); !errors.Is(err, sealing.ErrNoCopy) {
		t.Fatalf("got %v, want ErrNoCopy", err)
	}
	for {
		news := h.news.wait()
		if len(h.Sealing().Waiting) == 0 {
			break
		}
		select {
		case <-news:
		case <-time.After(time.Minute):
			t.Fatal("nobody has sealed the keys for a minute")
		}
	}
}
