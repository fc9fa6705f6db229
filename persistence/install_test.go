package persistence

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	iofs "io/fs"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/persistence/layout"
)

// TestCrashInAnInstallation crashes at every write of an installation, with
// none, half and all of what was not synced. Whatever is left, after the start
// the replica is as it was before or as the snapshot says, and it has its vote.
func TestCrashInAnInstallation(t *testing.T) {
	snapshot := exportOf(t, 30)
	for _, percent := range []int{0, 50, 100} {
		for k := int64(1); ; k++ {
			clone := crashInInstall(t, snapshot, k, percent)
			if clone == nil {
				if k < 10 {
					t.Errorf("only %d writes were seen", k-1)
				}
				break
			}
			before := "term 6 vote 1 truncated 1 applied 3 3000 log to 6 head 3" // the rest is to be applied again
			after := "term 40 vote 2 truncated 30 applied 30 30000 log to 31 head 30"
			if got := reopened(t, clone); got != before && got != after {
				t.Errorf("crash at write %d with %d%%: got %s", k, percent, got)
			}
		}
	}
}

// exportOf returns the snapshot of a shard with n applied entries.
func exportOf(t *testing.T, n uint64) []byte {
	t.Helper()
	l := logWith(t, vfs.NewMem(), n)
	if _, err := l.Export(1, "x"); err != nil {
		t.Fatal(err)
	}
	f, err := l.OpenSnapshot("x")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// crashInInstall returns what is left when the k-th write of an installation is
// the last, nil if there are fewer.
func crashInInstall(t *testing.T, snapshot []byte, k int64, percent int) *vfs.MemFS {
	t.Helper()
	mem := vfs.NewCrashableMem()
	var clone *vfs.MemFS
	var armed atomic.Bool
	var writes atomic.Int64
	fs := errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if armed.Load() && op.Kind.ReadOrWrite() == errorfs.OpIsWrite && writes.Add(1) == k {
			clone = mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: rand.New(rand.NewPCG(uint64(k), 0))})
		}
		return nil
	}))
	l := logWith(t, fs, 6)
	if err := l.ReceiveSnapshot("snap", bytes.NewReader(bytes.Clone(snapshot))); err != nil {
		t.Fatal(err)
	}
	armed.Store(true)
	a, err := l.Install(Install{
		Shard:    1,
		Snapshot: &pb.Snapshot{Data: []byte("snap"), Metadata: &pb.SnapshotMetadata{Index: new(uint64(30)), Term: new(uint64(30)), ConfState: voters}},
		Hard:     &pb.HardState{Term: new(uint64(40)), Vote: new(uint64(2)), Commit: new(uint64(30))},
		Entries:  []*pb.Entry{{Index: new(uint64(31)), Term: new(uint64(40))}},
	})
	armed.Store(false)
	if err != nil || a.Index != 30 || a.Time != 30_000 {
		t.Fatalf("install: %+v %v", a, err)
	}
	if err := l.s.Close(); err != nil {
		t.Fatal(err)
	}
	return clone
}

func TestInstalledStateIsUsed(t *testing.T) {
	snapshot := exportOf(t, 30)
	l := logWith(t, vfs.NewMem(), 5)
	if err := l.ReceiveSnapshot("snap", bytes.NewReader(bytes.Clone(snapshot))); err != nil {
		t.Fatal(err)
	}
	_, err := l.Install(Install{
		Shard:    1,
		Snapshot: &pb.Snapshot{Data: []byte("snap"), Metadata: &pb.SnapshotMetadata{Index: new(uint64(30)), Term: new(uint64(30)), ConfState: voters}},
		Hard:     &pb.HardState{Term: new(uint64(30)), Vote: new(uint64(2)), Commit: new(uint64(30))},
	})
	if err != nil {
		t.Fatal(err)
	}
	appendAndApply(t, l, 31, 35) // on the revisions of the snapshot
	if h, _, err := l.s.Head(1, viewer); err != nil || string(h.State) != "35" || h.Rev != 34 {
		t.Errorf("got revision %d %s %v", h.Rev, h.State, err)
	}
	if _, err := l.OpenSnapshot("snap"); err == nil {
		t.Error("the file is still there")
	}
}

// stranger is an entity that only the snapshot has.
var stranger = Entity{Kind: "profile", Identity: "viewer-1"}

// TestNobodyReadsHalfAnInstallation: whoever reads during one waits, or finds the
// shard as it was before or as it is afterwards.
func TestNobodyReadsHalfAnInstallation(t *testing.T) {
	from := logWith(t, vfs.NewMem(), 30)
	applyTo(t, from, 31, Commit{Entity: stranger, State: []byte("came with it")})
	if _, err := from.Export(1, "snap"); err != nil {
		t.Fatal(err)
	}
	file, err := from.OpenSnapshot("snap")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()

	var l *Log
	var armed atomic.Bool
	var mu sync.Mutex
	seen := map[string]int{}
	var readers sync.WaitGroup
	read := func() {
		var all []string
		if err := l.s.Entities(1, "profile", "", func(id string, h Head) bool {
			all = append(all, fmt.Sprintf("%s %s", id, h.State))
			return true
		}); err != nil {
			t.Error(err)
		}
		slices.Sort(all)
		mu.Lock()
		defer mu.Unlock()
		seen[strings.Join(all, ", ")]++
	}
	look := func() {
		done := make(chan struct{})
		readers.Go(func() { defer close(done); read() })
		for range 1000 { // it may wait until the installation is over, as it should
			select {
			case <-done:
				return
			default:
				runtime.Gosched()
			}
		}
	}
	l = logWith(t, errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if armed.Load() && op.Kind == errorfs.OpFileSyncData {
			look()
		}
		return nil
	})), 6)
	if err := l.ReceiveSnapshot("snap", file); err != nil {
		t.Fatal(err)
	}
	read()
	armed.Store(true)
	_, err = l.Install(Install{
		Shard:    1,
		Snapshot: &pb.Snapshot{Data: []byte("snap"), Metadata: &pb.SnapshotMetadata{Index: new(uint64(31)), Term: new(uint64(31)), ConfState: voters}},
		Hard:     &pb.HardState{Term: new(uint64(31)), Vote: new(uint64(2)), Commit: new(uint64(31))},
	})
	armed.Store(false)
	if err != nil {
		t.Fatal(err)
	}
	readers.Wait()
	read()
	before, after := viewer.Identity+" 6", viewer.Identity+" 30, "+stranger.Identity+" came with it"
	for got := range seen {
		if got != before && got != after {
			t.Errorf("seen: %s", got)
		}
	}
	if seen[before] == 0 || seen[after] == 0 {
		t.Errorf("seen: %v", seen)
	}
}

// A node that stopped in the middle of snapshots because they had filled its disk
// starts on the room that they leave: Pebble needs some to open.
func TestWhatACrashLeftGoesBeforeTheStoreNeedsRoom(t *testing.T) {
	mem := vfs.NewMem()
	l := logWith(t, mem, 3)
	if _, err := l.Export(1, "left"); err != nil {
		t.Fatal(err)
	}
	if err := l.s.Close(); err != nil {
		t.Fatal(err)
	}
	var early atomic.Bool
	full := errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpFileWrite && len(snapshotFiles(t, mem)) > 0 {
			early.Store(true) // a disk without room would have failed it
		}
		return nil
	}))
	if got, want := reopened(t, full), "term 3 vote 1 truncated 1 applied 3 3000 log to 3 head 3"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if left := snapshotFiles(t, mem); early.Load() || len(left) > 0 {
		t.Errorf("written before there was room: %v; left: %v", early.Load(), left)
	}
}

// snapshotFiles are the files of snapshots in a store.
func snapshotFiles(t *testing.T, fs vfs.FS) (all []string) {
	t.Helper()
	for _, dir := range []string{"data/" + transfers, "data/" + installs} {
		names, err := fs.List(dir)
		if err != nil && !errors.Is(err, iofs.ErrNotExist) {
			t.Fatal(err)
		}
		all = append(all, names...)
	}
	return all
}

// An installation that a crash cut short between the move of its file and its
// marker never was.
func TestTidyRemovesWhatIsNotInstalled(t *testing.T) {
	mem := vfs.NewMem()
	l := logWith(t, mem, 3)
	if err := l.Tidy(); err != nil {
		t.Errorf("without any: %v", err)
	}
	if err := l.ReceiveSnapshot("left", strings.NewReader("snapshot")); err != nil {
		t.Fatal(err)
	}
	if err := l.keepSnapshot("left"); err != nil {
		t.Fatal(err)
	}
	if err := l.Tidy(); err != nil {
		t.Fatal(err)
	}
	if left := snapshotFiles(t, mem); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// FuzzMarker: a marker of an installation is decoded or refused as damaged.
func FuzzMarker(f *testing.F) {
	f.Add(layout.Sealed(nil))
	f.Add([]byte{0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		m := &pb.Message{}
		if err := layout.OpenMessage(b, m); err != nil && !errors.Is(err, ErrDamaged) {
			t.Errorf("message: %v", err)
		}
		_ = installOf(1, m)
	})
}
