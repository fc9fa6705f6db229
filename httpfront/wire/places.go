package wire

import (
	"cmp"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// places are those of the open connections of a listener. When all are taken, idle
// connections make room, first those of the holder with the most: so clients that hold
// idle connections lock no others out. A newcomer takes places only from holders with more
// than its own, or a client that keeps connecting would lock all others out.
type places struct {
	max int

	mu    sync.Mutex
	taken map[*place]struct{}
	held  map[netip.Addr]int // connections of each holder that is counted
	vain  vain
	tally Counts
}

// vain is the last search for idle connections that found none.
type vain struct {
	own   int // connections of the newcomer that it was made for
	until time.Time
}

// vainPause is how long a search in vain is not repeated, nor made for a newcomer with
// more: a search takes up to a millisecond, and every refused connection could cause one.
const vainPause = 10 * time.Millisecond

// place is that of one connection.
type place struct {
	places *places
	socket net.Conn
	holder netip.Addr
	most   int // connections of the holder; 0: any number

	// idle is when the connection began to wait for a request, in Unix
	// nanoseconds; 0 in the middle of one, evicted when it has lost its place.
	idle atomic.Int64
}

const evicted = -1

func newPlaces(max int) places {
	return places{max: max, taken: make(map[*place]struct{}), held: make(map[netip.Addr]int)}
}

// enter takes a place and reports whether there was one.
func (ps *places) enter(p *place) bool {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if p.most > 0 && ps.held[p.holder] >= p.most {
		ps.tally.Crowded++
		return false
	}
	if len(ps.taken) >= ps.max && !ps.evict(p) {
		ps.tally.Full++
		return false
	}
	ps.taken[p] = struct{}{}
	if p.most > 0 {
		ps.held[p.holder]++
	}
	return true
}

// leave gives the place back, if it was not taken away before.
func (ps *places) leave(p *place) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.remove(p)
}

func (ps *places) remove(p *place) {
	if _, ok := ps.taken[p]; !ok {
		return
	}
	delete(ps.taken, p)
	if p.most == 0 {
		return
	}
	if ps.held[p.holder]--; ps.held[p.holder] == 0 {
		delete(ps.held, p.holder)
	}
}

// weight is how many connections count against one that is idle. Holders without
// a bound, which are proxies, stand for many clients.
func (ps *places) weight(p *place) int {
	if p.most == 0 {
		return 1
	}
	return ps.held[p.holder]
}

// idler is a connection that may be evicted.
type idler struct {
	*place
	weight int
	since  int64
}

// evict makes room for a newcomer by closing connections that wait for a request,
// and reports whether it has. Several go at once, since looking for them means
// looking at all.
func (ps *places) evict(newcomer *place) (room bool) {
	var idle []idler
	own, now := ps.held[newcomer.holder], time.Now()
	if own >= ps.vain.own && now.Before(ps.vain.until) {
		return false
	}
	for p := range ps.taken {
		if i := (idler{p, ps.weight(p), p.idle.Load()}); i.since > 0 && i.weight > own {
			idle = append(idle, i)
		}
	}
	slices.SortFunc(idle, func(a, b idler) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.since, b.since))
	})
	for _, i := range idle[:min(len(idle), 1+ps.max/64)] {
		if !i.idle.CompareAndSwap(i.since, evicted) {
			continue // a request has begun
		}
		_ = i.socket.Close() // its goroutine reads an error and ends
		ps.remove(i.place)
		ps.tally.Evicted++
		room = true
	}
	if !room {
		ps.vain = vain{own, now.Add(vainPause)}
	}
	return room
}

// crowded reports whether more than three quarters of all places, or of the
// holder's, are taken.
func (ps *places) crowded(p *place) bool {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return 4*len(ps.taken) > 3*ps.max || p.most > 0 && 4*ps.held[p.holder] > 3*p.most
}

func (ps *places) counts() Counts {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	c := ps.tally
	c.Open = len(ps.taken)
	return c
}
