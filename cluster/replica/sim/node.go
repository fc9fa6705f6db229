package sim

import (
	"maps"
	"slices"
	"time"

	"ssod/cluster/replica/core"
	"ssod/cluster/replica/model"
)

const tick = 100 * time.Millisecond

// node is a node's process, its disk and its clock. What the engine's
// goroutines do takes place in events.
type node struct {
	w      *world
	id     core.NodeID
	store  *model.Store
	core   *core.Core // nil while down
	life   int        // counts starts; events of an earlier life are void
	offset time.Duration
	paused instant // no round before
	away   bool    // its disk is not mounted: it cannot start
	// steward is what the process knows of others, where nodes join.
	steward *steward

	inbox   []func(*core.Core)
	waiting bool // a round is scheduled
	ticked  bool // a tick is in the inbox

	appends   []*core.AppendJob
	applies   []*core.ApplyJob
	appending bool
	applying  bool
	slow      float64 // how much slower the disk is

	owners map[core.ShardID]*owner
	views  map[core.ShardID]core.Leadership // as of the last round
	said   map[core.ShardID]word
}

// start starts the node on what its disk has.
func (n *node) start() {
	rs, err := n.store.Replicas()
	if err != nil {
		n.w.violate("node %d: %v", n.id, err)
	}
	n.w.checkMemory(n, rs)
	cfg := n.w.limits
	cfg.Node, cfg.Store, cfg.Now = n.id, n.store, n.clock
	cfg.Measured = n.measure
	if n.w.opts.Events {
		cfg.Level = func() int { return postLevel }
	}
	n.core, err = core.New(cfg, rs)
	if err != nil {
		n.w.violate("node %d: %v", n.id, err)
	}
	n.owners, n.views, n.said = map[core.ShardID]*owner{}, map[core.ShardID]core.Leadership{}, map[core.ShardID]word{}
	n.tick()
	n.kick()
	n.flush()
	if n.w.estate != nil {
		n.engage()
	}
}

func (n *node) clock() time.Time {
	return time.UnixMilli(1_000_000_000_000).Add(n.w.now + n.offset)
}

// revive starts the node if it is down and has its disk.
func (n *node) revive() {
	if n.core == nil && !n.away {
		n.start()
	}
}

// crash stops the process; the disk keeps some of what was not synced.
func (n *node) crash() {
	if n.core == nil {
		return
	}
	n.life++
	for _, id := range slices.Sorted(maps.Keys(n.owners)) {
		n.owners[id].end()
	}
	n.core, n.inbox, n.waiting, n.ticked = nil, nil, false, false
	n.appends, n.applies, n.appending, n.applying = nil, nil, false, false
	unsynced := n.store.Unsynced()
	keep := []int{0, unsynced / 2, unsynced, n.w.rand.IntN(unsynced + 1)}[n.w.rand.IntN(4)]
	n.store.Crash(keep)
}

// after does f later unless the process ends before.
func (n *node) after(d time.Duration, f func()) {
	life := n.life
	n.w.after(d, func() {
		if n.life == life && n.core != nil {
			f()
		}
	})
}

// input gives the core something to do before its next round.
func (n *node) input(f func(*core.Core)) {
	if n.core == nil {
		return
	}
	n.inbox = append(n.inbox, f)
	n.kick()
}

func (n *node) tick() {
	n.after(tick, n.tick)
	if n.ticked {
		return // a tick that nobody took is not repeated
	}
	n.ticked = true
	n.input(func(c *core.Core) {
		n.ticked = false
		c.Tick()
	})
}

// kick schedules a round.
func (n *node) kick() {
	if n.waiting {
		return
	}
	n.waiting = true
	d := n.w.between(0, 200*time.Microsecond)
	n.after(max(d, n.paused-n.w.now), n.round)
}

func (n *node) round() {
	n.waiting = false
	if n.paused > n.w.now {
		n.kick()
		return
	}
	for len(n.inbox) > 0 {
		inputs := n.inbox
		n.inbox = nil
		for _, f := range inputs {
			f(n.core)
		}
	}
	out := n.core.Round()
	n.lead(out.Leaderships)
	n.ship(out)
	if out.Append != nil {
		n.appends = append(n.appends, out.Append)
		n.append()
	}
	if out.Apply != nil {
		n.applies = append(n.applies, out.Apply)
		n.apply()
	}
	for _, j := range out.Installs {
		n.install(j)
	}
	for _, d := range out.Destroys {
		n.must(n.store.Destroy(d.Shard, d.ID))
	}
	if n.core.Pending() {
		n.kick()
	}
}

func (n *node) ship(out core.Round) {
	for _, to := range slices.Sorted(maps.Keys(out.Messages)) {
		n.w.checkPromises(n, out.Messages[to])
		for es := range core.Frames(out.Messages[to]) {
			frame, err := core.AppendFrame(nil, es)
			if err != nil {
				n.w.violate("node %d: %v", n.id, err)
			}
			n.w.network.send(n.id, to, frame)
		}
	}
	for _, to := range slices.Sorted(maps.Keys(out.Fences)) {
		frame := core.AppendFences(nil, out.Fences[to])
		n.w.network.send(n.id, to, frame)
		n.w.repeatFences(n.id, to, frame)
	}
	for _, s := range out.Snapshots {
		n.snapshot(s)
	}
}
