package db

import (
	"crypto/sha256"
	"encoding/binary"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"golang.org/x/sys/unix"

	"ssod/persistence/data"
	"ssod/persistence/disk"
	"ssod/persistence/layout"
)

var coldHeads = flag.Int("cold", 0, "how many heads BenchmarkCold stores; 0 leaves it out")

// coldSettings are what Pebble's settings are compared with.
var coldSettings = []struct {
	name   string
	change func(*pebble.Options)
}{
	{"as they are", func(*pebble.Options) {}},
	{"cache for memtables only", func(p *pebble.Options) { p.CacheSize = 64 << 20 }},
	{"cache of 256 MiB more", func(p *pebble.Options) { p.CacheSize += 256 << 20 }},
	{"blocks of 2 KiB", eachLevel(func(l *pebble.LevelOptions) { l.BlockSize = 2 << 10 })},
	{"blocks of 8 KiB", eachLevel(func(l *pebble.LevelOptions) { l.BlockSize = 8 << 10 })},
	{"index blocks of 256 KiB", eachLevel(func(l *pebble.LevelOptions) { l.IndexBlockSize = 256 << 10 })},
	{"filters of 16 bits", eachLevel(func(l *pebble.LevelOptions) { l.FilterPolicy = bloom.FilterPolicy(16) })},
	{"snappy", eachLevel(func(l *pebble.LevelOptions) {
		l.Compression = func() *sstable.CompressionProfile { return sstable.SnappyCompression }
	})},
	{"level 0 compacted at two tables deep", func(p *pebble.Options) { p.L0CompactionThreshold = 4 }},
	{"level 0 compacted at six tables deep", func(p *pebble.Options) { p.L0CompactionThreshold = 12 }},
	{"base level of 64 MiB", func(p *pebble.Options) { p.LBaseMaxBytes = 64 << 20 }},
	{"base level of 256 MiB", func(p *pebble.Options) { p.LBaseMaxBytes = 256 << 20 }},
}

func eachLevel(f func(*pebble.LevelOptions)) func(*pebble.Options) {
	return func(p *pebble.Options) {
		for i := range p.Levels {
			f(&p.Levels[i])
		}
	}
}

// BenchmarkCold compares settings of Pebble for heads that lie on disk: CPU time and
// reads of one that is looked up, CPU time and bytes written, compactions included,
// of one that is changed. persistence/DESIGN.md#settings-of-pebble has its table.
func BenchmarkCold(b *testing.B) {
	if *coldHeads == 0 {
		b.Skip("-cold says how many heads are stored; a million take two minutes for each setting")
	}
	for _, s := range coldSettings {
		b.Run(s.name, func(b *testing.B) { benchCold(b, *coldHeads, s.change) })
	}
}

// coldStore is Pebble with heads such as those of profiles.
type coldStore struct {
	b     *testing.B
	db    *pebble.DB
	reads atomic.Int64 // of tables
}

func benchCold(b *testing.B, heads int, change func(*pebble.Options)) {
	s := &coldStore{b: b}
	counted := errorfs.Wrap(vfs.Default, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpFileReadAt && strings.HasSuffix(op.Path, ".sst") {
			s.reads.Add(1)
		}
		return nil
	}))
	c := Config{FS: disk.TableFS{FS: counted}, CacheBytes: 64 << 20, MemTableBytes: 64 << 20}
	po := c.pebble(&logger{log: slog.New(slog.DiscardHandler), fail: func(err error) { panic(err) }})
	change(po)
	var err error
	s.db, err = pebble.Open(b.TempDir(), po)
	s.must(err)
	defer s.db.Close()
	all := make([]int, heads)
	for i := range all {
		all[i] = i
	}
	s.write(all, 3)
	order := rand.New(rand.NewPCG(1, 2)).Perm(heads)
	looked := heads / 10
	s.look(order[:looked]) // indexes and filters come into the cache
	reads, cpu := s.reads.Load(), cpuTime(b)
	s.look(order[looked : 2*looked])
	b.ReportMetric(float64(cpuTime(b)-cpu)/1e3/float64(looked), "us/look")
	b.ReportMetric(float64(s.reads.Load()-reads)/float64(looked), "reads/look")

	before, cpu := s.db.Metrics(), cpuTime(b)
	changed := order[:heads/2]
	s.write(changed, 4)
	t0, t1 := before.Total(), s.db.Metrics().Total()
	written := t1.TableBytesFlushed + t1.TableBytesCompacted - t0.TableBytesFlushed - t0.TableBytesCompacted
	b.ReportMetric(float64(cpuTime(b)-cpu)/1e3/float64(len(changed)), "us/change")
	b.ReportMetric(float64(written)/float64(len(changed)), "B/change")
	b.ReportMetric(float64(s.db.Metrics().DiskSpaceUsage())/(1<<20), "MiB")
	b.ReportMetric(0, "ns/op")
}

func (s *coldStore) must(err error) {
	if err != nil {
		s.b.Fatal(err)
	}
}

// write puts heads, as many at a time as a flush does and in the order of their
// keys, and returns when Pebble is at rest.
func (s *coldStore) write(all []int, devices int) {
	for some := range slices.Chunk(all, 20_000) {
		keys := make([]string, len(some))
		number := make(map[string]int, len(some))
		for i, n := range some {
			keys[i] = coldKey(n)
			number[keys[i]] = n
		}
		slices.Sort(keys)
		w := s.db.NewBatch()
		for _, k := range keys {
			s.must(w.Set([]byte(k), coldHead(number[k], devices), nil))
		}
		s.must(w.Commit(pebble.NoSync))
		s.must(w.Close())
	}
	s.must(s.db.Flush())
	for at := s.db.Metrics(); at.Compact.NumInProgress+at.Flush.NumInProgress > 0; at = s.db.Metrics() {
		<-time.After(20 * time.Millisecond)
	}
}

func (s *coldStore) look(all []int) {
	for _, n := range all {
		v, closer, err := s.db.Get([]byte(coldKey(n)))
		s.must(err)
		_ = slices.Clone(v)
		s.must(closer.Close())
	}
}

func coldKey(n int) string {
	d := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(n)))
	slot := data.Slot(binary.BigEndian.Uint16(d[30:]))
	k := layout.AppendShard(nil, data.ShardID(slot/(data.Slots/64)+1), layout.SubEntity)
	k = layout.AppendKind(layout.AppendSlot(k, slot), "profile")
	return string(append(k, d[:layout.DigestLen]...))
}

func coldHead(n, devices int) []byte {
	v := fmt.Appendf(make([]byte, 8+4+1, 700), "bench-1 sso viewer-%d", n) // behind revision, schema, flags
	for i := range devices {
		device := sha256.Sum256(fmt.Appendf(nil, "%d-%d", n, i))
		v = append(append(v, device[:]...), "smartTV QX-55 Linux 5.0 Tizen Acme 7.1"...)
	}
	return v
}

func cpuTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
