package persistence

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/persistence/data"
)

// testEntry is what the entries of these tests carry.
type testEntry struct {
	Time    int64
	Commits []Commit
}

// commitAll is what a sole voter of shard 1 does to commit: an entry, on disk,
// that is then applied.
func commitAll(s *Store, commits []Commit, at time.Time) ([]error, error) {
	l := s.Log()
	r, err := l.s.log.Replica(1)
	if errors.Is(err, data.ErrNoReplica) {
		r, err = l.Create(1, replicaID, voters)
	}
	p := r.Applied
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(testEntry{at.UnixMilli(), commits})
	if err != nil {
		return nil, err
	}
	e := &pb.Entry{Index: new(p.Index + 1), Term: new(uint64(1)), Data: data}
	if err := l.Append([]LogWrite{{Shard: 1, Entries: []*pb.Entry{e}}}, true); err != nil {
		return nil, err
	}
	rejected, err := l.Apply([]Change{changeOf(e)})
	if err != nil {
		return nil, err
	}
	return rejected[0], nil
}

func changeOf(e *pb.Entry) Change {
	var entry testEntry
	if err := json.Unmarshal(e.GetData(), &entry); err != nil {
		panic(err)
	}
	return Change{Shard: 1, Position: Position{Index: e.GetIndex(), Term: e.GetTerm()}, Time: uint64(entry.Time), Commits: entry.Commits}
}

// replay applies what shard 1's log has beyond its state.
func replay(s *Store) error {
	l := s.Log()
	r, err := l.s.log.Replica(1)
	if errors.Is(err, data.ErrNoReplica) {
		return nil
	}
	p := r.Applied
	var last uint64
	err = errors.Join(err, l.Scan(1, func(p Position, _ int) { last = p.Index }))
	if err != nil || last <= p.Index {
		return err
	}
	es, err := l.Entries(1, p.Index+1, last+1, 1<<30)
	for _, e := range es {
		if err == nil {
			_, err = l.Apply([]Change{changeOf(e)})
		}
	}
	return err
}

// apply applies one commit to shard 1.
func apply(s *Store, c Commit, at time.Time) error {
	if err := s.Log().Admit(c.Size()); err != nil {
		return err
	}
	if err := c.Validate(); err != nil {
		return err
	}
	rejected, err := commitAll(s, []Commit{c}, at)
	if err == nil && rejected != nil {
		err = rejected[0]
	}
	return err
}

// flushAll writes what was applied.
func flushAll(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Log().Flush(); err != nil {
		t.Fatal(err)
	}
}
