package transport

import (
	"net"
	"net/netip"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// Bounds of the connections whose other side has not proven that it is a node. Each costs
// two goroutines and some 10 KB.
const (
	// maxStrangers is for all sources at which no node is known, and strangersEach for
	// each of them.
	maxStrangers  = 128
	strangersEach = 16
	// reserved is for each address at which a node is known, in addition. It is more,
	// because nodes and strangers on one machine share it.
	reserved = 64
)

// porch has the connections whose other side has not proven yet that it is a node. There is
// always room for one more: the oldest is evicted. A node is done after two messages, so it
// gets in unless strangers fill the room meanwhile, and silent ones keep no node out.
type porch struct {
	evicted prometheus.Counter

	mu     sync.Mutex
	guests []*guest // in the order of arrival
}

// guest is one of the connections.
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

// leave removes a guest and reports false if it was evicted before.
func (p *porch) leave(g *guest) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(p.guests, g)
	if i >= 0 {
		p.guests = slices.Delete(p.guests, i, i+1)
	}
	return i >= 0
}

// makeRoom evicts a connection if there are too many for one more like g. The caller holds
// the lock.
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
	p.evicted.Inc()
}

// standing counts the connections.
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

// neighbourhood is the set of sources that share their room: an IPv6 address stands for its
// /64, unless it is a node's.
func neighbourhood(addr netip.Addr, known bool) netip.Prefix {
	bits := addr.BitLen()
	if bits == 128 && !known {
		bits = 64
	}
	prefix, _ := addr.Prefix(bits) // the zero Prefix of the zero Addr
	return prefix
}

// knows reports whether a node came from an address or is dialed there.
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

// dialedAt reports whether the node is dialed at an IP address; names are not resolved.
func (p *peer) dialedAt(addr netip.Addr) bool {
	at, err := netip.ParseAddrPort(p.target().Addr)
	return err == nil && at.Addr().Unmap().WithZone("") == addr
}
