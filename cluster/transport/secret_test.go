package transport_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"ssod/cluster/secret"
	"ssod/cluster/transport"
)

func secrets(t testing.TB, keys ...byte) option {
	return func(c *transport.Config) { c.Secrets = ring(t, keys...) }
}

// TestNodesWithoutTheSecretStayOut, with a good certificate too, whoever dials.
// Nobody takes the refusal for the end of a process.
func TestNodesWithoutTheSecretStayOut(t *testing.T) {
	for name, options := range modes(t) {
		t.Run(name, func(t *testing.T) {
			a, b := start(t, 1, options...), start(t, 2, append(options, secrets(t, 2))...)
			know(t, b, a.peer)
			eventually(t, "the reason is logged", func() bool { return b.log.has("the cluster's secret is not proven") })
			if len(a.Peers()) != 0 || b.status(1).Connected {
				t.Errorf("peers: %v, %v", a.Peers(), b.Peers())
			}
			silent(t, b)
			silent(t, a)
		})
	}
}

// TestTheSecretIsChangedWithoutAGap: at each step nodes connect anew.
func TestTheSecretIsChangedWithoutAGap(t *testing.T) {
	mine, theirs := ring(t, 1), ring(t, 1)
	b := start(t, 2, func(c *transport.Config) { c.Secrets = theirs })
	p := newProxy(t, b)
	a := start(t, 1, through(p, b), func(c *transport.Config) { c.Secrets = mine })
	know(t, a, b.peer)
	connected(t, a, 2)
	for _, step := range []struct {
		change *secret.Ring
		keys   []byte
	}{{mine, []byte{1, 2}}, {theirs, []byte{1, 2}}, {mine, []byte{2, 1}}, {theirs, []byte{2, 1}}, {mine, []byte{2}}, {theirs, []byte{2}}} {
		if err := step.change.Set(keysOf(step.keys...)); err != nil {
			t.Fatal(err)
		}
		p.Cut()
		receive(t, "a lost connection", a.lost)
		connected(t, a, 2)
	}
	if a.log.has("not proven") || b.log.has("not proven") {
		t.Error("a connection was refused on the way")
	}
}

// relay stands at an address of its own, or in the way, and passes everything on to
// a node. It notes what it hears.
type relay struct {
	net.Listener
	tasks sync.WaitGroup
	mu    sync.Mutex
	heard bytes.Buffer
	conns []net.Conn
}

// newRelay starts a relay. With TLS it shows what it has to either side.
func newRelay(t *testing.T, to string, server, client *tls.Config) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{Listener: l}
	r.tasks.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				in.Close()
				continue
			}
			r.own(in, out)
			if server != nil {
				in, out = tls.Server(in, server), tls.Client(out, client)
			}
			r.tasks.Go(func() { r.pass(out, in) })
			r.tasks.Go(func() { r.pass(in, out) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		r.mu.Lock()
		for _, c := range r.conns {
			c.Close()
		}
		r.mu.Unlock()
		r.tasks.Wait()
	})
	return r
}

func (r *relay) own(conns ...net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conns = append(r.conns, conns...)
}

func (r *relay) pass(to, from net.Conn) {
	_, _ = io.Copy(io.MultiWriter(to, r), from)
	to.Close()
	from.Close()
}

// Write notes what was heard.
func (r *relay) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.heard.Write(b)
}

func (r *relay) has(text string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Contains(r.heard.String(), text)
}

// TestADecoyThatRelaysLearnsNothing: a node that is to join is told of a member at
// the address of a decoy, which passes all on to a true member. Neither of the two
// says anything.
func TestADecoyThatRelaysLearnsNothing(t *testing.T) {
	victim := answering(t, 2, echo)
	decoy := newRelay(t, victim.Addr(), nil, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	joiner := transport.Stranger{Name: "n9", Secrets: ring(t, 1)}
	if got, err := joiner.Ask(ctx, "n2", decoy.Addr().String(), []byte("let me in")); !errors.Is(err, transport.ErrSecret) {
		t.Errorf("the joiner got %q, %v, want ErrSecret", got, err)
	}
	member := start(t, 1)
	at := victim.peer
	at.Addr = decoy.Addr().String()
	know(t, member, at)
	eventually(t, "the reason is logged", func() bool { return member.log.has("advertises another address") })
	for _, text := range []string{"let me in", "n9", "n1", "n2", "c1"} {
		if decoy.has(text) {
			t.Errorf("the decoy heard %q", text)
		}
	}
	if n := len(victim.Peers()); n != 0 {
		t.Errorf("the victim has %d peers, want none", n)
	}
	if got, err := joiner.Ask(ctx, "n2", victim.Addr(), []byte("let me in")); err != nil || string(got) != "0: let me in" {
		t.Errorf("without the decoy: got %q, %v", got, err)
	}
}

// TestAProofIsBoundToItsConnection: who has the certificates of both sides, and
// stands in the way with them, cannot pass the proof of one on to the other.
func TestAProofIsBoundToItsConnection(t *testing.T) {
	authority := newAuthority(t)
	first, err := authority.Credentials("n1")
	if err != nil {
		t.Fatal(err)
	}
	second, err := authority.Credentials("n2")
	if err != nil {
		t.Fatal(err)
	}
	b := start(t, 2, secured(t, authority))
	r := newRelay(t, b.Addr(), second.Server(), first.Client("n2"))
	a := start(t, 1, secured(t, authority), func(c *transport.Config) {
		c.Dial = func(ctx context.Context, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", r.Addr().String())
		}
	})
	know(t, a, b.peer)
	eventually(t, "the reason is logged", func() bool { return a.log.has("the cluster's secret is not proven") })
	if len(b.Peers()) != 0 || r.has("c1") {
		t.Errorf("peers: %v; the cluster is told: %v", b.Peers(), r.has("c1"))
	}
}
