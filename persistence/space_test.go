package persistence

import (
	"errors"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
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
