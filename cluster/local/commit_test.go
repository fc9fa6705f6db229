package local_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ssod/cluster"
	"ssod/cluster/local"
	"ssod/persistence"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
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

func lead(t *testing.T, s *local.Shards, id cluster.ShardID) cluster.Shard {
	t.Helper()
	shard, ok := s.Lead(id)
	if !ok {
		t.Fatalf("shard %d is not led", id)
	}
	return shard
}

func entity(n int) cluster.Entity {
	return cluster.Entity{Kind: "profile", Identity: fmt.Sprint("viewer", n)}
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
	shard := lead(t, open(t, persistence.Options{FS: disk.fs()}, local.Config{}), 1)
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

func TestReadsDoNotShowWhatIsNotOnDisk(t *testing.T) {
	disk := newSlowDisk()
	shard := lead(t, open(t, persistence.Options{FS: disk.fs()}, local.Config{}), 1)
	if err := shard.Commit(t.Context(), cluster.Commit{Entity: entity(2)}); err != nil {
		t.Fatal(err)
	}
	disk.gate.Lock()
	committed := commitLater(t.Context(), shard, 1)
	<-disk.waiting
	if h, ok, err := shard.Head(entity(2)); h.Rev != 1 || !ok || err != nil { // of others it does not wait
		t.Errorf("another entity: got %v %v %v", h, ok, err)
	}
	if _, ok, err := shard.Outcome(entity(1), cluster.RequestID{1}, 0); ok || err != nil { // nor for nothing
		t.Errorf("outcome: got %v %v", ok, err)
	}
	var synced atomic.Bool
	time.AfterFunc(10*time.Millisecond, func() {
		synced.Store(true)
		disk.gate.Unlock()
	})
	h, ok, err := shard.Head(entity(1))
	if h.Rev != 1 || !ok || err != nil || !synced.Load() {
		t.Errorf("got %v %v %v, synced %v, want the commit when it is synced", h, ok, err, synced.Load())
	}
	if err := <-committed; err != nil {
		t.Error(err)
	}
}

func TestContextEndsInTheQueue(t *testing.T) {
	disk := newSlowDisk()
	s := open(t, persistence.Options{FS: disk.fs()}, local.Config{})
	shard := lead(t, s, 1)
	disk.gate.Lock()
	written := []<-chan error{commitLater(t.Context(), shard, 0)}
	<-disk.waiting
	// Two rounds may be on their way; what comes after them waits in the queue.
	ctx, cancel := context.WithCancel(t.Context())
	var queued []<-chan error
	for n := range 50 {
		queued = append(queued, commitLater(ctx, shard, n+1))
	}
	cancel()
	refused := 0
	for n, done := range queued {
		err := <-done
		if errors.Is(err, cluster.ErrRefused) {
			refused++
			defer func() {
				if _, ok, err := shard.Head(entity(n + 1)); ok || err != nil {
					t.Errorf("refused commit %d: got %v %v", n+1, ok, err)
				}
			}()
			continue
		}
		wantOnly(t, err, cluster.ErrUnknown)
	}
	disk.gate.Unlock()
	if err := <-written[0]; err != nil {
		t.Error(err)
	}
	if refused == 0 {
		t.Error("no commit was refused in the queue")
	}
}

func TestFullQueueRefusesAtOnce(t *testing.T) {
	disk := newSlowDisk()
	s := open(t, persistence.Options{FS: disk.fs()}, local.Config{Queue: 4})
	shard := lead(t, s, 1)
	disk.gate.Lock()
	var done []<-chan error
	for n := range 64 {
		done = append(done, commitLater(t.Context(), shard, n))
	}
	// At most two rounds and the queue are taken: the rest ends now.
	refused, answers := 0, make(chan error)
	for _, d := range done {
		go func() { answers <- <-d }()
	}
	for range len(done) - 3*4 {
		wantOnly(t, <-answers, cluster.ErrRefused)
		refused++
	}
	disk.gate.Unlock()
	for range len(done) - refused {
		if err := <-answers; err != nil && !errors.Is(err, cluster.ErrRefused) {
			t.Error(err)
		}
	}
}

func TestQueueIsBoundedByBytes(t *testing.T) {
	disk := newSlowDisk()
	s := open(t, persistence.Options{FS: disk.fs()}, local.Config{QueueBytes: 1000})
	shard := lead(t, s, 1)
	disk.gate.Lock()
	answers := make(chan error)
	for n := range 20 {
		go func() {
			answers <- shard.Commit(t.Context(), cluster.Commit{Entity: entity(n), State: make([]byte, 2000)})
		}()
	}
	for range 20 - 3 { // two rounds of one and one in the queue
		wantOnly(t, <-answers, cluster.ErrRefused)
	}
	disk.gate.Unlock()
	for range 3 {
		if err := <-answers; err != nil && !errors.Is(err, cluster.ErrRefused) {
			t.Error(err)
		}
	}
}

func TestFailedSyncIsFatal(t *testing.T) {
	disk := newSlowDisk()
	var fatal []error
	s := open(t, persistence.Options{FS: disk.fs(), Fatal: func(err error) { fatal = append(fatal, err) }}, local.Config{})
	shard := lead(t, s, 1)
	if err := shard.Commit(t.Context(), cluster.Commit{Entity: entity(1)}); err != nil {
		t.Fatal(err)
	}
	disk.fail.Store(true)
	wantOnly(t, shard.Commit(t.Context(), cluster.Commit{Entity: entity(2)}), cluster.ErrUnknown)
	<-shard.Lost()
	disk.fail.Store(false) // a disk that works again is not trusted
	err := shard.Commit(t.Context(), cluster.Commit{Entity: entity(3)})
	if err == nil || errors.Is(err, cluster.ErrRejected) {
		t.Errorf("commit after the failure: got %v", err)
	}
	if err := shard.ReadBarrier(t.Context()); !errors.Is(err, cluster.ErrLost) {
		t.Errorf("barrier after the failure: got %v, want ErrLost", err)
	}
	if _, _, err := shard.Head(entity(2)); !errors.Is(err, persistence.ErrFailed) {
		t.Errorf("read of what may not be on disk: got %v, want ErrFailed", err)
	}
	if len(fatal) != 1 || !errors.Is(fatal[0], syscall.EIO) {
		t.Errorf("fatal: got %v, want EIO once", fatal)
	}
}

func TestDiskBelowItsReserve(t *testing.T) {
	mem := vfs.NewMem()
	free := func(bytes uint64) { mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: bytes}) }
	free(10 << 30)
	shard := lead(t, open(t, persistence.Options{FS: mem, CheckEvery: time.Millisecond}, local.Config{}), 1)
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
	deadline := time.Now().Add(5 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatal("the condition does not come true")
		}
	}
}

func TestCloseAnswersEveryCommit(t *testing.T) {
	mem := vfs.NewMem()
	store, err := persistence.Open(persistence.Options{Dir: "data", FS: mem, DefaultNode: "n1"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := local.Open(local.Config{Store: store})
	if err != nil {
		t.Fatal(err)
	}
	var callers sync.WaitGroup
	var acknowledged sync.Map
	started := make(chan struct{}, 1000)
	for n := range 16 {
		shard := lead(t, s, cluster.ShardID(n+1))
		callers.Go(func() {
			for rev := uint64(0); ; rev++ {
				err := shard.Commit(t.Context(), cluster.Commit{Entity: entity(n), BaseRev: rev})
				if err != nil {
					wantRefused(t, err)
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
	s.Close()
	callers.Wait()
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, persistence.Options{FS: mem}, local.Config{})
	acknowledged.Range(func(n, rev any) bool {
		h, _, err := lead(t, s, cluster.ShardID(n.(int)+1)).Head(entity(n.(int)))
		if err != nil || h.Rev != rev {
			t.Errorf("entity %d: got revision %d %v, want %d", n, h.Rev, err, rev)
		}
		return true
	})
}

func wantRefused(t *testing.T, err error) {
	if !errors.Is(err, cluster.ErrRefused) {
		t.Errorf("got %v, want ErrRefused", err)
	}
}

func TestMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	s := open(t, persistence.Options{Registerer: registry}, local.Config{Registerer: registry})
	if err := lead(t, s, 1).Commit(t.Context(), cluster.Commit{Entity: entity(1)}); err != nil {
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
	for name, want := range map[string]uint64{"ssod_store_commit_seconds": 1, "ssod_store_batch_size": 1, "ssod_disk_free_bytes": 0} {
		if count, ok := got[name]; !ok || count != want {
			t.Errorf("%s: got %d %v, want %d", name, count, ok, want)
		}
	}
}
