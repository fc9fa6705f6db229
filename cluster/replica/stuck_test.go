package replica_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster/replica"
	"ssod/cluster/replica/core"
	"ssod/persistence"
)

// stuckLog is a log of which one operation does not return before it is let go.
type stuckLog struct {
	replica.Log
	at       atomic.Value // string
	reached  chan struct{}
	released chan struct{}
}

func newStuckLog(l replica.Log) *stuckLog {
	s := &stuckLog{Log: l, reached: make(chan struct{}), released: make(chan struct{})}
	s.at.Store("")
	return s
}

// wait waits if op is what is stuck.
func (s *stuckLog) wait(op string) {
	if s.at.Load() == op {
		s.reached <- struct{}{}
		<-s.released
	}
}

func (s *stuckLog) NextReplica(shard core.ShardID, n core.NodeID) (core.ReplicaID, error) {
	s.wait("next")
	return s.Log.NextReplica(shard, n)
}

func (s *stuckLog) Create(shard core.ShardID, id core.ReplicaID, conf *pb.ConfState) (core.Replica, error) {
	s.wait("create")
	return s.Log.Create(shard, id, conf)
}

func (s *stuckLog) Scan(shard core.ShardID, f func(core.Position, int)) error {
	s.wait("scan")
	return s.Log.Scan(shard, f)
}

func (s *stuckLog) Destroy(shard core.ShardID, id core.ReplicaID) error {
	s.wait("destroy")
	return s.Log.Destroy(shard, id)
}

func (s *stuckLog) DiscardSnapshot(name string) error {
	s.wait("discard")
	return s.Log.DiscardSnapshot(name)
}

// Whatever the disk is at when a replica is made or removed, or a snapshot that nobody
// wants: the loop goes on, and with it the heartbeats of all other shards.
func TestTheLoopNeverWaitsForTheDisk(t *testing.T) {
	store := openStore(t, vfs.NewMem(), "data")
	t.Cleanup(func() { store.Close() })
	log := newStuckLog(store.Log())
	e, err := replica.Open(replica.Config{
		Node: 1, Shards: 8, Log: log, State: store, Address: func(core.NodeID) string { return "a:1" },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	other, err := e.Prepare(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	var preparing sync.WaitGroup
	defer preparing.Wait()
	prepare := func() {
		preparing.Go(func() {
			until(t, func() bool {
				_, err := e.Prepare(t.Context(), 2)
				return !errors.Is(err, replica.ErrEnding)
			})
		})
	}
	for _, step := range []struct {
		stuck string
		begin func()
	}{
		{"next", prepare},
		{"destroy", func() { remove(t, e, 2) }},
		{"create", prepare},
		{"destroy", func() { remove(t, e, 2) }},
		{"scan", prepare},
		{"discard", func() { unwanted(t, e) }},
	} {
		t.Run(step.stuck, func(t *testing.T) {
			log.at.Store(step.stuck)
			step.begin()
			<-log.reached
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			if st, err := e.Status(ctx, 1); st.ID != other || err != nil {
				t.Errorf("another shard: got %v, %v", st.ID, err)
			}
			log.at.Store("")
			log.released <- struct{}{}
		})
	}
}

// remove removes a replica as soon as it is there.
func remove(t *testing.T, e *replica.Engine, shard core.ShardID) {
	t.Helper()
	until(t, func() bool {
		st, err := e.Status(t.Context(), shard)
		return err == nil && st.ID != 0
	})
	if err := e.Remove(t.Context(), shard); err != nil {
		t.Error(err)
	}
}

// unwanted delivers a snapshot of a shard that has no replica here.
func unwanted(t *testing.T, e *replica.Engine) {
	t.Helper()
	m := &pb.Message{
		Type: pb.MsgSnap.Enum(), To: new(uint64(persistence.NewReplicaID(1, 9))), From: new(uint64(persistence.NewReplicaID(2, 1))),
		Snapshot: &pb.Snapshot{Data: []byte("s"), Metadata: &pb.SnapshotMetadata{Index: new(uint64(9)), Term: new(uint64(1))}},
	}
	frame, err := core.AppendFrame(nil, []core.Envelope{{Shard: 7, Message: m}})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.DeliverSnapshot(2, "s", strings.NewReader("state"), frame); err != nil {
		t.Error(err)
	}
}
