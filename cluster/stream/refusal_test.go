package stream

import (
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"ssod/cluster/proof"

	"github.com/prometheus/client_golang/prometheus"
)

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
			eventually(t, "it is counted", func() bool { return refused(t, e, e.refusals.Of(tt.want)) == 1 })
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
	eventually(t, "it is counted", func() bool { return refused(t, e, "registry") == 1 })
	if !e.has(1)() {
		t.Error("it is heard")
	}
}

// refused is how many connections were ended for a reason.
func refused(t *testing.T, e *end, reason string) float64 {
	t.Helper()
	r := prometheus.NewPedanticRegistry()
	if err := r.Register(e.Node); err != nil {
		t.Fatal(err)
	}
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if l := m.GetLabel(); f.GetName() == "ssod_rpc_refused_total" && l[0].GetValue() == reason {
				return m.GetCounter().GetValue()
			}
		}
	}
	t.Fatalf("there is no reason %q", reason)
	return 0
}
