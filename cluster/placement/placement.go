package placement

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"ssod/cluster"
	"ssod/cluster/meta"
	"ssod/cluster/replica"
	"ssod/cluster/wait"
	"ssod/persistence"
	"ssod/persistence/level"
)

// Config is what a [Placement] needs. Self, Cluster, Engine, Registry, Calls and
// LastHeard are required.
type Config struct {
	// Self is this node as it should be in the registry.
	Self Node
	// Cluster is the cluster's id.
	Cluster string
	// Founding are the settings of a cluster that this node founds; the zero value
	// means [DefaultSettings].
	Founding Settings
	// Engine runs this node's replicas.
	Engine *replica.Engine
	// Registry is what is known of other nodes; the engine and the network use it
	// too.
	Registry *Registry
	// Calls carries requests to other nodes.
	Calls Calls
	// LastHeard is when a node was last heard; the zero time: never.
	LastHeard func(NodeID) time.Time
	// Offset is how far a node's clock is ahead of this one's; false if unknown. nil:
	// clocks are not compared.
	Offset func(NodeID) (time.Duration, bool)
	// Free is how many bytes of a node's disk are free; false if unknown. Need is how
	// many a node must have to get further replicas. nil: all have room.
	Free func(NodeID) (uint64, bool)
	Need func() uint64
	// Met and Left are called with members and with removed nodes. They must not block
	// and may be nil.
	Met  func(Node)
	Left func(NodeID)
	// Certificates are digests of those that a node has shown to this one. nil: none.
	Certificates func(NodeID) [][]byte
	// Boots are the starts of this node's data directory. The newest is registered after
	// [Placement.Introduced], unless the registered one is not an earlier one of them:
	// then this directory is older than what the node acknowledged, or a copy, and
	// Outdated is called once. It must not block. The zero value: nothing is registered.
	Boots    persistence.Boots
	Outdated func(error)
	// Levelled is called with the format level of the cluster, at first and when it has
	// risen, and with an error if this version does not know it. What belongs to the
	// level is not written before it returns. It may be nil.
	Levelled func(level int, err error)
	// Settings are those in which a joining node must agree, by a name for operators.
	// nil: none.
	Settings func() map[string]string
	// Finder looks through what this node has.
	Finder *Finder
	// Scrubber is this node's.
	Scrubber *Scrubber
	// Pins are this node's; nil: it pins nothing for others.
	Pins Pins
	// Events are this node's; nil: it answers no requests about them.
	Events Events

	// Binding says of which tables no node may serve an old version: a change of one is
	// answered when every node has it, or has lost its right to serve. nil: none.
	Binding func(table string) bool
	// Lease is how long a node may serve after its last contact with the leader of the
	// meta shard; 0 means ten seconds, and all nodes must have the same. With less an
	// election is noticeable, with more a revocation takes longer while a node is cut
	// off.
	Lease time.Duration

	// NotAccepting: others hand no leads to this node until [Placement.Ready].
	NotAccepting bool
	// AliveWithin is how recently a node must have been heard to count as alive; 0 means
	// three seconds.
	AliveWithin time.Duration
	// SilentFor is how long no voter of the meta shard may have heard a node before its
	// name is given to another one or it is removed; 0 means 30 s. With less a paused
	// node is replaced.
	SilentFor time.Duration
	// Pace is how often everything is checked; 0 means 200 ms. Changes of the map or of
	// leaderships do not wait for it.
	Pace time.Duration
	// Patience is how long a new replica may make no progress and hold up those of other
	// shards; 0 means ten seconds.
	Patience time.Duration
	// Clock is the wall clock; nil means time.Now.
	Clock func() time.Time
	// Log gets what an operator should know; nil means slog.Default.
	Log *slog.Logger
}

func (c Config) withDefaults() Config {
	c.Founding = cmp.Or(c.Founding, DefaultSettings())
	c.Self.Levels = cmp.Or(c.Self.Levels, level.Known())
	if c.Offset == nil {
		c.Offset = func(NodeID) (time.Duration, bool) { return 0, false }
	}
	if c.Free == nil || c.Need == nil {
		c.Free, c.Need = func(NodeID) (uint64, bool) { return 0, false }, func() uint64 { return 0 }
	}
	if c.Settings == nil {
		c.Settings = func() map[string]string { return nil }
	}
	if c.Binding == nil {
		c.Binding = func(string) bool { return false }
	}
	c.Lease = cmp.Or(c.Lease, 10*time.Second)
	c.AliveWithin = cmp.Or(c.AliveWithin, 3*time.Second)
	c.SilentFor = cmp.Or(c.SilentFor, 30*time.Second)
	c.Pace = cmp.Or(c.Pace, 200*time.Millisecond)
	c.Patience = cmp.Or(c.Patience, 10*time.Second)
	c.Log = cmp.Or(c.Log, slog.Default())
	if c.Met == nil {
		c.Met = func(Node) {}
	}
	if c.Certificates == nil {
		c.Certificates = func(NodeID) [][]byte { return nil }
	}
	if c.Left == nil {
		c.Left = func(NodeID) {}
	}
	if c.Levelled == nil {
		c.Levelled = func(int, error) {}
	}
	if c.Outdated == nil {
		c.Outdated = func(error) {}
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	return c
}

// Placement is one node's part in placing shards. It is safe for concurrent use.
type Placement struct {
	cfg      Config
	self     NodeID
	registry *Registry
	engine   *replica.Engine
	tables   *meta.Store
	view     *View
	locks    []sync.Mutex // by shard: its replica here is made, released or removed

	notAccepting atomic.Bool // this node takes no leads: it starts or is about to stop
	resigning    atomic.Bool
	contact      atomic.Pointer[time.Time] // when this node sent the last answered request for news
	metaLead     atomic.Pointer[metaLead]  // of this node over the meta shard, the last one
	skew         atomic.Pointer[Skew]      // as measured last
	vigil        vigil
	turns        turns
	boot         boot
	leases       *leases     // of the others, while this node leads the meta shard
	diskBad      atomic.Bool // as it was at the last look
	lag          lagWatch
	load         load
	served       atomic.Pointer[func(cluster.ShardID) uint64] // see Served
	rates        atomic.Pointer[[]float64]                    // of the shards that this node leads, by shard
	// appendTook is what a synced append takes here lately, in nanoseconds.
	appendTook atomic.Int64
	aside      atomic.Bool // this node serves nothing

	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
	wakes   [loops]wait.Signal
	reading sync.Mutex // held to take over what the tables say
	level   int        // the last reported format level of the cluster; guarded by reading
}

// Start begins to take part. The engine is open by then.
func Start(cfg Config) (*Placement, error) {
	cfg = cfg.withDefaults()
	p := &Placement{
		cfg: cfg, self: cfg.Self.ID, registry: cfg.Registry, engine: cfg.Engine,
		locks: make([]sync.Mutex, cfg.Engine.Count()+1), leases: newLeases(),
	}
	p.notAccepting.Store(cfg.NotAccepting)
	p.skew.Store(&Skew{})
	for i := range p.wakes {
		p.wakes[i] = wait.NewSignal()
	}
	p.boot.registered = make(chan struct{})
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.view = newView(cfg.Engine, cfg.Registry)
	var err error
	p.tables, err = meta.Follow(p.view, meta.Options{
		Reader: cfg.Engine.Reader(cluster.MetaShard), Forward: p.forward, Spread: p.spread,
	})
	if err != nil {
		p.cancel()
		return nil, fmt.Errorf("start placement: %w", err)
	}
	p.watch()
	return p, nil
}

// watch starts the loops and what wakes them.
func (p *Placement) watch() {
	stops := []func(){
		p.tables.Watch(nodesTable, p.reread),
		p.tables.Watch(shardsTable, p.reread),
		p.tables.Watch(settingsTable, p.reread),
		p.tables.Watch(slotsTable, p.divide),
		p.engine.Watch(func(cluster.ShardID) { p.wake() }),
		p.view.follow(),
	}
	context.AfterFunc(p.ctx, func() {
		for _, stop := range stops {
			stop()
		}
	})
	looks := [loops]func(context.Context){
		newPlanner(p).look, newMover(p).look, p.tidy, newAnnouncer(p).look, p.keepContact, p.watchClock, p.watchDisk, p.watchLeave, p.listen, p.register,
	}
	p.reread()
	p.divide()
	for i, look := range looks {
		p.running.Go(func() { p.loop(look, p.wakes[i]) })
	}
}

const loops = 10

// loop runs look at the placement's pace and whenever something changed.
func (p *Placement) loop(look func(context.Context), woken <-chan struct{}) {
	pace := time.NewTicker(p.cfg.Pace)
	defer pace.Stop()
	for {
		select {
		case <-p.ctx.Done():
			return
		case <-pace.C:
		case <-woken:
		}
		look(p.ctx)
	}
}

func (p *Placement) wake() {
	for _, woken := range p.wakes {
		woken.Send()
	}
}

// reread takes over the present tables.
func (p *Placement) reread() {
	p.reading.Lock()
	defer p.reading.Unlock()
	if err := p.registry.read(p.tables); err != nil {
		p.cfg.Log.Error("the registry of nodes cannot be read", "error", err)
		return
	}
	p.takeLevel()
	for _, n := range p.registry.Nodes() {
		switch {
		case n.ID == p.self:
		case n.State == NodeState_REMOVED:
			p.leases.remove(n.ID)
			p.cfg.Left(n.ID)
		default:
			p.vigil.meet(n.ID, time.Now())
			p.cfg.Met(n)
		}
	}
	p.wake()
}

// divide takes over the division of the hash slots.
func (p *Placement) divide() {
	slots, err := readSlots(p.tables, p.engine.Count())
	switch {
	case err != nil:
		p.cfg.Log.Error("the division of the hash slots cannot be read", "error", err)
	case slots != nil: // else the tables are being reloaded
		p.view.slots.Store(slots)
	}
}

// Close ends all loops.
func (p *Placement) Close() error {
	p.cancel()
	p.running.Wait()
	return p.tables.Close()
}

// Tables are the tables of the meta shard.
func (p *Placement) Tables() *meta.Store { return p.tables }

// Shards are all shards as this node sees them.
func (p *Placement) Shards() *View { return p.view }

// Applied must be called when something was applied to the meta shard here.
func (p *Placement) Applied() { p.tables.Applied() }

// Alive reports whether a node was heard within [Config.AliveWithin].
func (p *Placement) Alive(n NodeID) bool {
	return n == p.self || time.Since(p.cfg.LastHeard(n)) < p.cfg.AliveWithin
}

// forward hands a change of a meta table to the leader of the meta shard.
func (p *Placement) forward(ctx context.Context, to cluster.Owner, request []byte) ([]byte, error) {
	n, ok := p.registry.At(to.Address)
	if !ok {
		return nil, fmt.Errorf("%w: no node is known at %s", ErrTemporary, to.Address)
	}
	a, err := p.ask(ctx, n.ID, &Request{Change: request})
	return a.GetChange(), err
}
