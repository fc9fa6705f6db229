package transport

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
)

// How many connections may be open at a time whose other side has not proven that
// it is a node. Each is two goroutines and some 10 KB.
const (
	// maxStrangers is for all sources that no node is known at, and
	// strangersEach for each one of them.
	maxStrangers  = 128
	strangersEach = 16
	// reserved is for each address that a node is known at, beside those. It is
	// more: on one machine, nodes and strangers have the same.
	reserved = 64
)

// porch is where connections stand until the other side has proven that it is a
// node. There is always room for one more: the one that has stood there for the
// longest must go. A node is through in the time of two messages, so it comes in as
// long as fewer strangers come meanwhile than have room, and silence is of no use to
// them.
type porch struct {
	evicted atomic.Uint64 // had to go

	mu     sync.Mutex
	guests []*guest // in the order in which they came
}

// guest is who stands there.
type guest struct {
	conn  net.Conn
	from  netip.Prefix
	known bool // a node is known at that address
}

// enter lets a connection in.
func (p *porch) enter(conn net.Conn, knows func(netip.Addr) bool) *guest {
	addr := *sourceOf(conn)
	g := &guest{conn: conn, known: knows(addr)}
	g.from = neighbourhood(addr, g.known)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.makeRoom(g)
	p.guests = append(p.guests, g)
	return g
}

// leave lets a guest go, who is a node or gave up. It reports false if that one had
// to go before.
func (p *porch) leave(g *guest) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(p.guests, g)
	if i >= 0 {
		p.guests = slices.Delete(p.guests, i, i+1)
	}
	return i >= 0
}

// makeRoom ends a connection if there are too many for one more like g. The caller
// holds the lock.
func (p *porch) makeRoom(g *guest) {
	each := strangersEach
	if g.known {
		each = reserved
	}
	like := func(o *guest) bool { return o.from == g.from && o.known == g.known }
	strange := func(o *guest) bool { return !o.known }
	switch {
	case p.count(like) >= each:
		p.evict(like)
	case !g.known && p.count(strange) >= maxStrangers:
		p.evict(strange)
	}
}

func (p *porch) count(which func(*guest) bool) (n int) {
	for _, g := range p.guests {
		if which(g) {
			n++
		}
	}
	return n
}

// evict ends the first of the connections.
func (p *porch) evict(which func(*guest) bool) {
	i := slices.IndexFunc(p.guests, which)
	p.guests[i].conn.Close()
	p.guests = slices.Delete(p.guests, i, i+1)
	p.evicted.Add(1)
}

// standing is how many connections stand there.
func (p *porch) standing() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.guests)
}

// sourceOf is the address that a connection comes from; the zero Addr if it has
// none.
func sourceOf(c net.Conn) *netip.Addr {
	at, _ := netip.ParseAddrPort(c.RemoteAddr().String())
	addr := at.Addr().Unmap().WithZone("")
	return &addr
}

// neighbourhood is whom a source shares its room with: who has one address of IPv6
// has a network of them, unless it is a node's.
func neighbourhood(addr netip.Addr, known bool) netip.Prefix {
	bits := addr.BitLen()
	if bits == 128 && !known {
		bits = 64
	}
	prefix, _ := addr.Prefix(bits) // the zero Prefix of the zero Addr
	return prefix
}

// knows reports whether a node is known at an address: it came from there, or is
// dialed there.
func (n *Network) knows(addr netip.Addr) bool {
	n.mu.RLock()
	defer n.mu.RUnlock()
	for _, p := range n.peers {
		if source := p.source.Load(); source != nil && *source == addr || p.dialedAt(addr) {
			return true
		}
	}
	return false
}

// dialedAt reports whether the node is dialed at an IP address. Names are not
// looked up.
func (p *peer) dialedAt(addr netip.Addr) bool {
	at, err := netip.ParseAddrPort(p.target().Addr)
	return err == nil && at.Addr().Unmap().WithZone("") == addr
}
