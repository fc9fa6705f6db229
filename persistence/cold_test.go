package persistence

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// readFS counts how often a table is read.
type readFS struct {
	vfs.FS
	reads atomic.Int64
}

func (f *readFS) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	file, err := f.FS.Open(name, opts...)
	if err == nil && strings.HasSuffix(name, ".sst") {
		file = tableReads{file, &f.reads}
	}
	return file, err
}

type tableReads struct {
	vfs.File
	reads *atomic.Int64
}

func (f tableReads) ReadAt(p []byte, at int64) (int, error) {
	f.reads.Add(1)
	return f.File.ReadAt(p, at)
}

// storeCold puts heads of a kilobyte on disk, past the log, and lets Pebble come to
// rest.
func storeCold(t testing.TB, s *Store, entities int) {
	t.Helper()
	for i := range entities {
		e := founded(i)
		head := binary.BigEndian.AppendUint64(nil, 1) // revision
		head = append(head, 0, 0, 0, 1, 0)            // schema, flags
		head = binary.BigEndian.AppendUint16(head, uint16(len(e.Identity)))
		head = append(append(head, e.Identity...), make([]byte, 1000)...)
		k := s.salt.appendHeadKey(nil, 1, e)
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
	if err := s.db.Compact(t.Context(), []byte{spaceShard}, []byte{spaceShard + 1}, false); err != nil {
		t.Fatal(err)
	}
}

// TestAColdHeadIsOneRead: indexes and filters stay in the cache, whatever the
// memtables take, so that an entity on disk costs a block and no more.
func TestAColdHeadIsOneRead(t *testing.T) {
	const entities, looked = 40_000, 4000
	fs := &readFS{FS: vfs.NewMem()}
	s := openStore(t, Options{FS: fs, CacheBytes: 8 << 20, MemTableBytes: 8 << 20})
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
	before := fs.reads.Load()
	look(looked, 2*looked)
	if each := float64(fs.reads.Load()-before) / looked; each > 1.1 {
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
