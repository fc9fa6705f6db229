package raftlog

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"ssod/persistence/data"
	"ssod/persistence/db"
	"ssod/persistence/layout"
)

// TestEntriesTakeThePlaceOfOthers, and of all behind them.
func TestEntriesTakeThePlaceOfOthers(t *testing.T) {
	s := logWith(t, 6, 0)
	if err := s.Append([]data.LogWrite{entry(4, 9)}, true); err != nil {
		t.Fatal(err)
	}
	if got, want := terms(t, s), []uint64{2, 3, 9}; !slices.Equal(got, want) {
		t.Errorf("terms from entry 2 on: %v, want %v", got, want)
	}
}

// TestTruncationsWaitForTheState: a log that would lose what the state lacks stops the
// node; up to there it may lose everything.
func TestTruncationsWaitForTheState(t *testing.T) {
	s := logWith(t, 6, 4)
	for _, upTo := range []uint64{3, 3, 4} { // also again
		if err := s.Append([]data.LogWrite{{Shard: 1, Truncate: data.Position{Index: upTo, Term: upTo}}}, true); err != nil {
			t.Fatal(err)
		}
	}
	es, err := s.Entries(1, 5, 7, 1<<20)
	if len(es) != 2 || err != nil {
		t.Errorf("what is behind: %v %v", es, err)
	}
	if _, err := s.Entries(1, 4, 7, 1<<20); !errors.Is(err, data.ErrDamaged) {
		t.Errorf("what is gone: got %v, want ErrDamaged", err)
	}
	err = s.Append([]data.LogWrite{{Shard: 1, Truncate: data.Position{Index: 5, Term: 5}}}, true)
	if err == nil || len(s.failed) != 1 || !errors.Is(s.failed[0], db.ErrFailed) {
		t.Errorf("too far: got %v, failed %v", err, s.failed)
	}
}

// TestMissingBatchesAreFound: in the middle, and up to one that was certainly written.
func TestMissingBatchesAreFound(t *testing.T) {
	for _, tt := range []struct {
		name    string
		damage  func(*store) error
		certain uint64
		want    error
	}{
		{"none", nil, 5, nil},
		{"at the end", nil, 6, data.ErrDamaged},
		{"in the middle", func(s *store) error { return s.db.Set(layout.CountKey, layout.One, pebble.Sync) }, 0, data.ErrDamaged},
	} {
		s := logWith(t, 6, 0)
		if tt.damage != nil {
			if err := tt.damage(s); err != nil {
				t.Fatal(err)
			}
		}
		l, err := Open(s.db, flushed(0), tt.certain)
		if !errors.Is(err, tt.want) || (tt.want == nil) != (err == nil) {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
		if err == nil && l.Durable() != 5 {
			t.Errorf("%s: durable up to %d, want 5", tt.name, l.Durable())
		}
	}
}

func TestDamageIsFoundAndNamed(t *testing.T) {
	flip := func(t *testing.T, s *store, k []byte) {
		v, err := s.db.Read(k)
		if err != nil || v == nil {
			t.Fatal("nothing to damage", err)
		}
		v[len(v)-1] ^= 1
		if err := s.db.Set(k, v, pebble.Sync); err != nil {
			t.Fatal(err)
		}
	}
	state := func(what byte) func(*testing.T, *store) {
		return func(t *testing.T, s *store) { flip(t, s, layout.LogStateKey(1, what)) }
	}
	tests := []struct {
		name   string
		damage func(*testing.T, *store)
		want   string
	}{
		{"entry", func(t *testing.T, s *store) { flip(t, s, layout.EntryKey(1, 3)) }, "log of shard 1: entry 3"},
		{"missing entry", func(_ *testing.T, s *store) { _ = s.db.Delete(layout.EntryKey(1, 3), pebble.Sync) }, "log of shard 1: entry 3 is missing"},
		{"hard state", state(layout.LogHard), "hard state of shard 1"},
		{"truncated position", state(layout.LogTruncated), "truncated position of shard 1"},
		{"applied position", state(layout.LogApplied), "applied position of shard 1"},
		{"replica id", state(layout.LogReplica), "replica id of shard 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := logWith(t, 5, 0)
			tt.damage(t, s)
			_, err := s.Replica(1)
			if err == nil {
				err = s.Scan(1, func(data.Position, int) {})
			}
			if !errors.Is(err, data.ErrDamaged) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want ErrDamaged with %q", err, tt.want)
			}
		})
	}
}

func TestReplicaIDsAreUsedOnce(t *testing.T) {
	s := logWith(t, 5, 0)
	if _, err := s.Create(1, data.NewReplicaID(1, 2), nil); !errors.Is(err, ErrReplicaID) {
		t.Errorf("a second replica: got %v", err)
	}
	if err := s.Destroy(1, replicaID); err != nil {
		t.Fatal(err)
	}
	if shards, err := s.Shards(); len(shards) > 0 || err != nil {
		t.Errorf("after its destruction: %v %v", shards, err)
	}
	if _, err := s.Create(1, replicaID, nil); !errors.Is(err, ErrReplicaID) {
		t.Errorf("the same id again: got %v", err)
	}
	next, err := s.NextReplica(1, 1)
	if want := data.NewReplicaID(1, 2); next != want || err != nil {
		t.Errorf("next: got %v %v, want %v", next, err, want)
	}
	if _, err := s.Create(1, next, nil); err != nil {
		t.Errorf("the next generation: %v", err)
	}
}

// TestReplicasAreMadeTogetherOrNotAtAll: one id that was used spoils the lot.
func TestReplicasAreMadeTogetherOrNotAtAll(t *testing.T) {
	s := logWith(t, 5, 0)
	if _, err := s.CreateAll([]data.ShardID{2, 1}, replicaID, voters); !errors.Is(err, ErrReplicaID) {
		t.Errorf("one is there already: got %v", err)
	}
	if _, err := s.Replica(2); !errors.Is(err, data.ErrNoReplica) {
		t.Errorf("the other one: got %v, want none", err)
	}
	if rs, err := s.CreateAll([]data.ShardID{0, 2}, replicaID, voters); len(rs) != 2 || err != nil {
		t.Errorf("two new ones: got %v %v", rs, err)
	}
}

// TestALogSurvivesACrash: what was waited for is there, and numbered.
func TestALogSurvivesACrash(t *testing.T) {
	mem := vfs.NewCrashableMem()
	s := open(t, mem, 0)
	if _, err := s.Create(1, replicaID, voters); err != nil {
		t.Fatal(err)
	}
	for i := uint64(2); i <= 4; i++ {
		if err := s.Append([]data.LogWrite{entry(i, 1)}, i < 4); err != nil {
			t.Fatal(err)
		}
	}
	again := open(t, mem.CrashClone(vfs.CrashCloneCfg{}), 0)
	if got := len(terms(t, again)); got != 2 || again.Durable() != 2 {
		t.Errorf("%d entries, the last batch is %d; want the 2 that were synced", got, again.Durable())
	}
}
