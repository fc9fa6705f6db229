package stream

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"ssod/cluster/proof"
	"ssod/cluster/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// eventually waits for what other goroutines do.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for limit := time.After(2 * time.Minute); !done(); {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("not so: %s", what)
		}
	}
}

// end is a node and what it has seen.
type end struct {
	*Node
	mu    sync.Mutex
	got   []envelope
	ended []bool // by whether the link was up
	log   strings.Builder
	reply bool // commands are answered with what they say
}

func (e *end) receive(l *Link, k Kind, payload []byte) error {
	if string(payload) == "unreadable" {
		return fmt.Errorf("%w: as the test wants", ErrEnvelope)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.got = append(e.got, envelope{k, string(payload)})
	if k == Command && e.reply {
		return l.Send(Answer, payload)
	}
	return nil
}

func (e *end) Write(b []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.log.Write(b)
}

func (e *end) says(text string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Contains(e.log.String(), text)
}

func (e *end) has(n int) func() bool {
	return func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return len(e.got) == n
	}
}

func (e *end) lost() []bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.ended
}

// startEnd starts a node.
func startEnd(t *testing.T, papers Papers, listen string) *end {
	t.Helper()
	e := &end{reply: true}
	n, err := Open(Config{
		Listen: listen, Papers: papers, Log: slog.New(slog.NewTextHandler(e, nil)), Receive: e.receive,
		Ended: func(_ *Link, up bool) {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.ended = append(e.ended, up)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	e.Node = n
	n.Start()
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// papersOf are those of node id without TLS, for whom every address is that of whom.
func papersOf(t *testing.T, id uint32, whom uint32) Papers {
	t.Helper()
	ring, err := secret.NewRing(secret.Key{1})
	if err != nil {
		t.Fatal(err)
	}
	name := func(id uint32) string { return fmt.Sprint("n", id) }
	return Papers{
		Secrets: ring, Cluster: "c1", Self: Member{id, name(id)},
		At: func(string) (Member, bool) { return Member{whom, name(whom)}, true },
	}
}

const anywhere = "127.0.0.1:0"

func pair(t *testing.T) (a, b *end) {
	t.Helper()
	return startEnd(t, papersOf(t, 1, 2), anywhere), startEnd(t, papersOf(t, 2, 1), anywhere)
}

func link(t *testing.T, e *end, address string) *Link {
	t.Helper()
	l, err := e.Link(address)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestCommandsAreAnsweredOnTheSameLink(t *testing.T) {
	for name, papers := range map[string]func() (a, b Papers){
		"plain": func() (a, b Papers) { return papersOf(t, 1, 2), papersOf(t, 2, 1) },
		"TLS": func() (a, b Papers) {
			b, a = doors(t)
			a.At = func(string) (Member, bool) { return b.Self, true }
			b.At = func(string) (Member, bool) { return a.Self, true }
			return a, b
		},
	} {
		t.Run(name, func(t *testing.T) {
			one, two := papers()
			a, b := startEnd(t, one, anywhere), startEnd(t, two, anywhere)
			const senders, each = 20, 100
			var group sync.WaitGroup
			for range senders {
				group.Go(func() {
					for i := range each {
						l, err := a.Link(b.Address())
						if err == nil {
							err = l.Send(Command, []byte(strings.Repeat("x", 10*i)))
						}
						if err != nil {
							t.Errorf("send: %v", err)
						}
					}
				})
			}
			group.Wait()
			eventually(t, "all are answered", a.has(senders*each))
			// The other one uses the link that was dialed.
			if err := link(t, b, a.Address()).Send(Tell, []byte("back")); err != nil {
				t.Fatal(err)
			}
			eventually(t, "it is told", a.has(senders*each+1))
			if writes, envelopes := a.writes.Load(), a.envelopes.Load(); writes == 0 || envelopes != senders*each {
				t.Errorf("%d envelopes went with %d writes", envelopes, writes)
			}
			if n := len(b.known()); n != 1 || b.known()[0].link.Load().who != a.cfg.Papers.Self {
				t.Errorf("%d peers", n)
			}
		})
	}
}

// TestWhatIsHeldGoesWithOneWrite: that of a batch, and the one that opened the link.
func TestWhatIsHeldGoesWithOneWrite(t *testing.T) {
	a, b := pair(t)
	l := link(t, a, b.Address())
	if err := l.Send(Command, nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is answered", a.has(1))
	before := a.writes.Load()
	a.Hold(func() {
		for range 100 {
			if err := l.Send(Tell, nil); err != nil {
				t.Error(err)
			}
		}
	})
	eventually(t, "all have come", b.has(101))
	if n := a.writes.Load() - before; n != 1 {
		t.Errorf("%d writes", n)
	}
}

func TestNobodyThere(t *testing.T) {
	closed, err := net.Listen("tcp", anywhere)
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	a := startEnd(t, papersOf(t, 1, 2), anywhere)
	l := link(t, a, closed.Addr().String())
	_ = l.Send(Command, nil) // ErrDown if that was found out already
	eventually(t, "it is told", func() bool { return len(a.lost()) == 1 })
	if a.lost()[0] {
		t.Error("the link was up")
	}
	if _, err := a.Link(closed.Addr().String()); !errors.Is(err, ErrDown) && err != nil {
		t.Errorf("got %v, want ErrDown", err) // nil: it is dialed again
	}
	if err := l.Send(Command, nil); !errors.Is(err, ErrDown) {
		t.Errorf("got %v, want ErrDown", err)
	}
	if a.Met(closed.Addr().String()) {
		t.Error("it was met")
	}
}

func TestANodeThatEndsIsNoticedAndFoundAgain(t *testing.T) {
	a := startEnd(t, papersOf(t, 1, 2), anywhere)
	b := startEnd(t, papersOf(t, 2, 1), anywhere)
	l := link(t, a, b.Address())
	if err := l.Send(Command, nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is answered", a.has(1))
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the end is noticed", func() bool { return len(a.lost()) == 1 && a.lost()[0] })
	if err := l.Send(Command, nil); !errors.Is(err, ErrDown) {
		t.Errorf("got %v, want ErrDown", err)
	}
	if !a.Met(b.Address()) {
		t.Error("it was never met")
	}
	startEnd(t, papersOf(t, 2, 1), b.Address())
	eventually(t, "the next one answers", func() bool {
		if l, err := a.Link(b.Address()); err == nil {
			_ = l.Send(Command, nil) // or it has not been there yet
		}
		return !a.has(1)()
	})
}

// TestAQueueIsBounded: no more waits for a node that takes nothing than has room, and
// who sends hears so at once.
func TestAQueueIsBounded(t *testing.T) {
	a := startEnd(t, papersOf(t, 1, 2), anywhere)
	l := newLink(a.Node) // is never up
	long := make([]byte, MaxEnvelope)
	sent := 0
	var err error
	for ; err == nil; sent++ {
		err = l.Send(Command, long)
	}
	if !errors.Is(err, ErrFull) || sent < maxWaiting/MaxEnvelope {
		t.Fatalf("got %v after %d", err, sent)
	}
	if err := l.Send(Answer, long); err != nil {
		t.Errorf("an answer has no room beside commands: %v", err)
	}
	if err := l.Send(Command, make([]byte, MaxEnvelope+1)); !errors.Is(err, ErrTooLong) {
		t.Errorf("got %v, want ErrTooLong", err)
	}
	if got := a.full.Load(); got != 1 {
		t.Errorf("%d refused", got)
	}
	many := newLink(a.Node)
	for sent, err = 0, nil; err == nil; sent++ {
		err = many.Send(Tell, nil)
	}
	if !errors.Is(err, ErrFull) || sent != maxEnvelopes+1 {
		t.Errorf("got %v after %d", err, sent)
	}
}

// shake connects to a node as node n, which proves what it must, and returns the
// connection.
func shake(t *testing.T, to *end, n Papers) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", to.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(2 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	mine := claim{to.cfg.Papers.Self.ID, n.Cluster, n.Self}.encode()
	if _, err := proof.Dial(c, n.port(to.Address(), nil), mine); err != nil {
		t.Fatal(err)
	}
	return c
}

// mute is the address of a node that lets others in and then takes nothing from them,
// like a process that stands still.
func mute(t *testing.T, papers Papers) string {
	t.Helper()
	listener, err := net.Listen("tcp", anywhere)
	if err != nil {
		t.Fatal(err)
	}
	var tasks sync.WaitGroup
	tasks.Go(func() {
		raw, err := listener.Accept()
		if err != nil {
			return
		}
		defer raw.Close()
		if _, err := papers.admit(t.Context(), raw, listener.Addr().String()); err != nil {
			t.Errorf("it is not let in: %v", err)
		}
		<-t.Context().Done()
	})
	t.Cleanup(func() {
		listener.Close()
		tasks.Wait()
	})
	return listener.Addr().String()
}

// TestBadStreamsAreRefused: what came before is taken, the sender is told why, and it
// is logged and counted.
func TestBadStreamsAreRefused(t *testing.T) {
	for name, tt := range bad {
		t.Run(name, func(t *testing.T) {
			e := startEnd(t, papersOf(t, 1, 2), anywhere)
			c := shake(t, e, papersOf(t, 2, 1)).(*net.TCPConn)
			if _, err := c.Write(append(frames(envelope{Tell, "before"}), tt.bytes...)); err != nil {
				t.Fatal(err)
			}
			if err := c.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			told, err := read(c)
			if err != io.EOF && !errors.Is(err, syscall.ECONNRESET) { // it does not read the rest
				t.Errorf("the connection ends with %v", err)
			}
			if err == io.EOF && (len(told) != 1 || told[0].Kind != refusal || !strings.Contains(told[0].Payload, tt.want.Error())) {
				t.Errorf("told %v", told)
			}
			eventually(t, "it is counted", func() bool { return e.refusals[reasonOf(tt.want)].Load() == 1 })
			eventually(t, "it is logged", func() bool { return e.says(tt.want.Error()) })
			eventually(t, "the link has ended", func() bool { return len(e.lost()) == 1 })
			if !e.has(1)() {
				t.Errorf("got %v", e.got)
			}
		})
	}
}

// TestWhoIsRefusedHearsWhy: also when the two ends do not agree on an envelope.
func TestWhoIsRefusedHearsWhy(t *testing.T) {
	a, b := pair(t)
	if err := link(t, a, b.Address()).Send(Command, []byte("unreadable")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the connection ends", func() bool { return len(a.lost()) == 1 })
	eventually(t, "the log says why", func() bool { return a.says("as the test wants") })
}

// TestWhoIsRemovedIsNotHeard any more, on a connection that stands.
func TestWhoIsRemovedIsNotHeard(t *testing.T) {
	var gone atomic.Bool
	papers := papersOf(t, 1, 2)
	papers.Permit = func(Member, *x509.Certificate) error {
		if gone.Load() {
			return errors.New("was removed")
		}
		return nil
	}
	e := startEnd(t, papers, anywhere)
	c := shake(t, e, papersOf(t, 2, 1))
	say := func(text string) {
		if _, err := c.Write(frames(envelope{Tell, text})); err != nil {
			t.Fatal(err)
		}
	}
	say("one")
	eventually(t, "it is heard", e.has(1))
	gone.Store(true)
	say("two")
	told, err := read(c)
	if err != io.EOF && !errors.Is(err, syscall.ECONNRESET) || err == io.EOF && (len(told) != 1 || !strings.Contains(told[0].Payload, "was removed")) {
		t.Errorf("told %v, %v", told, err)
	}
	eventually(t, "it is counted", func() bool { return e.refusals[noMember].Load() == 1 })
	if !e.has(1)() {
		t.Error("it is heard")
	}
}

// TestSignsOfLife: a link on which nothing comes back is given up, one that is merely
// quiet is not.
func TestSignsOfLife(t *testing.T) {
	a, b := pair(t)
	l := link(t, a, b.Address())
	if err := l.Send(Command, nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is answered", a.has(1))
	heard := time.Duration(l.heard.Load())
	if !l.alive(heard+quietTime-1) || l.asked.Load() != 0 {
		t.Fatal("it is asked too early")
	}
	if !l.alive(heard+quietTime) || l.asked.Load() == 0 {
		t.Fatal("it is not asked")
	}
	eventually(t, "the sign comes", func() bool { return time.Duration(l.heard.Load()) > heard })
	heard = time.Duration(l.heard.Load())
	l.asked.Store(int64(heard + 1))
	if !l.alive(heard + silentTime) {
		t.Error("it is given up too early")
	}
	if l.alive(heard + 1 + silentTime) {
		t.Error("it is not given up")
	}
	l.asked.Store(0)
	l.wrote.Store(int64(heard + 1)) // something is under way
	if !l.alive(heard+tick-1) || l.asked.Load() != 0 {
		t.Error("it is asked too early")
	}
	if !l.alive(heard+tick) || l.asked.Load() == 0 {
		t.Error("it is not asked although something is under way")
	}
}

// TestASilentNodeIsGivenUp: a process that stands still answers nothing, and does not
// end its connections.
func TestASilentNodeIsGivenUp(t *testing.T) {
	a := startEnd(t, papersOf(t, 1, 2), anywhere)
	l := link(t, a, mute(t, papersOf(t, 2, 1)))
	if err := l.Send(Command, nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is given up", func() bool { return len(a.lost()) == 1 })
	if !a.says(ErrSilent.Error()) {
		t.Errorf("the log says %s", a.log.String())
	}
}

func TestCollect(t *testing.T) {
	a, b := pair(t)
	if err := link(t, a, b.Address()).Send(Command, nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is answered", a.has(1))
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(a.Node)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		m := f.GetMetric()[0]
		got[f.GetName()] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
	}
	for name, want := range map[string]float64{
		"ssod_rpc_connections": 1, "ssod_rpc_envelopes_total": 1, "ssod_rpc_writes_total": 1, "ssod_rpc_waiting_bytes": 0,
		"ssod_rpc_handshakes": 0, "ssod_rpc_overflows_total": 0, "ssod_rpc_refused_total": 0,
	} {
		if v, ok := got[name]; !ok || v != want {
			t.Errorf("%s is %v (%v), want %v", name, v, ok, want)
		}
	}
}

// TestSilentCallersHaveABound: when one more comes, the one that came first has to go,
// and whoever has shown its papers makes room.
func TestSilentCallersHaveABound(t *testing.T) {
	e := startEnd(t, papersOf(t, 1, 2), anywhere)
	knock := func() net.Conn {
		c, err := net.Dial("tcp", e.Address())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	var c callers
	var ours []net.Conn
	for range maxCallers + 1 {
		a, b := net.Pipe()
		defer a.Close()
		defer b.Close()
		if full := c.enter(a); full != (len(ours) == maxCallers) {
			t.Fatalf("full after %d: %v", len(ours), full)
		}
		ours = append(ours, b)
	}
	if _, err := ours[0].Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the first one is there: %v", err)
	}
	if n := c.waiting(); n != maxCallers {
		t.Errorf("%d wait", n)
	}
	knock()
	eventually(t, "one knocks", func() bool { return e.callers.waiting() == 1 })
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	raw := knock()
	if _, err := papersOf(t, 2, 1).greet(ctx, raw, e.Address()); err != nil {
		t.Errorf("one with good papers: %v", err)
	}
	eventually(t, "only the other one waits", func() bool { return e.callers.waiting() <= 1 })
}
