package replica_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ssod/cluster"
	"ssod/cluster/replica"
	"ssod/cluster/replica/core"
	"ssod/persistence"
)

// gatedLog is a log whose appends wait while the gate is shut.
type gatedLog struct {
	*persistence.Log
	gate    sync.RWMutex
	waiting chan struct{}
}

func (l *gatedLog) Begin(writes []core.LogWrite, sync bool) (*persistence.Write, error) {
	if !l.gate.TryRLock() {
		l.waiting <- struct{}{}
		l.gate.RLock()
	}
	defer l.gate.RUnlock()
	return l.Log.Begin(writes, sync)
}

// gated opens an engine alone on a gated log.
func gated(t *testing.T) (*replica.Engine, *gatedLog) {
	t.Helper()
	store, err := persistence.Open(persistence.Options{
		Dir: "data", FS: vfs.NewMem(), DefaultNode: "n1", Shards: testShards, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	log := &gatedLog{Log: store.Log(), waiting: make(chan struct{}, 100)}
	e, err := replica.Alone(t.Context(), replica.Config{
		Node: 1, Shards: testShards, Log: log, State: store, Address: func(core.NodeID) string { return "a:1" },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e, log
}

func TestReadsWaitForACommitThatWasLeft(t *testing.T) {
	e, log := gated(t)
	shard, _ := e.Lead(1)
	log.gate.Lock()
	ctx, cancel := context.WithCancel(t.Context())
	committed := make(chan error)
	go func() {
		committed <- shard.Commit(ctx, cluster.Commit{Entity: entity(1), State: []byte("s")})
	}()
	<-log.waiting
	cancel()
	if err := <-committed; !errors.Is(err, cluster.ErrUnknown) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want ErrUnknown", err)
	}
	read := make(chan cluster.Head)
	go func() {
		h, _, _ := shard.Head(entity(1))
		read <- h
	}()
	if _, ok, err := shard.Head(entity(2)); ok || err != nil { // others do not wait
		t.Errorf("another entity: %v %v", ok, err)
	}
	if err := shard.ReadBarrier(t.Context()); err != nil {
		t.Errorf("barrier while the disk stalls: %v", err)
	}
	select {
	case h := <-read:
		t.Errorf("read %+v while the commit is open", h)
	default:
	}
	log.gate.Unlock()
	if h := <-read; h.Rev != 1 {
		t.Errorf("got revision %d, want the commit", h.Rev)
	}
}

func TestCloseAnswersWhatIsInFlight(t *testing.T) {
	e, log := gated(t)
	shard, _ := e.Lead(1)
	log.gate.Lock()
	committed := make(chan error)
	go func() {
		committed <- shard.Commit(t.Context(), cluster.Commit{Entity: entity(1)})
	}()
	<-log.waiting
	closed := make(chan struct{})
	go func() {
		e.Close()
		close(closed)
	}()
	if err := <-committed; !errors.Is(err, cluster.ErrUnknown) {
		t.Errorf("got %v, want ErrUnknown", err)
	}
	<-shard.Lost()
	log.gate.Unlock()
	<-closed
}

// TestABarrierIsFreeAlone: a sole voter need not ask, as long as it leads.
func TestABarrierIsFreeAlone(t *testing.T) {
	e, _ := gated(t)
	shard, _ := e.Lead(1)
	if !free(shard) {
		t.Error("a sole voter has to wait for a barrier")
	}
	e.Close()
	if free(shard) {
		t.Error("a barrier passed after the leadership was lost")
	}
	c := newCluster(t, 3)
	_, shard = c.leader(1)
	if free(shard) {
		t.Error("a barrier passed without asking the other voters")
	}
}

func free(s cluster.Shard) bool { return s.(interface{ TryBarrier() bool }).TryBarrier() }

// begin begins a barrier and returns where its end will be.
func begin(s cluster.Shard) <-chan error {
	done := make(chan error, 2)
	s.(interface{ BeginBarrier(func(error)) }).BeginBarrier(func(err error) { done <- err })
	return done
}

// TestABarrierCallsBack, when a majority has answered, or when the lead is over.
func TestABarrierCallsBack(t *testing.T) {
	c := newCluster(t, 3)
	leader, shard := c.leader(1)
	c.eventually("a barrier passes", func() bool { // again where the machine stalls and another one leads
		leader, shard = c.leader(1)
		return <-begin(shard) == nil
	})
	for n := range core.NodeID(3) {
		if n+1 != leader {
			c.stop(n + 1)
		}
	}
	waiting := begin(shard)
	c.stop(leader)
	if err := <-waiting; !errors.Is(err, cluster.ErrLost) {
		t.Errorf("of a leader that was left alone and closed: got %v, want ErrLost", err)
	}
	if err := <-begin(shard); !errors.Is(err, cluster.ErrLost) {
		t.Errorf("of one that is closed: got %v, want ErrLost", err)
	}
}
