package entitlement

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"ssod/actors/session"
)

var (
	evening = time.Date(2026, 1, 2, 20, 0, 0, 0, time.UTC)
	here    = netip.MustParseAddr("192.0.2.1")
)

func numbered(i int) session.ID { return session.ID{ServiceProvider: "tv", Code: fmt.Sprint(i)} }

// spent is a budget that was just spent on the codes 0 to 59.
func spent(t *testing.T) *guesses {
	t.Helper()
	g := newGuesses(maxGuessers)
	for i := range maxGuesses {
		now := evening.Add(time.Duration(i) * time.Second)
		if wait := g.wait(here, numbered(i), now); wait != 0 {
			t.Fatalf("code %d has to wait %v", i, wait)
		}
		if wait := g.missed(here, numbered(i), now); wait != 0 {
			t.Fatalf("code %d is not told, for %v", i, wait)
		}
	}
	return g
}

// TestHowManyCodesAnAddressMayGuess is the budget from every side, a minute after
// its first guess.
func TestHowManyCodesAnAddressMayGuess(t *testing.T) {
	for _, tt := range []struct {
		name    string
		address string
		code    int
		after   time.Duration
		want    time.Duration
	}{
		{"another code", "192.0.2.1", 60, time.Minute, 14 * time.Minute},
		{"a dead code that is polled", "192.0.2.1", 7, time.Minute, 0},
		{"another address", "192.0.2.2", 60, time.Minute, 0},
		{"the same address in IPv6", "::ffff:192.0.2.1", 60, time.Minute, 14 * time.Minute},
		{"just before the first guess is old", "192.0.2.1", 60, guessWindow - time.Second, time.Second},
		{"when the first guess is old", "192.0.2.1", 60, guessWindow, 0},
		{"after a clock was set back", "192.0.2.1", 60, -time.Hour, guessWindow},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := spent(t)
			a, now := netip.MustParseAddr(tt.address), evening.Add(tt.after)
			if got := g.wait(a, numbered(tt.code), now); got != tt.want {
				t.Errorf("wait: got %v, want %v", got, tt.want)
			}
			if got := g.missed(a, numbered(tt.code), now); got != tt.want {
				t.Errorf("missed: got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestADeadCodeCountsOnce however often it is polled and by however many.
func TestADeadCodeCountsOnce(t *testing.T) {
	g := newGuesses(maxGuessers)
	for i := range 10_000 {
		now := evening.Add(time.Duration(i) * time.Second)
		if g.missed(here, numbered(0), now) != 0 || len(g.by[here]) != 1 {
			t.Fatalf("after %d polls %d guesses are counted", i, len(g.by[here]))
		}
	}
	other := session.ID{ServiceProvider: "tv2", Code: "0"}
	if g.missed(here, other, evening); len(g.by[here]) != 2 {
		t.Error("the same code of another service provider is no guess")
	}
}

// TestAHostIsOneGuesser: whatever address of its /64 it calls from.
func TestAHostIsOneGuesser(t *testing.T) {
	g := newGuesses(maxGuessers)
	host := netip.MustParseAddr("2001:db8:0:7::1")
	for i := range maxGuesses {
		g.missed(host, numbered(i), evening)
		host = host.Next()
	}
	if g.wait(netip.MustParseAddr("2001:db8:0:7:ffff::1"), numbered(60), evening) == 0 {
		t.Error("the same /64 may go on")
	}
	if g.wait(netip.MustParseAddr("2001:db8:0:8::1"), numbered(60), evening) != 0 {
		t.Error("the next /64 may not")
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// crowded are the guesses of four times as many addresses as are remembered.
func crowded(t *testing.T, most int) *guesses {
	t.Helper()
	g := newGuesses(most)
	for i := range 4 * most {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(i))
		for n := range maxGuesses + 5 {
			g.missed(netip.AddrFrom4(b), numbered(n), evening)
		}
		if len(g.by) > most {
			t.Fatalf("%d addresses are remembered, want at most %d", len(g.by), most)
		}
		if n := len(g.by[netip.AddrFrom4(b)]); n != maxGuesses {
			t.Fatalf("%d guesses are remembered, want %d", n, maxGuesses)
		}
	}
	return g
}

// TestGuessesAreBounded: from many addresses, each with as many guesses as are
// counted, and weighed.
func TestGuessesAreBounded(t *testing.T) {
	const most = 1 << 11
	var g *guesses
	each := int64(math.MaxInt64)
	for range 3 { // others of this process may begin to hold something meanwhile
		g = nil
		before := heap()
		g = crowded(t, most)
		each = min(each, (heap()-before)/most)
		runtime.KeepAlive(g)
	}
	t.Logf("%d bytes for each address, %d MB for all", each, each*maxGuessers>>20)
	if each > 700 {
		t.Errorf("%d bytes for each address", each)
	}
	g.missed(here, numbered(0), evening.Add(guessWindow))
	for i := range most / 2 {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(1<<30+i))
		g.missed(netip.AddrFrom4(b), numbered(0), evening.Add(guessWindow))
	}
	if _, kept := g.by[here]; !kept {
		t.Error("a new guess was forgotten although there were old ones")
	}
}
