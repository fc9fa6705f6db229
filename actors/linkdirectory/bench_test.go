package linkdirectory

import (
	"encoding/binary"
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
		if r.reserve(&r.wanted, call{request, stepReserve}, r.now) == nil {
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
