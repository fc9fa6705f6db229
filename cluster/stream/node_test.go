package stream

import (
	"errors"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

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
			if n := len(b.known()); n != 1 || b.known()[0].link.Load().member != a.cfg.Papers.Self {
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
