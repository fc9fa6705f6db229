package persistence

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/prometheus/client_golang/prometheus"
	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/persistence/db"
)

// until waits for a condition.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: does not come true", what)
		}
	}
}

func exists(fs vfs.FS, name string) bool {
	_, err := fs.Stat(name)
	return err == nil
}

// gauge is the value of a metric.
func gauge(t *testing.T, from prometheus.Gatherer, name string) float64 {
	t.Helper()
	families, err := from.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

func TestReserve(t *testing.T) {
	mem := vfs.NewMem()
	free := func(bytes uint64) { mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: bytes}) }
	free(1000)
	s := openStore(t, Options{FS: mem, Reserve: 1000, Ballast: 100, CheckEvery: time.Hour})
	if err := apply(s, Commit{Entity: viewer}, time.UnixMilli(1)); err != nil {
		t.Errorf("at the reserve: %v", err)
	}
	free(999)
	large := Commit{Entity: Entity{Kind: "k", Identity: "large"}, State: make([]byte, MaxValue)}
	if err := apply(s, large, time.UnixMilli(1)); !errors.Is(err, ErrNoSpace) { // it looks before a large write
		t.Errorf("large write below the reserve: got %v, want ErrNoSpace", err)
	}
	if err := apply(s, Commit{Entity: viewer, BaseRev: 1}, time.UnixMilli(1)); !errors.Is(err, ErrNoSpace) {
		t.Errorf("below the reserve: got %v, want ErrNoSpace", err)
	}
	if h, _, err := s.Head(1, viewer); h.Rev != 1 || err != nil {
		t.Errorf("read below the reserve: got %v %v", h, err)
	}
	free(1000)
	s.space.Look()
	if err := apply(s, Commit{Entity: viewer, BaseRev: 1}, time.UnixMilli(1)); err != nil {
		t.Errorf("with space again: %v", err)
	}
}

// filling is a snapshot that comes in pieces.
type filling struct{ pieces int }

func (f *filling) Read(b []byte) (int, error) {
	if f.pieces == 0 {
		return 0, io.EOF
	}
	f.pieces--
	return len(b), nil
}

// A snapshot that would take of the reserve is neither written nor received, nor one
// during which the disk fills up, and nothing is left of it. With room again it is.
func TestSnapshotsSpareTheReserve(t *testing.T) {
	mem := vfs.NewMem()
	free := func(bytes uint64) { mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: bytes}) }
	free(100 << 20)
	fs := errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpCreate && strings.HasSuffix(op.Path, "filling.sst") {
			free(1<<20 - 1)
		}
		return nil
	}))
	s := openStore(t, Options{FS: fs, Reserve: 1 << 20, Ballast: 1, CheckEvery: time.Hour})
	l := s.Log()
	for i := range 8 { // more than is written between two looks at the disk
		e := Entity{Kind: "k", Identity: fmt.Sprint(i)}
		if err := apply(s, Commit{Entity: e, State: make([]byte, MaxValue)}, time.UnixMilli(1)); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(what string, err error) {
		t.Helper()
		if left := snapshotFiles(t, mem); !errors.Is(err, ErrNoSpace) || len(left) > 0 {
			t.Errorf("%s: got %v, want ErrNoSpace; left: %v", what, err, left)
		}
	}
	_, err := l.Export(1, "filling")
	refused("the disk fills up during an export", err)
	_, err = l.Export(1, "x")
	refused("export below the reserve", err)
	free(100 << 20)
	refused("the disk fills up while one comes", l.ReceiveSnapshot("filling", &filling{200}))
	refused("one comes below the reserve", l.ReceiveSnapshot("x", &filling{200}))
	free(3 << 20)
	refused("an offer that leaves less than the reserve", l.AdmitSnapshot(2<<20+1))
	broken := errors.New("the connection broke")
	if err := l.ReceiveSnapshot("x", iotest.ErrReader(broken)); !errors.Is(err, broken) || len(snapshotFiles(t, mem)) > 0 {
		t.Errorf("cut short: got %v; left: %v", err, snapshotFiles(t, mem))
	}
	if err := l.AdmitSnapshot(2 << 20); err != nil {
		t.Errorf("an offer that leaves the reserve: %v", err)
	}
	if err := l.ReceiveSnapshot("in", &filling{10}); err != nil {
		t.Errorf("receive with room: %v", err)
	}
	if _, err := l.Export(1, "out"); err != nil {
		t.Errorf("export with room: %v", err)
	}
}

func TestBallast(t *testing.T) {
	mem := vfs.NewMem()
	var full atomic.Bool
	fs := errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if full.Load() && op.Kind == errorfs.OpFileWrite && exists(mem, "data/ballast") {
			return syscall.ENOSPC // until the ballast is given back
		}
		return nil
	}))
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 10 << 20})
	metrics := prometheus.NewRegistry()
	s := openStore(t, Options{FS: fs, Reserve: 1 << 20, Ballast: 1 << 20, CheckEvery: time.Millisecond, Registerer: metrics})
	until(t, "ballast", func() bool { return exists(mem, "data/ballast") })
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1<<20 + 1})
	until(t, "look", func() bool { return gauge(t, metrics, "ssod_disk_free_bytes") == 1<<20+1 })
	full.Store(true)
	if err := apply(s, Commit{Entity: viewer}, time.UnixMilli(1)); err != nil {
		t.Errorf("the write that found the disk full: %v", err)
	}
	if exists(mem, "data/ballast") {
		t.Error("the ballast is still there")
	}
	full.Store(false)
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 10 << 20})
	until(t, "ballast again", func() bool { return exists(mem, "data/ballast") })
}

func TestFailedSync(t *testing.T) {
	var failing atomic.Bool
	fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if failing.Load() && op.Kind == errorfs.OpFileSyncData && strings.HasSuffix(op.Path, ".log") {
			return syscall.EIO
		}
		return nil
	}))
	var fatal []error
	s := openStore(t, Options{FS: fs, Fatal: func(err error) { fatal = append(fatal, err) }})
	failing.Store(true)
	l := s.Log()
	first, err1 := l.Begin([]LogWrite{{Shard: 1, Hard: &pb.HardState{}}}, true)
	second, err2 := l.Begin([]LogWrite{{Shard: 1, Hard: &pb.HardState{}}}, true)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	for i, w := range []*Write{first, second} {
		if err := w.Wait(); !errors.Is(err, db.ErrFailed) {
			t.Errorf("write %d: got %v, want db.ErrFailed", i+1, err)
		}
	}
	failing.Store(false)
	if err := apply(s, Commit{Entity: viewer}, time.UnixMilli(1)); !errors.Is(err, db.ErrFailed) {
		t.Errorf("after the failure: got %v, want db.ErrFailed", err)
	}
	if len(fatal) != 1 || !errors.Is(fatal[0], db.ErrFailed) || !errors.Is(fatal[0], syscall.EIO) {
		t.Errorf("fatal: got %v", fatal)
	}
}
