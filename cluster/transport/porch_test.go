package transport_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"ssod/cluster/transport"
)

// patient lets a node wait for strangers for longer than the test: none goes by
// himself.
func patient(c *transport.Config) { c.Handshake = time.Hour }

// crowd are connections from an address that say nothing.
func crowd(t *testing.T, to *testNode, from string, n int) (conns []net.Conn) {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	for range n {
		c, err := d.DialContext(t.Context(), "tcp", to.Addr())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		conns = append(conns, c)
	}
	return conns
}

// evicted is how many had to go, standing how many are there.
func evicted(t *testing.T, n *testNode) float64 {
	return gathered(t, n, "evicted")["transport_refused_total"]
}

func standing(t *testing.T, n *testNode) float64 {
	return gathered(t, n, "")["transport_handshakes"]
}

// TestSilentStrangersKeepNobodyOut, though they stay for ever and come from where
// the node comes from: 500 at once, and 22 more each second.
func TestSilentStrangersKeepNobodyOut(t *testing.T) {
	for name, options := range modes(t) {
		t.Run(name, func(t *testing.T) {
			b := start(t, 2, append(options, patient)...)
			p := newProxy(t, b)
			a := start(t, 1, append(options, through(p, b))...)
			know(t, a, b.peer)
			connected(t, a, 2)
			conns := crowd(t, b, "127.0.0.1", 500)
			eventually(t, "most of them had to go", func() bool { return evicted(t, b) == 500-64 })
			if n := standing(t, b); n != 64 {
				t.Errorf("%v connections wait, want 64", n)
			}
			gone(t, conns[0])
			stop := drip(t, b, 22)
			var longest time.Duration
			for range 5 {
				begin := time.Now()
				p.Cut()
				receive(t, "a lost connection", a.lost)
				connected(t, a, 2)
				longest = max(longest, time.Since(begin))
			}
			stop()
			t.Logf("%s: of 5 reconnects among 500 silent strangers, and 22 more a second, the longest took %v", name, longest.Round(time.Millisecond))
		})
	}
}

// gone checks that a connection was ended by the other side.
func gone(t *testing.T, c net.Conn) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(2 * time.Minute))
	if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the first stranger is still there: %v", err)
	}
}

// drip lets silent strangers come, so many a second, until it is stopped.
func drip(t *testing.T, to *testNode, each int) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(time.Second / time.Duration(each))
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			c, err := net.Dial("tcp", to.Addr())
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
		}
	}()
	return func() { cancel(); <-done }
}

// TestStrangersHaveABoundTogether, and one address less than all. Those that nodes
// are known at have room beside that, and who is new to all of them comes in.
func TestStrangersHaveABoundTogether(t *testing.T) {
	n := answering(t, 2, echo, patient)
	for i := range 3 {
		crowd(t, n, fmt.Sprint("127.0.1.", i+1), 30)
	}
	eventually(t, "each has its share", func() bool { return evicted(t, n) == 3*(30-16) && standing(t, n) == 3*16 })
	for i := range 90 {
		crowd(t, n, fmt.Sprint("127.0.2.", i+1), 1)
	}
	eventually(t, "all together have theirs", func() bool { return standing(t, n) == 128 && evicted(t, n) == 3*(30-16)+3*16+90-128 })
	a := start(t, 1) // at 127.0.0.1
	know(t, a, n.peer)
	connected(t, a, 2)
	if got, err := a.Call(t.Context(), 2, []byte("x")); err != nil || string(got) != "1: x" {
		t.Errorf("a node: got %q, %v", got, err)
	}
	joiner := transport.Stranger{Name: "n9", Secrets: ring(t, 1), Dial: func(ctx context.Context, addr string) (net.Conn, error) {
		return (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 3, 1)}}).DialContext(ctx, "tcp", addr)
	}}
	if got, err := joiner.Ask(t.Context(), "n2", n.Addr(), []byte("x")); err != nil || string(got) != "0: x" {
		t.Errorf("one that is to join: got %q, %v", got, err)
	}
}

// TestSilenceIsCounted as such, with TLS too.
func TestSilenceIsCounted(t *testing.T) {
	for name, options := range modes(t) {
		t.Run(name, func(t *testing.T) {
			n := start(t, 1, append(options, func(c *transport.Config) { c.Handshake = 50 * time.Millisecond })...)
			const many = 12 // fewer than one address may have
			crowd(t, n, "127.0.0.1", many)
			count := func(reason string) float64 { return gathered(t, n, reason)["transport_refused_total"] }
			eventually(t, "all are ended", func() bool { return count("silent")+count("other") == many })
			if got := count("silent"); got != many {
				t.Errorf("%v of %d count as silent", got, many)
			}
		})
	}
}
