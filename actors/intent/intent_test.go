package intent

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/cluster"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	start = time.Date(2026, 1, 2, 20, 0, 0, 0, time.UTC)
	maker = actors.Address{Kind: "maker", Identity: actors.Identity{"m", "\xff\x00"}}
)

func place(name string) *Place {
	return At(actors.Address{Kind: name, Identity: actors.Identity{name}})
}

// promised are intents for targets, in their order.
func promised(request byte, targets ...string) []*Intent {
	p := &Promises{Request: cluster.RequestID{request}, At: actors.Times{Now: start, Confirmed: start}}
	for _, to := range targets {
		p.Add(place(to), &Resume{})
	}
	return p.Made()
}

func TestAPlaceIsAnAddress(t *testing.T) {
	if got := At(maker).Address(); got.Entity() != maker.Entity() {
		t.Errorf("got %v, want %v", got, maker)
	}
}

// The same decision taken again makes the same intents, another one others.
func TestIDsFollowFromTheRequest(t *testing.T) {
	first, again, other := promised(1, "a", "b"), promised(1, "a", "b"), promised(2, "a", "b")
	seen := map[string]bool{}
	for i := range first {
		if string(first[i].Id) != string(again[i].Id) {
			t.Errorf("intent %d has two ids", i)
		}
		seen[string(first[i].Id)], seen[string(other[i].Id)] = true, true
	}
	if len(seen) != 4 {
		t.Errorf("%d ids for 4 intents", len(seen))
	}
}

func TestWithoutAndOverdue(t *testing.T) {
	open := promised(1, "a", "b", "c")
	left := Without(open, &Settle{Id: [][]byte{open[1].Id, []byte("unknown")}})
	if len(left) != 2 || left[0] != open[0] || left[1] != open[2] || len(open) != 3 {
		t.Errorf("left %v of %v", left, open)
	}
	for after, want := range map[time.Duration]bool{0: false, grace - time.Millisecond: false, grace: true} {
		if got := Overdue(open, start.Add(after)); got != want {
			t.Errorf("overdue after %v: got %v", after, got)
		}
	}
	if Overdue(nil, start.Add(time.Hour)) {
		t.Error("nothing is overdue")
	}
}

// world answers asks: what entities promise in turn, and who fails.
type world struct {
	mu      sync.Mutex
	answers map[string]proto.Message // by kind
	fails   map[string]bool
	asked   []string
	settled map[string]int // by kind of the maker
	hold    chan struct{}  // asks wait for it, when set
}

func (w *world) Ask(ctx context.Context, to actors.Address, _ cluster.RequestID, _ uint32, _ proto.Message) (proto.Message, error) {
	if w.hold != nil {
		select {
		case <-w.hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, to.Kind)
	if w.fails[to.Kind] {
		return nil, actors.ErrUnavailable
	}
	if a := w.answers[to.Kind]; a != nil {
		return a, nil
	}
	return &ResumeReply{}, nil
}

func (w *world) Tell(to actors.Address, _ cluster.RequestID, _ uint32, m proto.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.settled[to.Kind] += len(m.(*Settle).Id)
}

func (w *world) count() int { w.mu.Lock(); defer w.mu.Unlock(); return len(w.asked) }

func newWorld() *world {
	return &world{answers: map[string]proto.Message{}, fails: map[string]bool{}, settled: map[string]int{}}
}

// chained is an answer with further intents.
type chained struct {
	proto.Message
	open []*Intent
}

func (c chained) GetOpen() []*Intent { return c.open }

// What follows from an intent is carried out before it is settled; what fails
// stays open and takes its maker's along, and the rest goes on.
func TestRun(t *testing.T) {
	w := newWorld()
	w.answers["a"] = chained{&ResumeReply{}, promised(2, "a1")}
	w.answers["b"] = chained{&ResumeReply{}, promised(3, "b1")}
	w.fails["b1"] = true
	err := Run(t.Context(), w, maker, promised(1, "a", "b", "c"))
	if !errors.Is(err, actors.ErrUnavailable) {
		t.Errorf("got %v, want %v", err, actors.ErrUnavailable)
	}
	if got := [...]int{w.settled["maker"], w.settled["a"], w.settled["b"], w.count()}; got != [...]int{2, 1, 0, 5} {
		t.Errorf("settled by maker, a, b, and asked: got %v, want [2 1 0 5]", got)
	}
}

// An intent whose target is busy stays open.
func TestATargetMayBeBusy(t *testing.T) {
	w := newWorld()
	w.answers["a"] = &ForgetReply{Busy: true}
	if err := Run(t.Context(), w, maker, promised(1, "a", "b")); !errors.Is(err, actors.ErrOverloaded) || w.settled["maker"] != 1 {
		t.Errorf("got %v, settled %d, want %v and 1", err, w.settled["maker"], actors.ErrOverloaded)
	}
}

func TestRunDoesNotGoRoundForEver(t *testing.T) {
	w := newWorld()
	w.answers["a"] = chained{&ResumeReply{}, promised(2, "b")}
	w.answers["b"] = chained{&ResumeReply{}, promised(3, "a")}
	if err := Run(t.Context(), w, maker, promised(1, "a")); err != nil || w.count() != maxDepth {
		t.Errorf("asked %d times, %v; want %d", w.count(), err, maxDepth)
	}
}

func TestCommandsOfAnotherVersionStayOpen(t *testing.T) {
	open := promised(1, "a")
	open[0].Command.TypeUrl = "type.googleapis.com/ssod.Later"
	w := newWorld()
	if err := Run(t.Context(), w, maker, open); err == nil || w.settled["maker"] != 0 {
		t.Errorf("got %v, settled %d", err, w.settled["maker"])
	}
}

// A courier works for a maker once at a time, for a bounded number of them, and
// not before it is started or after it is closed.
func TestCourier(t *testing.T) {
	w := newWorld()
	c := NewCourier()
	c.Take(maker, promised(1, "a"))
	w.hold = make(chan struct{})
	c.Start(w)
	for range 3 {
		c.Take(maker, promised(1, "a"))
	}
	for i := range maxRunning + 5 {
		c.Take(actors.Address{Kind: "crowd", Identity: actors.Identity{string(rune('a' + i))}}, promised(2, "b"))
	}
	close(w.hold)
	for deadline := time.Now().Add(2 * time.Minute); w.count() < maxRunning; {
		if time.Now().After(deadline) {
			t.Fatalf("asked %d times, want %d", w.count(), maxRunning)
		}
	}
	c.Close()
	c.Take(maker, promised(3, "a"))
	c.Start(w)
	c.Take(maker, promised(3, "a"))
	if got := w.count(); got != maxRunning {
		t.Errorf("asked %d times, want %d", got, maxRunning)
	}
}

// Close ends what waits.
func TestCloseDoesNotWaitForTheWorld(t *testing.T) {
	w := newWorld()
	w.hold = make(chan struct{})
	c := NewCourier()
	c.Start(w)
	c.Take(maker, promised(1, "a"))
	c.Close()
	if w.settled["maker"] != 0 {
		t.Error("settled what was not done")
	}
}
