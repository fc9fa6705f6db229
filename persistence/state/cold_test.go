package state

import (
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"ssod/persistence/data"
	"ssod/persistence/layout"
)

// storeCold puts heads of a kilobyte on disk, past the log, and lets Pebble come to
// rest.
func storeCold(t testing.TB, s *store, entities int) {
	t.Helper()
	for i := range entities {
		e := founded(i)
		head := layout.AppendHead(nil, e.Identity, data.Head{Rev: 1, Schema: 1, State: make([]byte, 1000)}, false)
		k := s.salt.AppendHeadKey(nil, 1, e)
		if err := s.db.Set(k, head, pebble.NoSync); err != nil {
			t.Fatal(err)
		}
		s.mu.Lock()
		s.known.add(k)
		s.mu.Unlock()
	}
	if err := s.db.Flush(); err != nil {
		t.Fatal(err)
	}
	span := layout.ShardSpan(1)
	if err := s.db.Compact(t.Context(), span.Start, span.End, false); err != nil {
		t.Fatal(err)
	}
}

// TestAColdHeadIsOneRead: indexes and filters stay in the cache, whatever the
// memtables take, so that an entity on disk costs a block and no more.
func TestAColdHeadIsOneRead(t *testing.T) {
	const entities, looked = 40_000, 4000
	var reads atomic.Int64 // of tables
	fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpFileReadAt && strings.HasSuffix(op.Path, ".sst") {
			reads.Add(1)
		}
		return nil
	}))
	s := open(t, options{fs: fs, cache: 8 << 20, memTable: 8 << 20})
	storeCold(t, s, entities)
	order := rand.New(rand.NewPCG(1, 2)).Perm(entities)
	look := func(from, to int) {
		t.Helper()
		for _, i := range order[from:to] {
			if h, ok, err := s.Head(1, founded(i)); err != nil || !ok || len(h.State) != 1000 {
				t.Fatalf("head of %v: %d bytes, %v, %v", founded(i), len(h.State), ok, err)
			}
		}
	}
	look(0, looked) // whatever is read for the first time
	before := reads.Load()
	look(looked, 2*looked)
	if each := float64(reads.Load()-before) / looked; each > 1.1 {
		t.Errorf("%.2f reads for each head on disk, want at most one and a little", each)
	}
	look(looked, looked+1)
	e := founded(order[looked])
	if got := testing.AllocsPerRun(100, func() { _, _, _ = s.Head(1, e) }); got > mostAllocs {
		t.Errorf("%v allocations for a head, want at most %d", got, mostAllocs)
	}
}

// mostAllocs is what a read of a head allocates: its key, its value and what Pebble
// does.
const mostAllocs = 8
