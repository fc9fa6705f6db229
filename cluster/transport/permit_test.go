package transport_test

import (
	"crypto/x509"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"ssod/cluster/transport"
)

// gate permits everybody until it has a reason.
type gate struct{ reason atomic.Pointer[error] }

func (g *gate) permit(p transport.Peer, _ *x509.Certificate) error {
	if why := g.reason.Load(); why != nil {
		return fmt.Errorf("%w: %v", *why, p)
	}
	return nil
}

func (g *gate) shut(why error) { g.reason.Store(&why) }

// guarded is a node that asks a gate.
func guarded(g *gate) option { return func(c *transport.Config) { c.Permit = g.permit } }

// TestTheRegistryIsAsked at each connection, also of one that is to join, and again
// while it stands.
func TestTheRegistryIsAsked(t *testing.T) {
	for name, options := range modes(t) {
		t.Run(name, func(t *testing.T) {
			g := &gate{}
			a, b := start(t, 1, options...), start(t, 2, append(options, guarded(g))...)
			know(t, a, b.peer)
			connected(t, a, 2)
			connected(t, b, 1)
			g.shut(transport.ErrUnregistered)
			eventually(t, "both connections end", func() bool { return !a.status(2).Connected && !b.status(1).Connected })
			eventually(t, "it hears why", func() bool { return a.log.has("the registry does not have the node") })
			if _, err := a.Call(t.Context(), 2, nil); !errors.Is(err, transport.ErrUnregistered) {
				t.Errorf("a call: got %v, want ErrUnregistered", err)
			}
			joiner := transport.Stranger{Name: "n1", Secrets: ring(t, 1)}
			if name == "plain" {
				if _, err := joiner.Ask(t.Context(), "n2", b.Addr(), nil); !errors.Is(err, transport.ErrUnregistered) {
					t.Errorf("one that is to join: got %v, want ErrUnregistered", err)
				}
			}
			g.reason.Store(nil)
			connected(t, a, 2)
		})
	}
}

// TestAnUnregisteredNodeWaits: it may be one that the others have not heard of yet, so
// it goes on asking, and does not count as introduced meanwhile.
func TestAnUnregisteredNodeWaits(t *testing.T) {
	g := &gate{}
	g.shut(transport.ErrUnregistered)
	a, b := start(t, 1), start(t, 2, guarded(g))
	know(t, a, b.peer)
	eventually(t, "it hears why", func() bool { return a.log.has("the registry does not have the node") })
	if a.Introduced() {
		t.Error("it counts as introduced")
	}
	g.reason.Store(nil)
	connected(t, a, 2)
	if !a.Introduced() {
		t.Error("it does not count as introduced")
	}
}

// TestCertificatesAreRemembered, those of nodes that come and of those that are dialed,
// renewed ones behind the others.
func TestCertificatesAreRemembered(t *testing.T) {
	authority := newAuthority(t)
	a, b := start(t, 1, secured(t, authority)), start(t, 2, secured(t, authority))
	p := newProxy(t, b)
	c := start(t, 3, secured(t, authority), through(p, b))
	know(t, c, b.peer)
	connected(t, c, 2)
	know(t, a, b.peer)
	connected(t, a, 2)
	first := a.Certificates(2)
	if len(first) != 1 || len(c.Certificates(2)) != 1 || first[0] != c.Certificates(2)[0] || len(b.Certificates(1)) != 1 || b.Certificates(1)[0] == first[0] {
		t.Errorf("seen: %x by n1, %x by n3, and of n1 %x", first, c.Certificates(2), b.Certificates(1))
	}
	if _, err := authority.Issue("n2"); err != nil { // over the old files
		t.Fatal(err)
	}
	p.Cut()
	eventually(t, "the new one is seen too", func() bool {
		seen := c.Certificates(2)
		return len(seen) == 2 && seen[0] == first[0] && seen[1] != first[0]
	})
	if got := c.Certificates(9); got != nil {
		t.Errorf("of a node that is not known: %x", got)
	}
}

// TestANodeThatShutsOthersOutCountsAsAbsent, after the time of a handshake; until then
// it may only be beset.
func TestANodeThatShutsOthersOutCountsAsAbsent(t *testing.T) {
	b := start(t, 2, secrets(t, 1))
	a := start(t, 1, secrets(t, 2, 1), func(c *transport.Config) { c.Handshake = 300 * time.Millisecond })
	know(t, a, b.peer)
	eventually(t, "it counts as asked", a.Introduced)
	silent(t, a)
}
