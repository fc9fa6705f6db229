package actors

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"ssod/cluster"
)

// Runtime runs the entities of the shards that this node leads, and asks
// entities wherever they live. It is safe for concurrent use.
type Runtime struct {
	limits     Limits
	kinds      map[string]*kind
	level      func() int // format level of the cluster
	outbox     Outbox     // nil: nobody wants to know
	view       cluster.Shards
	slots      func() *cluster.Slots
	words      vouches // nil: no vouchers are given
	noQuorum   func(cluster.ShardID) bool
	shards     []*shard // by id; shard 0 holds no entities
	system     *actor.ActorSystem
	self       string
	replies    *replies
	dispatcher *dispatcher
	peers      *peers // nil on a cluster of one
	metrics    *metrics
	log        *slog.Logger
	started    time.Time

	attempts atomic.Uint32 // numbers the attempts of all Asks
	asks     atomic.Int64  // Asks and Tells that wait
	queue    queue         // commands admitted and not answered
	active   atomic.Int64  // entities in memory
	bytes    atomic.Int64  // their approximate memory
	ticks    atomic.Uint32 // time in ticks of the sweep
	stopping atomic.Bool
	tells    chan struct{} // a slot per Tell on its way to another node
	crowded  chan struct{} // asks the sweep to make room

	ctx      context.Context // of commits, barriers and background work
	cancel   context.CancelFunc
	spawning sync.RWMutex   // held by cancel, so that nothing starts afterwards
	owned    sync.WaitGroup // every goroutine that the runtime started itself
}

// kind is a Kind with what the runtime keeps for it.
type kind struct {
	Kind
	bound   bound // of each entity's queue
	metrics *kindMetrics
}

// entityShare is the part of the node's QueueBytes that one entity may take.
const entityShare = 4

func (r *Runtime) newKind(k Kind) *kind {
	return &kind{
		Kind:    k,
		bound:   bound{atOnce: int32(cmp.Or(k.AtOnce, 16)), wait: r.limits.Wait, bytes: r.limits.QueueBytes / entityShare},
		metrics: r.metrics.kind(k.Name),
	}
}

// clock is nanoseconds since the start, by which waits are measured.
func (r *Runtime) clock() int64 { return int64(time.Since(r.started)) }

// Start makes the node an owner of entities. The caller must Stop it.
func Start(c Config) (*Runtime, error) {
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("start actors: %w", err)
	}
	r := newRuntime(c)
	if c.Remote != nil {
		if err := r.listen(c.Remote, c.Self); err != nil {
			return nil, fmt.Errorf("start actors: %w", err)
		}
	}
	if r.peers != nil {
		r.spawn(func() { r.replies.watch(r.ctx, r.reaches) })
		r.peers.node.Start()
	}
	unwatch := c.Shards.Watch(r.ownerChanged)
	context.AfterFunc(r.ctx, unwatch)
	r.spawn(r.sweep)
	r.spawn(r.walk)
	r.spawn(r.survey)
	return r, nil
}

func newRuntime(c Config) *Runtime {
	log := c.Log
	if log == nil {
		log = slog.Default()
	}
	r := &Runtime{
		limits: c.Limits.withDefaults(),
		kinds:  make(map[string]*kind, len(c.Kinds)),
		view:   c.Shards, slots: c.Slots, noQuorum: c.NoQuorum, level: c.Level, outbox: c.Outbox,
		system:  newSystem(log),
		self:    c.Self,
		metrics: newMetrics(c.Metrics),
		log:     log,
		started: time.Now(),
		crowded: make(chan struct{}, 1),
	}
	if r.level == nil {
		r.level = func() int { return math.MaxInt }
	}
	r.words, _ = c.Shards.(vouches)
	if r.noQuorum == nil {
		r.noQuorum = func(cluster.ShardID) bool { return false }
	}
	r.tells = make(chan struct{}, r.limits.Tells)
	r.replies = newReplies()
	r.dispatcher = newDispatcher()
	r.ctx, r.cancel = context.WithCancel(context.Background())
	for _, k := range c.Kinds {
		r.kinds[k.Name] = r.newKind(k)
	}
	for id := range c.Shards.Count() + 1 {
		r.shards = append(r.shards, newShard(r, cluster.ShardID(id)))
	}
	return r
}

// newSystem returns an actor system that neither logs messages nor keeps a
// goroutine for dead letters.
func newSystem(log *slog.Logger) *actor.ActorSystem {
	return actor.NewActorSystem(func(c *actor.Config) {
		c.LoggerFactory = func(*actor.ActorSystem) *slog.Logger { return slog.New(quiet{log.Handler()}) }
		c.DeadLetterRequestLogging = false
		c.DeadLetterThrottleInterval = 10 * time.Millisecond
	})
}

// spawn runs f in a goroutine that Stop waits for; not any more once it did.
func (r *Runtime) spawn(f func()) bool {
	r.spawning.RLock()
	defer r.spawning.RUnlock()
	if r.ctx.Err() != nil {
		return false
	}
	r.owned.Go(f)
	return true
}

// vouch is this node's voucher for the shard's owner, if it gives one, for a command that
// is there already.
func (r *Runtime) vouch(id cluster.ShardID) (v cluster.Voucher) {
	if r.words != nil {
		v, _ = r.words.Vouch(id)
	}
	return v
}

// Served is the number of commands for a shard's entities that this node has served, or
// tried to, as its leader; repeats count.
func (r *Runtime) Served(id cluster.ShardID) uint64 { return r.shards[id].served.Load() }

// Address is where other nodes reach this one.
func (r *Runtime) Address() string { return r.self }

// ownerChanged wakes the Asks that wait for an owner of the shard, and drops a
// leadership that is over.
func (r *Runtime) ownerChanged(id cluster.ShardID) {
	if id == cluster.MetaShard || int(id) >= len(r.shards) {
		return
	}
	s := r.shards[id]
	s.dropLost()
	s.wake()
}

// Stop refuses new Asks, waits for those in flight, and ends every goroutine. When ctx
// ends it cuts off what is in flight.
func (r *Runtime) Stop(ctx context.Context) error {
	if r.stopping.Swap(true) {
		return nil
	}
	err := until(ctx, func() bool { return r.asks.Load() == 0 && r.queue.depth.Load() == 0 })
	r.spawning.Lock()
	r.cancel()
	r.spawning.Unlock()
	for _, s := range r.shards {
		s.close()
	}
	r.owned.Wait()
	if gone := until(ctx, func() bool { return r.active.Load() == 0 }); err == nil {
		err = gone
	}
	if r.peers != nil {
		if closed := r.peers.stop(); err == nil {
			err = closed
		}
	}
	r.system.Shutdown()
	if idle := until(ctx, r.dispatcher.stopped); err == nil {
		err = idle
	}
	r.metrics.unregister()
	if err != nil {
		return fmt.Errorf("stop actors: %w", err)
	}
	return nil
}

// until polls a condition that is not signalled; it is used only to stop.
func until(ctx context.Context, done func() bool) error {
	pause := time.NewTicker(time.Millisecond)
	defer pause.Stop()
	for !done() {
		select {
		case <-pause.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
