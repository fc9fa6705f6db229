package linkdirectory

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"ssod/cluster"
)

// full returns a directory with n live codes.
func full(b testing.TB, n int) (*realmDirectory, []given) {
	r := newRealm(b)
	r.wanted.MaxLive, r.wanted.TtlMs = 1<<30, time.Hour.Milliseconds()
	codes := make([]given, n)
	for i := range codes {
		codes[i] = r.decideOne()
	}
	r.commit()
	return r, codes
}

func BenchmarkReserve(b *testing.B) {
	r := newRealm(b)
	r.wanted.MaxLive = 1 << 30
	for i := 0; b.Loop(); i++ {
		var request cluster.RequestID
		binary.BigEndian.PutUint64(request[:], uint64(i))
		if r.reserve(&r.wanted, call{request, StepReserve}, r.now) == nil {
			b.Fatal("full")
		}
		if i%64 == 63 {
			r.applied(r.batch(), r.now)
		}
	}
}

func BenchmarkResolve(b *testing.B) {
	r, codes := full(b, 10_000)
	queries := make([]*Resolve, len(codes))
	for i, c := range codes {
		queries[i] = r.query(c.code, uint64(i), uint64(i))
	}
	for i := 0; b.Loop(); i++ {
		var request cluster.RequestID
		binary.BigEndian.PutUint64(request[:], uint64(i))
		q := queries[i%len(queries)]
		if reply, _ := r.resolve(q, request, true, r.now); reply.Failure != Failure_OK {
			b.Fatal(reply.Failure)
		}
		r.settle(&Settle{CodeHash: q.CodeHash, Verdict: Verdict_REFUNDED}, request, r.now)
	}
}

func BenchmarkLoad(b *testing.B) {
	r, _ := full(b, 200_000)
	b.ResetTimer()
	for b.Loop() {
		d := newDirectory(testKey, r.watch)
		if err := d.load(reader{r.head, r.stored}, cluster.Entity{}, time.Now()); err != nil {
			b.Fatal(err)
		}
		if d.live != 200_000 {
			b.Fatal(d.live)
		}
	}
}

// BenchmarkMiss is a look-up that finds nothing, with its share of commits.
func BenchmarkMiss(b *testing.B) {
	r, _ := full(b, 10_000)
	r.budgets.WrongHits = 1 << 60
	queries := make([]*Resolve, 10_000)
	for i := range queries {
		queries[i] = r.query(fmt.Sprintf("%06d", i), uint64(i), uint64(i))
	}
	for i := 0; b.Loop(); i++ {
		r.now = r.now.Add(200 * time.Millisecond)
		if reply, _ := r.ask(queries[i%len(queries)]); reply.Failure == Failure_CLOSED {
			b.Fatal(reply.Failure)
		}
	}
}

// BenchmarkQuery is what a node computes of a guess before it asks.
func BenchmarkQuery(b *testing.B) {
	c := NewClient(nil, fixedKey{})
	for _, address := range []string{"192.0.2.1", "2001:db8::1"} {
		b.Run(address, func(b *testing.B) {
			g := Guess{Typed: "228128", Device: []byte("device"), Address: netip.MustParseAddr(address), WrongHits: 0.5}
			for b.Loop() {
				c.Resolve("acme", g)
			}
		})
	}
}

type fixedKey struct{}

func (fixedKey) LinkCodeKey(string) []byte { return testKey }
