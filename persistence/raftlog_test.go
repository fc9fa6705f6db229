package persistence

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	pb "go.etcd.io/raft/v3/raftpb"
)

var (
	replicaID = NewReplicaID(1, 1)
	voters    = &pb.ConfState{Voters: []uint64{uint64(replicaID)}}
)

// logWith returns the log of a store that has shard 1 with n applied entries.
func logWith(t *testing.T, fs vfs.FS, n uint64) *Log {
	t.Helper()
	l := openStore(t, Options{FS: fs, Shards: 2, MemTableBytes: 1 << 20, Cluster: "one for all logs", NodeID: 1}).Log()
	if _, err := l.Create(1, replicaID, voters); err != nil {
		t.Fatal(err)
	}
	appendAndApply(t, l, 2, n/2)
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	appendAndApply(t, l, max(2, n/2+1), n)
	return l
}

func appendAndApply(t *testing.T, l *Log, from, to uint64) {
	t.Helper()
	for i := from; i <= to; i++ {
		w := LogWrite{Shard: 1, Hard: &pb.HardState{Term: new(i), Vote: new(uint64(1)), Commit: new(i)}}
		w.Entries = []*pb.Entry{{Index: new(i), Term: new(i), Data: fmt.Append(nil, "entry ", i)}}
		if err := l.Append([]LogWrite{w}, true); err != nil {
			t.Fatal(err)
		}
		applyTo(t, l, i, Commit{Entity: viewer, BaseRev: i - 2, State: fmt.Append(nil, i)})
	}
}

// applyTo applies a commit as entry i of shard 1.
func applyTo(t *testing.T, l *Log, i uint64, c Commit) {
	t.Helper()
	if _, err := l.Apply([]Change{{Shard: 1, Position: Position{Index: i, Term: i}, Time: i * 1000, Commits: []Commit{c}}}); err != nil {
		t.Fatal(err)
	}
}

// reopened returns what a store on fs says of shard 1, in one line.
func reopened(t *testing.T, fs vfs.FS) string {
	t.Helper()
	s := openStore(t, Options{FS: fs, Shards: 2, MemTableBytes: 1 << 20, Cluster: "one for all logs", NodeID: 1})
	defer s.Close()
	l := s.Log()
	rs, err := l.Replicas()
	if err != nil {
		t.Fatal(err)
	}
	var last uint64
	if err := l.Scan(1, func(p Position, _ int) { last = p.Index }); err != nil {
		t.Fatal(err)
	}
	h, _, err := s.Head(1, viewer)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("term %d vote %d truncated %d applied %d %d log to %d head %s", rs[0].Hard.GetTerm(), rs[0].Hard.GetVote(),
		rs[0].Truncated.Index, rs[0].Applied.Index, rs[0].Applied.Time, last, h.State)
}

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

// TestInstalledEntitiesAreKnown: what came with a snapshot is not denied by the
// filter of entities.
func TestInstalledEntitiesAreKnown(t *testing.T) {
	snapshot := exportOf(t, 30)
	l := logWith(t, vfs.NewMem(), 1)
	awaitFilter(t, l.s, 1)
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
	if _, ok, err := l.s.Head(1, viewer); !ok || err != nil {
		t.Errorf("got %v %v", ok, err)
	}
	appendAndApply(t, l, 31, 32)
}

// TestNobodyReadsHalfAnInstallation: whoever reads during one waits, or finds the
// shard as it was before or as it is afterwards.
func TestNobodyReadsHalfAnInstallation(t *testing.T) {
	from := logWith(t, vfs.NewMem(), 30)
	applyTo(t, from, 31, Commit{Entity: founded(1), State: []byte("came with it")})
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
	look := func() {
		if sh := l.s.shard(1); !sh.mu.TryRLock() {
			return // readers wait
		} else {
			sh.mu.RUnlock()
		}
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
	l = logWith(t, errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if armed.Load() && op.Kind == errorfs.OpFileSyncData {
			look()
		}
		return nil
	})), 6)
	awaitFilter(t, l.s, 1)
	if err := l.ReceiveSnapshot("snap", file); err != nil {
		t.Fatal(err)
	}
	look()
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
	look()
	before, after := viewer.Identity+" 6", viewer.Identity+" 30, "+founded(1).Identity+" came with it"
	for got := range seen {
		if got != before && got != after {
			t.Errorf("seen: %s", got)
		}
	}
	if seen[before] == 0 || seen[after] == 0 {
		t.Errorf("seen: %v", seen)
	}
}

func TestTidyRemovesWhatACrashLeft(t *testing.T) {
	l := logWith(t, vfs.NewMem(), 3)
	if err := l.Tidy(); err != nil {
		t.Errorf("without any: %v", err)
	}
	if _, err := l.Export(1, "left"); err != nil {
		t.Fatal(err)
	}
	if err := l.Tidy(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.OpenSnapshot("left"); err == nil {
		t.Error("the file is still there")
	}
}

func TestDamageIsFoundAndNamed(t *testing.T) {
	flip := func(t *testing.T, l *Log, k []byte) {
		v, err := l.s.get(k)
		if err != nil || v == nil {
			t.Fatal("nothing to damage", err)
		}
		v[len(v)-1] ^= 1
		if err := l.s.db.Set(k, v, pebble.Sync); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name   string
		damage func(*testing.T, *Log)
		want   string
	}{
		{"entry", func(t *testing.T, l *Log) { flip(t, l, entryKey(1, 3)) }, "log of shard 1: entry 3"},
		{"missing entry", func(t *testing.T, l *Log) { _ = l.s.db.Delete(entryKey(1, 3), pebble.Sync) }, "log of shard 1: entry 3 is missing"},
		{"hard state", func(t *testing.T, l *Log) { flip(t, l, logStateKey(1, logHard)) }, "hard state of shard 1"},
		{"truncated position", func(t *testing.T, l *Log) { flip(t, l, logStateKey(1, logTruncated)) }, "truncated position of shard 1"},
		{"applied position", func(t *testing.T, l *Log) { flip(t, l, logStateKey(1, logApplied)) }, "applied position of shard 1"},
		{"replica id", func(t *testing.T, l *Log) { flip(t, l, logStateKey(1, logReplica)) }, "replica id of shard 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := logWith(t, vfs.NewMem(), 5)
			tt.damage(t, l)
			_, err := l.Replicas()
			if err == nil {
				err = l.Scan(1, func(Position, int) {})
			}
			if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want ErrDamaged with %q", err, tt.want)
			}
		})
	}
}

func TestReplicaIDsAreUsedOnce(t *testing.T) {
	l := logWith(t, vfs.NewMem(), 5)
	if _, err := l.Create(1, NewReplicaID(1, 2), nil); !errors.Is(err, ErrReplicaID) {
		t.Errorf("a second replica: got %v", err)
	}
	if err := l.Destroy(1, replicaID); err != nil {
		t.Fatal(err)
	}
	if rs, err := l.Replicas(); len(rs) > 0 || err != nil {
		t.Errorf("after its destruction: %v %v", rs, err)
	}
	if _, err := l.Create(1, replicaID, nil); !errors.Is(err, ErrReplicaID) {
		t.Errorf("the same id again: got %v", err)
	}
	if _, err := l.Create(1, NewReplicaID(1, 2), nil); err != nil {
		t.Errorf("the next generation: %v", err)
	}
	if _, ok, err := l.s.Head(1, viewer); ok || err != nil {
		t.Errorf("state of the old replica: %v %v", ok, err)
	}
}

// TestReplicasAreMadeTogetherOrNotAtAll: one id that was used spoils the lot.
func TestReplicasAreMadeTogetherOrNotAtAll(t *testing.T) {
	l := logWith(t, vfs.NewMem(), 5)
	if _, err := l.CreateAll([]ShardID{2, 1}, replicaID, voters); !errors.Is(err, ErrReplicaID) {
		t.Errorf("one is there already: got %v", err)
	}
	if _, err := l.replica(2); !errors.Is(err, ErrNoReplica) {
		t.Errorf("the other one: got %v, want none", err)
	}
	if rs, err := l.CreateAll([]ShardID{0, 2}, replicaID, voters); len(rs) != 2 || err != nil {
		t.Errorf("two new ones: got %v %v", rs, err)
	}
}

// TestTheTimeOfEntriesOutlivesARestart: beside the applied position.
func TestTheTimeOfEntriesOutlivesARestart(t *testing.T) {
	mem := vfs.NewMem()
	l := logWith(t, mem, 5)
	if err := l.s.Close(); err != nil {
		t.Fatal(err)
	}
	l = openStore(t, Options{FS: mem, Shards: 2, MemTableBytes: 1 << 20}).Log()
	if got := l.s.Time(1).UnixMilli(); got != 5000 {
		t.Errorf("shard time: got %d, want 5000", got)
	}
}
