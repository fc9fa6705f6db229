package wire

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// socket is a connection of which only the end matters.
type socket struct {
	net.Conn
	closed bool
}

func (s *socket) Close() error {
	s.closed = true
	return nil
}

// crowd is a set of places with connections, by name.
type crowd struct {
	*testing.T
	places
	conns map[string]*place
}

func newCrowd(t *testing.T, max int) *crowd {
	return &crowd{T: t, places: newPlaces(max), conns: map[string]*place{}}
}

// come lets a connection of a holder enter and wait for a request since a time; 0
// is in the middle of one.
func (c *crowd) come(holder string, most int, since int64) bool {
	p := &place{places: &c.places, socket: &socket{}, most: most}
	if most > 0 {
		p.holder = netip.MustParseAddr(holder)
	}
	p.idle.Store(since)
	c.conns[fmt.Sprint(holder, "/", since)] = p
	return c.enter(p)
}

func (c *crowd) lost(names ...string) {
	c.Helper()
	for _, name := range names {
		p := c.conns[name]
		if _, has := c.taken[p]; has || !p.socket.(*socket).closed || p.idle.Load() != evicted {
			c.Errorf("%s still has its place", name)
		}
		delete(c.conns, name)
	}
	for name, p := range c.conns {
		if _, has := c.taken[p]; !has && p.socket.(*socket).closed {
			c.Errorf("%s lost its place", name)
		}
	}
}

const one, two, three, four = "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"

func TestOneHolderHasSoManyPlaces(t *testing.T) {
	c := newCrowd(t, 100)
	if !c.come(one, 2, 1) || !c.come(one, 2, 2) || c.come(one, 2, 3) {
		t.Error("want two connections of two, and not three")
	}
	if !c.come(two, 2, 1) {
		t.Error("another holder was refused")
	}
	for i := range 10 {
		if !c.come("proxy", 0, int64(1+i)) {
			t.Error("one without a bound was refused")
		}
	}
	c.leave(c.conns[one+"/1"])
	c.leave(c.conns[one+"/1"])
	if !c.come(one, 2, 4) || c.come(one, 2, 5) {
		t.Error("want one place back for one that left, whatever it says again")
	}
	if got := c.counts(); got != (Counts{Open: 13, Crowded: 2}) {
		t.Errorf("got %+v", got)
	}
	c.lost()
}

// Those that wait make room, first of whoever has the most, then who has waited for
// the longest.
func TestIdleConnectionsMakeRoom(t *testing.T) {
	c := newCrowd(t, 6)
	for _, in := range []struct {
		holder string
		most   int
		since  int64
	}{{one, 9, 1}, {"proxy", 0, 2}, {two, 9, 5}, {two, 9, 4}, {two, 9, 0}, {three, 9, 3}} {
		if !c.come(in.holder, in.most, in.since) {
			t.Fatalf("%+v was refused", in)
		}
	}
	for _, lost := range []string{two + "/4", two + "/5", one + "/1"} {
		if !c.come(four, 9, 0) {
			t.Fatalf("refused, want the place of %s", lost)
		}
		c.lost(lost)
		c.leave(c.conns[four+"/0"]) // the newcomer
		if !c.come("proxy", 0, 0) {
			t.Fatal("refused although there is room")
		}
	}
	if got := c.counts(); got != (Counts{Open: 6, Evicted: 3}) {
		t.Errorf("got %+v", got)
	}
}

// Nobody in the middle of a request is evicted, and nobody for the sake of one that
// has as much.
func TestWhoMayNotBeEvicted(t *testing.T) {
	c := newCrowd(t, 3)
	for i, holder := range []string{one, one, two} {
		if !c.come(holder, 9, int64(i/2)) { // two is idle
			t.Fatal("refused although there is room")
		}
	}
	if c.come(one, 9, 7) {
		t.Error("one that has two took the place of one that has a single one")
	}
	if c.come(two, 9, 7) {
		t.Error("one took the place of its like")
	}
	if !c.come(three, 9, 0) {
		t.Error("one that has none was refused")
	}
	c.lost(two + "/1")
	if c.come(four, 9, 0) {
		t.Error("one got the place of somebody in the middle of a request")
	}
	if got := c.counts(); got != (Counts{Open: 3, Full: 3, Evicted: 1}) {
		t.Errorf("got %+v", got)
	}
}

// A search that found nobody idle is not made again at once, unless for one who has
// less: strangers could have all places looked at for each connection refused.
func TestASearchInVainIsNotRepeatedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 4)
		for _, holder := range []string{one, one, two, two} {
			if !c.come(holder, 9, 0) {
				t.Fatal("refused although there is room")
			}
		}
		if c.come(one, 9, 5) {
			t.Error("one got the place of somebody in the middle of a request")
		}
		c.conns[two+"/0"].idle.Store(1)
		if !c.come(three, 9, 0) {
			t.Error("one that has less was not looked for")
		}
		if c.come(four, 9, 5) {
			t.Error("another got the place of somebody in the middle of a request")
		}
		c.conns[one+"/0"].idle.Store(1)
		if c.come(four, 9, 0) {
			t.Error("all places were looked at again")
		}
		time.Sleep(vainPause)
		if !c.come(four, 9, 0) {
			t.Error("a moment later: refused although somebody is idle")
		}
	})
}

func TestCrowdedPlaces(t *testing.T) {
	c := newCrowd(t, 8)
	for i := range 8 {
		holder, most := one, 4
		if i >= 4 {
			holder, most = "proxy", 0
		}
		if !c.come(holder, most, 0) {
			t.Fatal("refused although there is room")
		}
		p := &place{places: &c.places, holder: netip.MustParseAddr(one), most: 4}
		if got, want := c.crowded(p), i >= 3; got != want {
			t.Errorf("%d connections of a holder that may have 4: crowded %v, want %v", i+1, got, want)
		}
		if got, want := c.crowded(&place{places: &c.places}), i >= 6; got != want {
			t.Errorf("%d connections of 8: crowded %v, want %v", i+1, got, want)
		}
	}
}

func BenchmarkEvict(b *testing.B) {
	const max = 20_000
	ps := newPlaces(max)
	holder := netip.MustParseAddr("10.0.0.0")
	for i := range max + b.N {
		if i%50 == 0 {
			holder = holder.Next()
		}
		p := &place{places: &ps, socket: &socket{}, holder: holder, most: 1000}
		p.idle.Store(int64(1 + i))
		if i == max {
			b.ResetTimer()
		}
		ps.enter(p)
	}
}
