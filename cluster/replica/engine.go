package replica

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster"
	"ssod/cluster/replica/core"
	"ssod/cluster/wait"
	"ssod/persistence"
	"ssod/persistence/level"
)

// Log is the node's disk: the logs and states of its replicas. A
// [ssod/persistence.Log] is one.
type Log interface {
	core.Store
	// Begin is Append without the wait.
	Begin(writes []core.LogWrite, sync bool) (*persistence.Write, error)
	// CreateAll is Create for several shards, with one sync.
	CreateAll(shards []core.ShardID, id core.ReplicaID, conf *pb.ConfState) ([]core.Replica, error)
	// NextReplica is the id of the next replica that a node makes of a shard.
	NextReplica(shard core.ShardID, node core.NodeID) (core.ReplicaID, error)
	// FlushDue receives when it is time to Flush, which writes what was applied to some
	// shards, or to all. Then the state on disk has everything up to Flushed, and Turn
	// may be called when the logs are truncated to there.
	FlushDue() <-chan struct{}
	Flush(shards ...core.ShardID) error
	Flushed(core.ShardID) uint64
	Turn() error
	// Halt ends flushing: Apply fails with [persistence.ErrClosed] where it would wait
	// for it.
	Halt()
	// Admit refuses a change of about size bytes when there is no room.
	Admit(size int) error
	// Full reports whether Admit refuses all changes for want of room.
	Full() bool
	// Busy is the age of the oldest write or sync that is under way; 0 without any.
	Busy() time.Duration
	// SnapshotSize is about how many bytes a shard's snapshot has. AdmitSnapshot refuses
	// one for which there is no room.
	SnapshotSize(core.ShardID) (uint64, error)
	AdmitSnapshot(size uint64) error
	// Export writes a shard's applied state to a file of that name.
	Export(shard core.ShardID, name string) (core.Applied, error)
	OpenSnapshot(name string) (io.ReadCloser, error)
	// ReceiveSnapshot stores such a file, durably.
	ReceiveSnapshot(name string, r io.Reader) error
	DiscardSnapshot(name string) error
	// Tidy removes snapshot files that a crash left.
	Tidy() error
}

// State reads what is applied. A [ssod/persistence.Store] is one.
type State interface {
	Head(core.ShardID, cluster.Entity) (cluster.Head, bool, error)
	Records(core.ShardID, cluster.Entity, func(part, value []byte) bool) error
	Outcome(core.ShardID, cluster.Entity, cluster.RequestID, uint32) ([]byte, bool, error)
	Entities(id core.ShardID, kind, after string, f func(identity string, h cluster.Head) bool) error
	Posted(core.ShardID) uint64
	Receivers(id core.ShardID, space byte) ([]uint64, error)
	Events(id core.ShardID, space byte, receiver, after uint64, f func(key cluster.EventKey, body []byte) bool) error
	Time(core.ShardID) time.Time
}

// Transport carries frames to other nodes.
type Transport interface {
	// Send queues a frame, which it owns then, and does not block. Frames may be lost,
	// duplicated and reordered.
	Send(to core.NodeID, frame []byte)
	// Spare is an empty buffer for the next frame; it may be nil.
	Spare() []byte
	// SendSnapshot has a snapshot made when the receiver is ready for it, and returns
	// when the receiver has it.
	SendSnapshot(to core.NodeID, s *cluster.Snapshot) error
}

// Config says how to run an engine. Node, Log, State, Shards and Address are
// required.
type Config struct {
	// Core has the limits of the state machine; its other fields are taken from here.
	Core core.Config
	Node core.NodeID
	// Shards is the number of entity shards; shard 0 comes on top.
	Shards int
	Log    Log
	State  State
	// Transport is nil on a node that is alone.
	Transport Transport
	// Voice is which messages leave until [Engine.Speak].
	Voice Voice
	// Address is the actor address of a node.
	Address func(core.NodeID) string
	// Tick is raft's unit of time; 0 means 100 ms. See
	// [core.Config.ElectionTicks].
	Tick time.Duration
	// Level is [core.Config.Level], which must be on this node's disk.
	Level func() int
	// Clock returns the time; nil means time.Now.
	Clock func() time.Time
	// Measured is [core.Config.Measured].
	Measured func(core.NodeID) (time.Time, bool)
	// Confirmed is [cluster.Shard.Confirmed]; nil means Clock.
	Confirmed func() time.Time
	// Fatal is called once when a write failed, or was not finished within HungDisk, so
	// that the contents of the disk are unknown; or with a [core.BrokenError]. The
	// process must end. nil panics.
	Fatal func(error)
	// SlowDisk is the age of a write at which the disk is slow, see [Engine.Disk]; 0
	// means two seconds. Disks stall for a few hundred milliseconds; with much less
	// that costs leaderships.
	SlowDisk time.Duration
	// QuietDisk is how long a slow disk must be quick, or a full one have room, before
	// it counts as well again; 0 means ten seconds. With less, leaderships come and go
	// with a disk that is slow now and then.
	QuietDisk time.Duration
	// HungDisk is the age of a write at which the disk has hung, which is fatal; 0
	// means twenty seconds. All three are counted in ticks.
	HungDisk time.Duration
	// DiskJudged is called when the disk has become slow or quick. It must not block
	// and may be nil.
	DiskJudged func(Disk)
	// MetaApplied is called after something was applied to the meta shard. It must not
	// block and may be nil.
	MetaApplied func()
	// Registerer gets the metrics of commits, flushes, snapshots, fences and the
	// disk; nil means none.
	Registerer prometheus.Registerer
}

func (c Config) withDefaults() Config {
	c.Tick = cmp.Or(c.Tick, 100*time.Millisecond)
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Confirmed == nil {
		c.Confirmed = c.Clock
	}
	if c.Fatal == nil {
		c.Fatal = func(err error) { panic(err) }
	}
	if c.Level == nil {
		c.Level = func() int { return level.First }
	}
	if c.MetaApplied == nil {
		c.MetaApplied = func() {}
	}
	if c.DiskJudged == nil {
		c.DiskJudged = func(Disk) {}
	}
	c.SlowDisk = cmp.Or(c.SlowDisk, defaultSlowDisk)
	c.QuietDisk = cmp.Or(c.QuietDisk, defaultQuietDisk)
	c.HungDisk = cmp.Or(c.HungDisk, defaultHungDisk)
	c.Core.Node, c.Core.Store, c.Core.Now, c.Core.Measured, c.Core.Level = c.Node, c.Log, c.Clock, c.Measured, c.Level
	return c
}

// Engine runs the replicas of one node. It implements [cluster.Shards].
type Engine struct {
	cfg    Config
	inbox  inbox
	meters metrics
	views  views
	disk   disk
	replay core.Replay

	turn     sync.Mutex // guards what follows
	core     *core.Core
	ended    bool
	exported uint64
	// concluded are barriers that have ended in this turn.
	concluded []*reading
	// changing are the shards of which a replica is being created or removed on disk.
	changing map[core.ShardID]bool

	appends  queue[*core.AppendJob]
	applies  queue[*core.ApplyJob]
	applying sync.Mutex // held by the goroutine that applies
	// sending and installing bound the snapshots that are sent and installed at a time.
	sending, installing chan struct{}
	sends               sends

	stop    chan struct{} // ends the loop
	halt    chan struct{} // ends the writers, after the loop
	written chan struct{} // ends the watch of the disk, after the writers
	once    sync.Once
	failed  atomic.Bool
	voice   atomic.Int32 // a Voice
	opened  time.Time
	ahead   atomic.Int64 // [core.Core.Ahead] at the last tick
	loop    sync.WaitGroup
	writers sync.WaitGroup
	others  sync.WaitGroup
	watch   sync.WaitGroup
}

// Open starts an engine on the replicas that the log holds.
func Open(cfg Config) (*Engine, error) {
	cfg = cfg.withDefaults()
	replicas, err := cfg.Log.Replicas()
	if err != nil {
		return nil, fmt.Errorf("open replicas: %w", err)
	}
	if err := cfg.Log.Tidy(); err != nil {
		return nil, fmt.Errorf("open replicas: %w", err)
	}
	e := &Engine{
		cfg: cfg, opened: time.Now(), stop: make(chan struct{}), halt: make(chan struct{}), written: make(chan struct{}),
		sending: make(chan struct{}, 2), installing: make(chan struct{}, 2), changing: make(map[core.ShardID]bool),
	}
	e.voice.Store(int32(cfg.Voice))
	e.disk.init(&cfg)
	e.inbox.wake, e.appends.wake, e.applies.wake = wait.NewSignal(), wait.NewSignal(), wait.NewSignal()
	e.views.shards = make([]atomic.Pointer[view], cfg.Shards+1)
	if e.core, err = core.New(cfg.Core, replicas); err != nil {
		return nil, fmt.Errorf("open replicas: %w", err)
	}
	e.replay = e.core.Replay()
	e.meters.watch(e)
	if err := e.meters.register(cfg.Registerer); err != nil {
		return nil, err
	}
	e.writers.Go(e.write)
	e.writers.Go(e.apply)
	e.writers.Go(e.flush)
	e.loop.Go(e.run)
	e.watch.Go(e.watchDisk)
	return e, nil
}

// Replay is what the state on disk lacked when the engine was opened.
func (e *Engine) Replay() core.Replay { return e.replay }

// Close ends all leaderships and waits for the writes under way.
func (e *Engine) Close() error {
	e.once.Do(func() {
		close(e.stop)
		e.loop.Wait()
		close(e.halt)
		e.cfg.Log.Halt()
		e.writers.Wait()
		e.others.Wait()
		close(e.written)
		e.watch.Wait()
		e.meters.unregister(e.cfg.Registerer)
	})
	return nil
}

// fail ends the engine: nothing is written any more.
func (e *Engine) fail(err error) {
	if e.failed.CompareAndSwap(false, true) {
		e.cfg.Fatal(err)
	}
}

var errClosed = errors.New("the engine is closed")
