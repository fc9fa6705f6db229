package transport_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"ssod/cluster/transport"
	"ssod/persistence"
)

// started gives a node its starts, and how much of its data is on disk.
func started(b persistence.Boots, durable uint64) option {
	return func(c *transport.Config) {
		c.Boots, c.Durable = b, func() uint64 { return durable }
	}
}

// confirmed are starts of which the first is confirmed.
func confirmed(number uint64, incarnations ...uint64) persistence.Boots {
	return persistence.Boots{
		Confirmed: persistence.Boot{Number: number, Incarnation: incarnations[0]},
		Number:    number + uint64(len(incarnations)) - 1, Incarnations: incarnations[1:],
	}
}

// hearing passes on what a node hears of itself.
func hearing(outdated chan error, copied chan string) option {
	return func(c *transport.Config) {
		c.Outdated = func(_ transport.Peer, why error) { offer(outdated, why) }
		c.Copied = func(_ transport.Peer, addr string) { offer(copied, addr) }
	}
}

func offer[T any](c chan T, v T) {
	select {
	case c <- v:
	default:
	}
}

// TestDataThatWentBackIsRefused: node 2 was here with its second start, of
// incarnation 2, and had a hundred writes on its disk.
func TestDataThatWentBackIsRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		boots   persistence.Boots
		durable uint64
		want    error
	}{
		"the next start":                        {confirmed(1, 1, 2, 3), 100, nil},
		"the next start, this one confirmed":    {confirmed(2, 2, 3), 120, nil},
		"a later start, others confirmed since": {confirmed(7, 70, 80), 700, nil},
		"a copy from before that start":         {confirmed(1, 1, 3), 100, transport.ErrOlder},
		"such a copy, started often":            {confirmed(1, 1, 3, 4, 5, 6), 300, transport.ErrOlder},
		"a copy from two starts before":         {confirmed(1, 1), 50, transport.ErrOlder},
		"a copy made while that one ran":        {confirmed(1, 1, 2, 3), 99, transport.ErrOlder},
	} {
		t.Run(name, func(t *testing.T) {
			a, before := start(t, 1), start(t, 2, started(confirmed(1, 1, 2), 100))
			know(t, before, a.peer)
			connected(t, before, 1)
			before.Close()
			outdated := make(chan error, 1)
			now := start(t, 2, started(tt.boots, tt.durable), hearing(outdated, nil))
			know(t, now, a.peer)
			if tt.want == nil {
				connected(t, now, 1)
				return
			}
			if err := receive(t, "a refusal", outdated); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if now.Introduced() || now.status(1).Connected {
				t.Error("it takes part all the same")
			}
			if got := gathered(t, a, "n2")["transport_copies_refused_total"]; got == 0 {
				t.Error("the refusal is not counted")
			}
		})
	}
}

// TestASecondProcessIsRefusedAndBothHearOfIt, be it from a copy that was made
// while the first one was down or while it ran.
func TestASecondProcessIsRefusedAndBothHearOfIt(t *testing.T) {
	for name, second := range map[string]persistence.Boots{
		"a copy of the stopped one": confirmed(1, 1, 3),
		"a copy of the running one": confirmed(1, 1, 2, 3),
	} {
		t.Run(name, func(t *testing.T) {
			outdated, copied := make(chan error, 1), make(chan string, 1)
			a, first := start(t, 1), start(t, 2, started(confirmed(1, 1, 2), 100), hearing(outdated, copied))
			know(t, first, a.peer)
			connected(t, first, 1)
			refused := make(chan error, 1)
			other := start(t, 2, started(second, 100), hearing(refused, nil))
			know(t, other, a.peer)
			err := receive(t, "a refusal", refused)
			if !errors.Is(err, transport.ErrTwice) || !strings.Contains(err.Error(), first.Addr()) {
				t.Errorf("the second hears %v, want that the node is at %s", err, first.Addr())
			}
			if addr := receive(t, "news of a copy", copied); addr != other.Addr() {
				t.Errorf("the first hears of one at %s, want %s", addr, other.Addr())
			}
			first.Send(1, []byte("still here"))
			if got := receive(t, "a frame", a.frames); got != "2: still here" {
				t.Errorf("got %q", got)
			}
			if len(outdated) > 0 || len(a.lost) > 0 {
				t.Errorf("the first was disturbed: %d refusals, lost %d times", len(outdated), len(a.lost))
			}
		})
	}
}

// TestASilentProcessIsSucceededForGood: a paused one may be replaced by one from
// its data. When it goes on nothing of it counts.
func TestASilentProcessIsSucceededForGood(t *testing.T) {
	a := start(t, 1, func(c *transport.Config) { c.Silence = 300 * time.Millisecond })
	p := newProxy(t, a)
	outdated := make(chan error, 1)
	first := start(t, 2, started(confirmed(1, 1, 2), 100), hearing(outdated, nil), through(p, a))
	know(t, first, a.peer)
	connected(t, first, 1)
	p.Freeze()
	first.Send(1, []byte("too late"))
	second := start(t, 2, started(confirmed(1, 1, 2, 3), 100))
	know(t, second, a.peer)
	connected(t, second, 1)
	p.Thaw()
	if err := receive(t, "a refusal", outdated); !errors.Is(err, transport.ErrTwice) {
		t.Errorf("the first hears %v, want ErrTwice", err)
	}
	second.Send(1, []byte("hello"))
	if got := receive(t, "a frame", a.frames); got != "2: hello" {
		t.Errorf("got %q, want that of the second", got)
	}
}

// notes are what a node keeps of others.
type notes struct {
	mu  sync.Mutex
	all map[nodeID][]byte
}

func (n *notes) note(id nodeID, note []byte, _ bool) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all[id] = note
	return nil
}

// TestWhoWasMetIsKnownAfterARestart, and how far it was.
func TestWhoWasMetIsKnownAfterARestart(t *testing.T) {
	for name, boots := range map[string]persistence.Boots{
		"a copy from before":       confirmed(1, 1, 3),
		"a copy of the last start": confirmed(1, 1, 2, 3),
	} {
		t.Run(name, func(t *testing.T) {
			kept := &notes{all: map[nodeID][]byte{}}
			a := start(t, 1, func(c *transport.Config) { c.Note = kept.note })
			b := start(t, 2, started(confirmed(1, 1, 2), 100))
			know(t, b, a.peer)
			connected(t, b, 1)
			b.Close()
			a.Close()
			again := start(t, 1, func(c *transport.Config) { c.Boots, c.Note, c.Notes = boots1(101), kept.note, kept.all })
			outdated := make(chan error, 1)
			older := start(t, 2, started(boots, 99), hearing(outdated, nil))
			know(t, older, again.peer)
			if err := receive(t, "a refusal", outdated); !errors.Is(err, transport.ErrOlder) {
				t.Errorf("got %v, want ErrOlder", err)
			}
		})
	}
}

// boots1 is a second start of node 1.
func boots1(incarnation uint64) persistence.Boots { return boots(100, incarnation) }

// TestTheRegistryDecides: whom it does not have is cut off, though it was here
// first, and whom it has is taken in.
func TestTheRegistryDecides(t *testing.T) {
	outdated := make(chan error, 1)
	a, wrong := start(t, 1), start(t, 2, started(confirmed(1, 1, 2, 3), 100), hearing(outdated, nil))
	know(t, wrong, a.peer)
	connected(t, wrong, 1)
	a.Registered(2, persistence.Boot{Number: 2, Incarnation: 22})
	if err := receive(t, "a refusal", outdated); !errors.Is(err, transport.ErrOlder) {
		t.Errorf("got %v, want ErrOlder", err)
	}
	right := start(t, 2, started(confirmed(1, 1, 22), 50))
	know(t, right, a.peer)
	connected(t, right, 1)
}

func TestANodeIsIntroducedWhenAllHaveAnsweredOrAreNotThere(t *testing.T) {
	nobody := start(t, 9)
	gone := nobody.peer
	nobody.Close()
	a, deaf := start(t, 1), open(t, 2)
	know(t, a, gone)
	know(t, a, deaf.peer)
	eventually(t, "a refused connection", func() bool { return a.log.has("refused") })
	if a.Introduced() {
		t.Error("node 2 has not answered")
	}
	deaf.Start(deaf.recorder)
	eventually(t, "all have answered", a.Introduced)
}
