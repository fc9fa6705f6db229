package replica_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/prometheus/client_golang/prometheus"

	"ssod/cluster"
	"ssod/cluster/replica"
	"ssod/cluster/replica/core"
	"ssod/persistence"
)

// slowDisk is a file system whose log syncs wait while it is shut, or fail.
type slowDisk struct {
	mem  *vfs.MemFS
	gate sync.RWMutex
	fail atomic.Bool
	// waiting gets a signal for each sync that arrives at a shut gate.
	waiting chan struct{}
}

func newSlowDisk() *slowDisk {
	return &slowDisk{mem: vfs.NewMem(), waiting: make(chan struct{}, 100)}
}

func (d *slowDisk) fs() vfs.FS {
	return errorfs.Wrap(d.mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind != errorfs.OpFileSyncData && op.Kind != errorfs.OpFileSync || !strings.HasSuffix(op.Path, ".log") {
			return nil
		}
		if !d.gate.TryRLock() {
			d.waiting <- struct{}{}
			d.gate.RLock()
		}
		defer d.gate.RUnlock()
		if d.fail.Load() {
			return syscall.EIO
		}
		return nil
	}))
}

// onDisk opens an engine that is alone on a store.
func onDisk(t *testing.T, o persistence.Options) (*replica.Engine, *persistence.Store) {
	t.Helper()
	o.Dir, o.DefaultNode, o.Shards, o.Logger = "data", "n1", 8, slog.New(slog.DiscardHandler)
	store, err := persistence.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	e, err := replica.Alone(t.Context(), replica.Config{
		Node: 1, Shards: 8, Log: store.Log(), State: store, Fatal: o.Fatal, Registerer: o.Registerer,
		Address: func(core.NodeID) string { return "a:1" },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e, store
}

// first is the handle of shard 1.
func first(t *testing.T, e *replica.Engine) cluster.Shard {
	t.Helper()
	shard, ok := e.Lead(1)
	if !ok {
		t.Fatal("shard 1 is not led")
	}
	return shard
}

// commitLater commits to a fresh entity in its own goroutine.
func commitLater(ctx context.Context, shard cluster.Shard, n int) <-chan error {
	done := make(chan error, 1)
	go func() { done <- shard.Commit(ctx, cluster.Commit{Entity: entity(n)}) }()
	return done
}

// wantOnly checks that err is exactly one of the ways a commit can fail.
func wantOnly(t *testing.T, err, want error) {
	t.Helper()
	for _, e := range []error{cluster.ErrRejected, cluster.ErrRefused, cluster.ErrUnknown} {
		if errors.Is(err, e) != (e == want) {
			t.Fatalf("got %v, want %v and nothing else", err, want)
		}
	}
}

func TestContextEndsWhileTheCommitIsWritten(t *testing.T) {
	disk := newSlowDisk()
	e, _ := onDisk(t, persistence.Options{FS: disk.fs()})
	shard := first(t, e)
	disk.gate.Lock()
	ctx, cancel := context.WithCancel(t.Context())
	done := commitLater(ctx, shard, 1)
	<-disk.waiting
	cancel()
	wantOnly(t, <-done, cluster.ErrUnknown)
	disk.gate.Unlock()
	// Whoever reads now waits for the disk and sees the commit.
	if h, ok, err := shard.Head(entity(1)); h.Rev != 1 || !ok || err != nil {
		t.Errorf("got %v %v %v, want the commit", h, ok, err)
	}
}

// TestReadsDoNotShowWhatIsNotOnDisk, nor wait for it.
func TestReadsDoNotShowWhatIsNotOnDisk(t *testing.T) {
	disk := newSlowDisk()
	e, _ := onDisk(t, persistence.Options{FS: disk.fs()})
	shard := first(t, e)
	disk.gate.Lock()
	committed := commitLater(t.Context(), shard, 1)
	<-disk.waiting
	if h, ok, err := shard.Head(entity(1)); ok || err != nil {
		t.Errorf("while it syncs: got %v %v %v, want nothing", h, ok, err)
	}
	disk.gate.Unlock()
	if err := <-committed; err != nil {
		t.Fatal(err)
	}
	if h, ok, err := shard.Head(entity(1)); h.Rev != 1 || !ok || err != nil {
		t.Errorf("when it is acknowledged: got %v %v %v", h, ok, err)
	}
}

// TestFailedSyncIsFatal: once, and nothing is acknowledged or read any more that
// may not be on disk, although the disk works again.
func TestFailedSyncIsFatal(t *testing.T) {
	disk := newSlowDisk()
	fatal := make(chan error, 10)
	e, _ := onDisk(t, persistence.Options{FS: disk.fs(), Fatal: func(err error) { fatal <- err }})
	shard := first(t, e)
	if err := shard.Commit(t.Context(), cluster.Commit{Entity: entity(1)}); err != nil {
		t.Fatal(err)
	}
	disk.fail.Store(true)
	done := commitLater(t.Context(), shard, 2)
	if err := <-fatal; !errors.Is(err, syscall.EIO) {
		t.Errorf("fatal: got %v, want EIO", err)
	}
	disk.fail.Store(false)
	wantOnly(t, shard.Commit(t.Context(), cluster.Commit{Entity: entity(3)}), cluster.ErrRefused)
	if h, ok, _ := shard.Head(entity(2)); ok {
		t.Errorf("read of what may not be on disk: got %v", h)
	}
	e.Close()
	wantOnly(t, <-done, cluster.ErrUnknown)
	if err := shard.ReadBarrier(t.Context()); !errors.Is(err, cluster.ErrLost) {
		t.Errorf("barrier at the end: got %v, want ErrLost", err)
	}
}

func TestDiskBelowItsReserve(t *testing.T) {
	mem := vfs.NewMem()
	free := func(bytes uint64) { mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: bytes}) }
	free(10 << 30)
	e, _ := onDisk(t, persistence.Options{FS: mem, CheckEvery: time.Millisecond})
	shard := first(t, e)
	commit := func(rev uint64) error {
		return shard.Commit(t.Context(), cluster.Commit{Entity: entity(1), BaseRev: rev})
	}
	if err := commit(0); err != nil {
		t.Fatal(err)
	}
	free(255 << 20)
	rev := uint64(1)
	until(t, func() bool {
		err := commit(rev)
		if err == nil {
			rev++
			return false
		}
		wantOnly(t, err, cluster.ErrRefused)
		return errors.Is(err, persistence.ErrNoSpace)
	})
	if h, ok, err := shard.Head(entity(1)); h.Rev != rev || !ok || err != nil {
		t.Errorf("read below the reserve: got %v %v %v", h, ok, err)
	}
	if err := shard.ReadBarrier(t.Context()); err != nil {
		t.Errorf("barrier below the reserve: %v", err)
	}
	free(10 << 30)
	until(t, func() bool { return commit(rev) == nil })
}

// until waits for a condition.
func until(t *testing.T, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !ok(); {
		if time.Now().After(deadline) {
			t.Fatal("the condition does not come true")
		}
	}
}

func TestCloseAnswersEveryCommit(t *testing.T) {
	mem := vfs.NewMem()
	e, store := onDisk(t, persistence.Options{FS: mem})
	var callers sync.WaitGroup
	var acknowledged sync.Map
	started := make(chan struct{}, 1000)
	for n := range 8 {
		shard, _ := e.Lead(cluster.ShardID(n + 1))
		callers.Go(func() {
			for rev := uint64(0); ; rev++ {
				err := shard.Commit(t.Context(), cluster.Commit{Entity: entity(n), BaseRev: rev})
				if err != nil {
					if !errors.Is(err, cluster.ErrRefused) && !errors.Is(err, cluster.ErrUnknown) {
						t.Errorf("got %v, want ErrRefused or ErrUnknown", err)
					}
					return
				}
				acknowledged.Store(n, rev+1)
				select {
				case started <- struct{}{}:
				default:
				}
			}
		})
	}
	for range 100 {
		<-started
	}
	e.Close()
	callers.Wait()
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	e, _ = onDisk(t, persistence.Options{FS: mem})
	acknowledged.Range(func(n, rev any) bool {
		shard, _ := e.Lead(cluster.ShardID(n.(int) + 1))
		h, _, err := shard.Head(entity(n.(int)))
		if err != nil || h.Rev < rev.(uint64) || h.Rev > rev.(uint64)+1 { // one more may be unknown
			t.Errorf("entity %d: got revision %d %v, want %d", n, h.Rev, err, rev)
		}
		return true
	})
}

func TestMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	e, _ := onDisk(t, persistence.Options{FS: vfs.NewMem(), Registerer: registry})
	if err := first(t, e).Commit(t.Context(), cluster.Commit{Entity: entity(1)}); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]uint64{}
	for _, f := range families {
		got[f.GetName()] = f.GetMetric()[0].GetHistogram().GetSampleCount()
	}
	if got["ssod_store_commit_seconds"] != 1 || got["ssod_store_batch_size"] == 0 {
		t.Errorf("got %v, want one commit and its batch", got)
	}
	for _, name := range []string{"ssod_disk_free_bytes", "ssod_shard_fences_total"} {
		if _, ok := got[name]; !ok {
			t.Errorf("no %s", name)
		}
	}
}
