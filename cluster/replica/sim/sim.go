package sim

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"ssod/cluster/replica/core"
	"ssod/cluster/replica/internal/planted"
	"ssod/cluster/replica/model"
)

// Options of a run.
type Options struct {
	Seed uint64
	// Duration is the virtual time with faults; healing comes after it.
	Duration time.Duration
	// Planted switches mistakes of the engine on.
	Planted planted.Set
	// Promises switches the check off that looks into the disks whether what
	// is promised is there, so that a mistake must show in what clients see.
	NoPromises bool
	// Joins lets nodes join and be replaced at bad moments, in place of the
	// moves that are drawn.
	Joins bool
	// Scales lets nodes join and be drained, in zones or not, in place of both.
	Scales bool
	// Events: each commit has an event, which the leaders of shards deliver.
	Events bool
}

// Result says what a run was like.
type Result struct {
	Violation *Violation
	// Applied counts entries that were applied, on all nodes; Changes and
	// Reads what clients got an answer to.
	Applied, Changes, Reads    int
	Elections, Crashes         int
	Snapshots, Installs, Moves int
	Unknown, Refused, Rejected int
	Joined, Objections, Left   int // nodes that were taken in, and that were not, and those that left
	Leaps, SetBack             int // of clocks; of shard times
	Told, ToldAgain            int // events
	Steps                      uint64
	// Unchecked: whether the history is linearizable took too long to find out.
	Unchecked bool
}

func (r Result) String() string {
	return fmt.Sprintf("%d steps, %d applied, %d changes, %d reads, %d elections, %d crashes, %d snapshots, %d installs, %d moves, %d unknown, %d refused, %d rejected, %d joined, %d objections, %d left, %d leaps, %d set back, %d told, %d again",
		r.Steps, r.Applied, r.Changes, r.Reads, r.Elections, r.Crashes, r.Snapshots, r.Installs, r.Moves, r.Unknown, r.Refused, r.Rejected, r.Joined, r.Objections, r.Left, r.Leaps, r.SetBack, r.Told, r.ToldAgain)
}

// world is everything that is simulated.
type world struct {
	clock
	opts    Options
	ids     []core.NodeID
	nodes   map[core.NodeID]*node
	network network
	shards  []core.ShardID
	limits  core.Config // of every node's core
	// flushing has a source of its own, so that the rest of a run is as it would be
	// without flushes until one matters.
	flushing flushing
	think    time.Duration // a client's pause between operations, at most
	faulty   bool
	// grows: shards begin with one member, grow and shrink back to one.
	grows bool
	// crashWrites: nodes crash in the middle of writes too.
	crashWrites bool
	// estate has the machines of runs in which nodes join.
	estate *estate

	checks
	members
	history
	clocks
	deceit
	words
	posts   posts
	clients []*client

	snapshots, installs, crashes, moves int
	unknown, refused, rejected          int
	joined, objections, left            int
	unchecked                           bool
}

// Run does one run.
func Run(opts Options) (res Result) {
	w := newWorld(opts)
	defer func() {
		res = w.result()
		if r := recover(); r != nil {
			res.Violation = asViolation(w, r)
		}
	}()
	switch {
	case opts.Joins:
		w.beginJoins()
	case opts.Scales:
		w.beginScale()
	default:
		w.begin()
	}
	for w.step(opts.Duration) {
	}
	w.finish()
	return res
}

// asViolation turns a panic of the engine, which is how it stops at a broken
// invariant, into a violation.
func asViolation(w *world, r any) *Violation {
	var v *Violation
	if err, ok := r.(error); ok && errors.As(err, &v) {
		return v
	}
	return &Violation{w.now, "panic: " + core.Broken(r).Error()}
}

func newWorld(opts Options) *world {
	w := &world{clock: newClock(opts.Seed), opts: opts, nodes: map[core.NodeID]*node{}, grows: opts.Seed%4 == 3}
	w.network = network{w: w, cut: map[link]bool{}}
	w.checks = newChecks()
	w.members = newMembers()
	w.clocks = newClocks(opts.Seed)
	w.deceit = newDeceit(opts.Seed, opts.Joins || opts.Scales)
	w.words = words{vouches: opts.Seed%7 == 3 && !opts.Joins && !opts.Scales}
	w.flushing = newFlushing(opts.Seed)
	w.posts = newPosts(clock{rand: rand.New(rand.NewPCG(opts.Seed, 0xe7e2))})
	return w
}

// begin makes a cluster of one, three or five members per shard, on four to six
// nodes.
func (w *world) begin() {
	count := 4 + w.rand.IntN(3)
	for i := range count {
		id := core.NodeID(i + 1)
		w.ids = append(w.ids, id)
		w.nodes[id] = &node{w: w, id: id, store: model.New(w.opts.Planted), slow: 1}
	}
	w.drawLimits()
	for s := range 1 + w.rand.IntN(3) {
		w.found(core.ShardID(s))
	}
	for _, id := range w.ids {
		w.nodes[id].start()
	}
	w.employ(3 + w.rand.IntN(4))
	w.faulty = true
	w.scheduleFaults()
	w.watchClocks()
	w.deceiveSome()
	w.after(time.Second, w.reconcile)
}

// flushing says how often nodes flush.
type flushing struct {
	clock               // draws
	apart time.Duration // at most
}

func newFlushing(seed uint64) flushing {
	f := flushing{clock: clock{rand: rand.New(rand.NewPCG(seed, 0xf1a5))}}
	f.apart = []time.Duration{20, 200, 1000, 5000}[f.rand.IntN(4)] * time.Millisecond
	return f
}

// drawLimits draws how much the nodes keep and queue.
func (w *world) drawLimits() {
	w.limits = core.Config{
		MaxEntry:       1 << (9 + w.rand.IntN(8)),
		MaxQueue:       1 << (10 + w.rand.IntN(8)),
		MaxUncommitted: 1 << (10 + w.rand.IntN(8)),
		LogTail:        1 << (8 + w.rand.IntN(8)),
		LogKeep:        1 << (10 + w.rand.IntN(5)),
	}
	w.limits.LogRest = w.limits.LogKeep >> (w.opts.Seed % 4)
	w.limits.LogHold = 1 // nothing
	if w.opts.Seed%4 == 2 {
		w.limits.LogHold = w.limits.LogKeep << (w.opts.Seed / 4 % 6)
	}
}

// employ makes clients.
func (w *world) employ(clients int) {
	for i := range clients {
		w.clients = append(w.clients, newClient(w, i))
	}
	w.think = []time.Duration{5, 50, 300, 1000}[w.rand.IntN(4)] * time.Millisecond
}

// finish heals everything and checks what must be true in the end.
func (w *world) finish() {
	w.faulty = false
	w.network.heal()
	w.network.loss, w.network.dup, w.network.late = 0, 0, 0
	for _, id := range w.ids {
		n := w.nodes[id]
		n.slow, n.paused = 1, 0
		n.revive()
	}
	if w.estate != nil {
		w.estate.mend()
		w.until(w.estate.whole)
		w.until(w.estate.spread)
		if w.opts.Scales {
			w.until(w.estate.listening)
		}
	}
	w.rightClocks()
	w.until(w.progress())
	if w.leaps {
		w.until(w.late)
	}
	for _, c := range w.clients {
		c.stop = true
	}
	w.until(w.agreed)
	w.until(w.untold)
	w.checkHistory()
}

// patience is how long the cluster may take to recover.
const patience = 60 * time.Second

// until steps until nothing is missing.
func (w *world) until(missing func() string) {
	for end := w.now + patience; ; {
		what := missing()
		if what == "" {
			return
		}
		if !w.step(end) {
			w.violate("%v after healing: %s", patience, what)
		}
	}
}

func (w *world) result() Result {
	return Result{
		Applied: w.appliedCount, Changes: w.changed, Reads: w.read,
		Elections: len(w.leaders), Crashes: w.crashes, Snapshots: w.snapshots,
		Installs: w.installs, Moves: w.moves, Unknown: w.unknown, Refused: w.refused,
		Rejected: w.rejected, Joined: w.joined, Objections: w.objections, Left: w.left,
		Leaps: w.leapCount, SetBack: w.setBackCount, Told: w.posts.first, ToldAgain: w.posts.repeated, Steps: w.seq, Unchecked: w.unchecked,
	}
}
