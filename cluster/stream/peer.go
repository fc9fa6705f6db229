package stream

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"ssod/cluster/proof"
)

const (
	// dialTime bounds a connection attempt to a host that does not answer, with its
	// handshake.
	dialTime = time.Second
	// restTime is how long a node is not dialed after a connection broke or was refused:
	// a node that stops closes its connections before the cluster's network notices.
	restTime = 500 * time.Millisecond
	// downTime is the same after a host did not answer, or had the wrong papers.
	downTime = 2 * time.Second
	// maxPeers bounds the addresses that are known.
	maxPeers = 1024
)

// peer is an address of another node.
type peer struct {
	n       *Node
	address string
	link    atomic.Pointer[Link] // nil: none

	mu   sync.Mutex
	rest time.Time // until when it is not dialed
	met  bool      // there was a connection
	said string    // what was logged last
}

// Link returns the link to the node at an address, which it dials if there is none. It fails
// with [ErrDown] when a connection broke or could not be made lately.
func (n *Node) Link(address string) (*Link, error) {
	p, err := n.peer(address)
	if err != nil {
		return nil, err
	}
	if l := p.link.Load(); l != nil {
		return l, nil
	}
	return p.connect()
}

// Met reports whether there ever was a connection to the address.
func (n *Node) Met(address string) bool {
	n.mu.RLock()
	p := n.peers[address]
	n.mu.RUnlock()
	if p == nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.met
}

func (n *Node) peer(address string) (*peer, error) {
	n.mu.RLock()
	p := n.peers[address]
	n.mu.RUnlock()
	if p != nil {
		return p, nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if p := n.peers[address]; p != nil {
		return p, nil
	}
	if len(n.peers) == maxPeers {
		return nil, fmt.Errorf("%w: %d addresses are known", ErrDown, maxPeers)
	}
	p = &peer{n: n, address: address}
	n.peers[address] = p
	return p, nil
}

func (n *Node) known() []*peer {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return slices.Collect(maps.Values(n.peers))
}

// connect takes the link that the node dialed, or dials it.
func (p *peer) connect() (*Link, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l := p.link.Load(); l != nil {
		return l, nil
	}
	if l := p.n.dialed(p.address); l != nil {
		p.use(l)
		return l, nil
	}
	if time.Now().Before(p.rest) {
		return nil, ErrDown
	}
	l := newLink(p.n)
	p.link.Store(l)
	if err := p.n.keep(l, func() { p.dial(l) }); err != nil {
		p.link.Store(nil)
		return nil, ErrDown
	}
	return l, nil
}

// use makes a link that is up the one to the node. The caller holds the lock.
func (p *peer) use(l *Link) {
	p.link.Store(l)
	p.met, p.said, p.rest = true, "", time.Time{}
	if !l.Up() { // it ended before it could be lost here
		p.link.CompareAndSwap(l, nil)
	}
}

// dialed is the link that the node at an address dialed, if there is one.
func (n *Node) dialed(address string) *Link {
	if n.cfg.Papers.At == nil {
		return nil
	}
	m, ok := n.cfg.Papers.At(address)
	if !ok {
		return nil
	}
	n.mu.RLock()
	l := n.dialing[m.ID]
	n.mu.RUnlock()
	if l == nil || !l.Up() {
		return nil
	}
	return l
}

// adopt makes a link that another node dialed the one to it, unless there is a preferred
// one.
func (n *Node) adopt(l *Link) {
	if n.cfg.Papers.At == nil {
		return
	}
	n.mu.Lock()
	n.dialing[l.member.ID] = l
	n.mu.Unlock()
	for _, p := range n.known() {
		if m, ok := n.cfg.Papers.At(p.address); !ok || m != l.member {
			continue
		}
		p.mu.Lock()
		if p.link.Load() == nil || l.member.ID < n.cfg.Papers.Self.ID {
			p.use(l)
		}
		p.mu.Unlock()
	}
}

// dial makes a connection and uses it.
func (p *peer) dial(l *Link) {
	c, err := p.reach()
	if err != nil {
		l.end(err)
		return
	}
	defer c.under.Close()
	defer context.AfterFunc(p.n.ctx, func() { c.under.Close() })()
	if !l.begin(c) {
		return
	}
	p.mu.Lock()
	p.met, p.said = true, ""
	p.mu.Unlock()
	l.run()
}

func (p *peer) reach() (conn, error) {
	ctx, cancel := context.WithTimeout(p.n.ctx, dialTime)
	defer cancel()
	var d net.Dialer
	raw, err := d.DialContext(ctx, "tcp", p.address)
	if err != nil {
		return conn{}, err
	}
	c, err := p.n.cfg.Papers.greet(ctx, raw, p.address)
	if err != nil {
		raw.Close()
	}
	return c, err
}

// lose notes that a link has ended.
func (p *peer) lose(l *Link, why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.link.CompareAndSwap(l, nil) {
		return
	}
	pause := restTime
	if !l.up && permanent(why) {
		pause = downTime
	}
	p.rest = time.Now().Add(pause)
	if text := why.Error(); p.n.ctx.Err() == nil && text != p.said {
		p.said = text
		p.n.cfg.Log.Warn("no connection to the actors of a node", "address", p.address, "error", why)
	}
}

// permanent reports whether a connection cannot be made soon either: no host answers, or the
// papers are wrong.
func permanent(err error) bool {
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		return true
	}
	return errors.Is(err, ErrStranger) || errors.Is(err, proof.ErrSecret)
}
