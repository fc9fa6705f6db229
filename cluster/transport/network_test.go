package transport_test

import (
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ssod/cluster/transport"
	"ssod/persistence"
)

func TestFramesArriveInOrder(t *testing.T) {
	for name, options := range modes(t) {
		t.Run(name, func(t *testing.T) {
			a, b := pair(t, options...)
			for i := range 1000 {
				a.Send(2, fmt.Append(nil, i))
				b.Send(1, fmt.Append(nil, i))
			}
			for i := range 1000 {
				if got, want := receive(t, "a frame", b.frames), fmt.Sprint("1: ", i); got != want {
					t.Fatalf("node 2 got %q, want %q", got, want)
				}
				if got, want := receive(t, "a frame", a.frames), fmt.Sprint("2: ", i); got != want {
					t.Fatalf("node 1 got %q, want %q", got, want)
				}
			}
		})
	}
}

// modes are with and without TLS.
func modes(t *testing.T) map[string][]option {
	authority := newAuthority(t)
	return map[string][]option{
		"plain": nil,
		"TLS":   {func(c *transport.Config) { secured(t, authority)(c) }},
	}
}

func TestALongFrameArrives(t *testing.T) {
	for name, options := range modes(t) {
		t.Run(name, func(t *testing.T) {
			a, b := pair(t, options...)
			long := strings.Repeat("long ", 2<<20)
			a.Send(2, []byte(long))
			a.Send(2, []byte("short"))
			if got := receive(t, "the long frame", b.frames); got != "1: "+long {
				t.Errorf("got %d bytes, want %d", len(got), len(long)+3)
			}
			if got := receive(t, "the short frame", b.frames); got != "1: short" {
				t.Errorf("got %q, want the short frame", got)
			}
		})
	}
}

func TestFramesGoOnAfterANodeStartedAgain(t *testing.T) {
	a, b := pair(t)
	b.Close()
	if got := receive(t, "a lost connection", a.lost); got != 2 {
		t.Errorf("lost node %d, want 2", got)
	}
	again := start(t, 2, func(c *transport.Config) { c.Listen, c.Boots = b.Addr(), boots(200, 201) })
	know(t, again, a.peer)
	connected(t, a, 2)
	a.Send(2, []byte("hello"))
	if got := receive(t, "a frame", again.frames); got != "1: hello" {
		t.Errorf("got %q", got)
	}
	if got := a.status(2).Boot; got != (persistence.Boot{Number: 2, Incarnation: 201}) {
		t.Errorf("start: got %v, want the second, 201", got)
	}
}

func TestANodeThatNeverWasThereIsLost(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close() // nobody listens there
	a := start(t, 1)
	know(t, a, transport.Peer{ID: 2, Name: "n2", Addr: l.Addr().String()})
	if got := receive(t, "a refused connection", a.lost); got != 2 {
		t.Errorf("lost node %d, want 2", got)
	}
	// It is dialed again and again, but lost only once.
	eventually(t, "the refusal is logged", func() bool { return a.log.has("refused") })
	a.Close()
	if len(a.lost) != 0 {
		t.Error("lost more than once")
	}
}

// TestALostNodeSaysNothingMore: what it sent before comes before, or never.
func TestALostNodeSaysNothingMore(t *testing.T) {
	a, b := open(t, 1), start(t, 2)
	engine := &mourner{recorder: a.recorder, begin: make(chan struct{})}
	a.Start(engine)
	know(t, a, b.peer)
	know(t, b, a.peer)
	connected(t, a, 2)
	connected(t, b, 1)
	for range 10_000 {
		b.Send(1, []byte("frame"))
	}
	receive(t, "a frame", a.frames)
	b.Close()
	close(engine.begin)
	receive(t, "a lost connection", a.lost)
	a.Close()
	if n := engine.late.Load(); n > 0 {
		t.Errorf("%d frames came from a node that is gone", n)
	}
}

// mourner counts frames that come when their sender is gone. It takes its time
// with the first.
type mourner struct {
	*recorder
	begin chan struct{}
	gone  atomic.Bool
	late  atomic.Int64
}

func (m *mourner) Deliver(from nodeID, frame []byte) error {
	if m.gone.Load() {
		m.late.Add(1)
	}
	err := m.recorder.Deliver(from, frame)
	<-m.begin
	return err
}

func (m *mourner) ConnectionLost(n nodeID) {
	m.gone.Store(true)
	m.recorder.ConnectionLost(n)
}

func TestAPausedNodeIsUnreachableAndNotLost(t *testing.T) {
	b := start(t, 2)
	p := newProxy(t, b)
	a := start(t, 1, through(p, b), func(c *transport.Config) { c.Silence = 300 * time.Millisecond })
	know(t, a, b.peer)
	// A machine that stalls is a silence, too: then a frame is sent again.
	heard := func(text string) {
		t.Helper()
		eventually(t, "node 2 hears "+text, func() bool {
			a.Send(2, []byte(text))
			for len(b.frames) > 0 {
				if <-b.frames == "1: "+text {
					return true
				}
			}
			return false
		})
	}
	connected(t, a, 2)
	heard("before")
	if a.Connected(3) {
		t.Error("connected to node 3")
	}
	for len(a.unreachable) > 0 {
		<-a.unreachable
	}
	p.Freeze()
	if got := receive(t, "an unreachable node", a.unreachable); got != 2 {
		t.Errorf("node %d is unreachable, want 2", got)
	}
	if a.status(2).Connected {
		t.Error("the connection is kept")
	}
	p.Thaw()
	connected(t, a, 2)
	heard("after")
	if len(a.lost) != 0 {
		t.Error("the node counts as lost")
	}
}

// TestACutConnectionIsMadeAgain, and refused ones in between are a loss.
func TestACutConnectionIsMadeAgain(t *testing.T) {
	b := start(t, 2)
	p := newProxy(t, b)
	a := start(t, 1, through(p, b))
	know(t, a, b.peer)
	for range 3 {
		connected(t, a, 2)
		a.Send(2, []byte("hello"))
		receive(t, "a frame", b.frames)
		p.Refuse(true)
		if got := receive(t, "a lost connection", a.lost); got != 2 {
			t.Errorf("lost node %d, want 2", got)
		}
		p.Refuse(false)
	}
}

func TestASlowNodeBlocksNobody(t *testing.T) {
	small := func(c *transport.Config) { c.Queue, c.Silence = 1<<20, time.Minute }
	b, c := start(t, 2, small), start(t, 3, small)
	p := newProxy(t, b)
	a := start(t, 1, small, through(p, b))
	know(t, a, b.peer)
	know(t, a, c.peer)
	connected(t, a, 2)
	connected(t, a, 3)
	p.Freeze()
	frame := make([]byte, 64<<10)
	for a.status(2).Dropped < 100 { // Send that blocked would never get here
		a.Send(2, frame)
	}
	if got := a.status(2).Waiting; got > 1<<20 {
		t.Errorf("%d bytes wait, the limit is %d", got, 1<<20)
	}
	if got := receive(t, "an unreachable node", a.unreachable); got != 2 {
		t.Errorf("node %d is unreachable, want 2", got)
	}
	a.Send(3, []byte("on time"))
	if got := receive(t, "a frame", c.frames); got != "1: on time" {
		t.Errorf("got %q", got)
	}
	if s := a.status(3); s.Dropped != 0 {
		t.Errorf("%d frames to the other node were dropped", s.Dropped)
	}
}

func TestTheClocksOfOthersAreMeasured(t *testing.T) {
	late := func(c *transport.Config) { c.Clock = func() time.Time { return time.Now().Add(-7 * time.Second) } }
	a, b := start(t, 1), start(t, 2, late)
	know(t, a, b.peer)
	know(t, b, a.peer)
	for _, tt := range []struct {
		at   *testNode
		of   nodeID
		want time.Duration
	}{{a, 2, -7 * time.Second}, {b, 1, 7 * time.Second}} {
		// A measurement is off by what the machine stalled in it; another one is not.
		eventually(t, fmt.Sprintf("node %d is about %v off", tt.of, tt.want), func() bool {
			got, ok := tt.at.Offset(tt.of)
			return ok && (got-tt.want).Abs() <= 500*time.Millisecond
		})
	}
	eventually(t, "node 2 was heard of just now", func() bool { return time.Since(a.LastHeard(2)) <= 10*time.Second })
	if !a.LastHeard(9).IsZero() {
		t.Error("a node that is not known was heard of")
	}
}

// A node that somebody believes to be gone is asked at once, and not with the next
// ping.
func TestADoubtIsAskedAtOnce(t *testing.T) {
	rarely := func(c *transport.Config) { c.Ping, c.Silence = time.Hour, 2*time.Hour }
	a, b := start(t, 1, rarely), start(t, 2, rarely)
	know(t, a, b.peer)
	know(t, b, a.peer)
	eventually(t, "node 2 was heard of", func() bool { return !a.LastHeard(2).IsZero() && a.Connected(2) })
	for range 3 {
		doubted := time.Now()
		a.Probe(2)
		eventually(t, "node 2 has answered", func() bool { return a.LastHeard(2).After(doubted) })
	}
	a.Probe(9) // nobody
}

// A node whose own clock is set knows at once that it disagrees with the others,
// without another ping.
func TestAStepOfTheOwnClockShowsAtOnce(t *testing.T) {
	var step atomic.Int64
	a := start(t, 1, func(c *transport.Config) {
		c.Clock = func() time.Time { return time.Now().Add(time.Duration(step.Load())) }
	})
	b := start(t, 2)
	know(t, a, b.peer)
	know(t, b, a.peer)
	eventually(t, "an offset", func() bool { _, ok := a.Offset(2); return ok })
	const leap = 410 * 24 * time.Hour
	step.Store(int64(leap))
	got, ok := a.Offset(2)
	if now, known := a.Clock(2); !ok || !known || (got+leap).Abs() > time.Minute || time.Since(now).Abs() > time.Minute {
		t.Errorf("after a leap of %v the other is ahead by %v, its clock says %v", leap, got, now)
	}
}

func TestANodeIsLearnedFromItsGreeting(t *testing.T) {
	a, b := start(t, 1), start(t, 2)
	know(t, a, b.peer) // and b does not know a
	connected(t, b, 1)
	b.Send(1, []byte("hello"))
	if got := receive(t, "a frame", a.frames); got != "2: hello" {
		t.Errorf("got %q", got)
	}
}

func TestAnAddressThatWasSetIsKept(t *testing.T) {
	a, b := start(t, 1), start(t, 2)
	const set = "127.0.0.1:1"
	know(t, a, transport.Peer{ID: 2, Name: "n2", Addr: set})
	know(t, b, a.peer)
	connected(t, b, 1)
	if got := a.status(2).Addr; got != set {
		t.Errorf("node 2 is at %s now, want %s", got, set)
	}
}

func TestANodeThatMovesIsFound(t *testing.T) {
	a, b := pair(t)
	b.Close()
	receive(t, "a lost connection", a.lost)
	moved := start(t, 2)
	know(t, a, moved.peer)
	connected(t, a, 2)
	a.Send(2, []byte("there"))
	receive(t, "a frame", moved.frames)
}

func TestARemovedNodeIsRefused(t *testing.T) {
	a, b := pair(t)
	a.RemovePeer(2)
	eventually(t, "the connection ends", func() bool { return b.log.has("was removed from the cluster") })
	if err := a.SetPeer(b.peer); err == nil {
		t.Error("the removed node was taken back")
	}
	if len(a.Peers()) != 0 {
		t.Errorf("peers: %v", a.Peers())
	}
}

func TestNothingIsSentToStrangers(t *testing.T) {
	a := start(t, 1)
	a.Send(7, []byte("nobody"))
	a.Retry(7)
	know(t, a, a.peer) // itself
	if len(a.Peers()) != 0 {
		t.Errorf("peers: %v", a.Peers())
	}
}

func TestMistakesInTheConfigurationAreAllReported(t *testing.T) {
	_, err := transport.Open(transport.Config{Ping: time.Hour})
	if err == nil {
		t.Fatal("an empty configuration was taken")
	}
	for _, want := range []string{"cluster:", "id above", "name of", "secrets:", "ping:"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %q", want, err)
		}
	}
}

func TestANodeHearsThatItWasRemoved(t *testing.T) {
	expelled := make(chan transport.Peer, 1)
	a := start(t, 1)
	b := start(t, 2, func(c *transport.Config) {
		c.Expelled = func(by transport.Peer) {
			select {
			case expelled <- by:
			default:
			}
		}
	})
	a.RemovePeer(2)
	know(t, b, a.peer)
	if by := <-expelled; by.ID != 1 {
		t.Errorf("%v says so, want node 1", by)
	}
}

func TestANodeHearsThatAnotherClusterClaimsIt(t *testing.T) {
	claims := make(chan string, 1)
	a := start(t, 1, func(c *transport.Config) {
		c.Claimed = func(by transport.Peer, cluster string) {
			select {
			case claims <- by.Name + " of " + cluster:
			default:
			}
		}
	})
	b := start(t, 2, func(c *transport.Config) { c.Cluster = "c2" })
	know(t, b, a.peer)
	if got, want := <-claims, "n2 of c2"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestANodeThatMovedIsDialedWhereItIs(t *testing.T) {
	a, b := start(t, 1), start(t, 2)
	nowhere := b.peer
	nowhere.Addr = "127.0.0.1:1"
	know(t, a, nowhere)
	a.Moved(2, b.Addr())
	eventually(t, "the node is reached", func() bool { return a.Connected(2) })
	know(t, a, nowhere) // as the registry still has it
	if got := a.Peers()[0].Addr; got != b.Addr() {
		t.Errorf("setting the old address again: got %s, want %s", got, b.Addr())
	}
	elsewhere := b.peer
	elsewhere.Addr = "127.0.0.1:2"
	know(t, a, elsewhere)
	if got := a.Peers()[0].Addr; got != elsewhere.Addr {
		t.Errorf("setting another address: got %s, want %s", got, elsewhere.Addr)
	}
}
