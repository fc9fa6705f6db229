package persistence

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	pb "go.etcd.io/raft/v3/raftpb"
)

// holding are the files of a directory that have the mark.
func holding(t *testing.T, dir, mark string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // Pebble has deleted it meanwhile
		}
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if bytes.Contains(b, []byte(mark)) {
			names = append(names, filepath.Base(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestScrub: what was in a state, an identity, a record, an outcome and an entry of
// the log, and is not any more, is in no file.
func TestScrub(t *testing.T) {
	const mark = "a viewer who wants to be forgotten"
	dir := t.TempDir()
	s := openStore(t, Options{Dir: dir, FS: vfs.Default, Shards: 4, MemTableBytes: 1 << 20})
	l := s.Log()
	if _, err := l.Create(1, replicaID, voters); err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	index := uint64(1)
	commit := func(shard ShardID, c Commit) {
		t.Helper()
		index++
		w := LogWrite{Shard: shard, Hard: &pb.HardState{Term: new(uint64(1)), Vote: new(uint64(1)), Commit: new(index)}}
		w.Entries = []*pb.Entry{{Index: new(index), Term: new(uint64(1)), Data: append([]byte(c.Entity.Identity), c.State...)}}
		must(l.Append([]LogWrite{w}, true))
		rejected, err := l.Apply([]Change{{Shard: shard, Position: Position{Index: index, Term: 1}, Time: index * 1000, Commits: []Commit{c}}})
		must(err)
		must(errors.Join(rejected[0]...))
	}
	gone := Entity{Kind: "profile", Identity: mark}
	kept := Entity{Kind: "profile", Identity: "another"}
	commit(1, Commit{Entity: gone, State: []byte(mark), Puts: []Record{{Part: "p", Value: []byte(mark)}}, Outcomes: []Outcome{{Request: RequestID{1}, Result: []byte(mark)}}})
	commit(1, Commit{Entity: kept, State: []byte(mark)})
	for range 20 { // in tables of several levels, and in logs that wait to be written over
		must(l.Flush())
		must(s.db.Flush())
		filler := Commit{Entity: Entity{Kind: "filler", Identity: fmt.Sprint(index)}, State: bytes.Repeat([]byte("x"), 100_000)}
		commit(1, filler)
	}
	must(s.db.Compact(t.Context(), []byte{0}, []byte{0xff}, false))
	// From now on it is deleted; a second copy is in the present log.
	commit(1, Commit{Entity: gone, BaseRev: 1, State: []byte(mark)})
	commit(1, Commit{Entity: gone, BaseRev: 2, Remove: true, Forget: true})
	commit(1, Commit{Entity: kept, BaseRev: 1, State: []byte("still here")})
	if found := holding(t, dir, mark); len(found) < 2 {
		t.Fatalf("the mark is in %v only: the test proves nothing", found)
	}
	early, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := s.Scrub(early, map[ShardID]uint64{1: index}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("before the log is truncated: %v", err)
	}
	must(l.Flush())
	must(l.Append([]LogWrite{{Shard: 1, Truncate: Position{Index: index, Term: 1}}}, true))
	must(s.Scrub(t.Context(), map[ShardID]uint64{1: index}))
	if found := holding(t, dir, mark); len(found) > 0 {
		t.Errorf("scrubbed, and still in %v", found)
	}
	if h, ok, err := s.Head(1, kept); !ok || err != nil || string(h.State) != "still here" {
		t.Errorf("the other entity: %q %v %v", h.State, ok, err)
	}
}
