package sim

import (
	"math/rand/v2"
	"slices"
	"time"

	"ssod/cluster/replica/core"
)

// clocks is what goes on with the clocks of nodes: they measure one another, leap
// in some runs, and an operator sets shard times back. It draws from a source of
// its own, so that runs without leaps do not depend on it.
type clocks struct {
	dice     *rand.Rand
	leaps    bool
	alone    bool // only one clock is wrong at a time
	measured map[link]time.Duration
	// second is the most that a second clock was ahead: no single clock can have moved a
	// shard's time beyond it.
	second time.Duration
	resets map[core.ShardID][]uint64 // where shard times were set back
	// latestTime is the newest time that was applied to each shard, at latestIndex,
	// and bases what was applied when the owner of each commit began.
	latestTime, latestIndex map[core.ShardID]uint64
	bases                   map[string]uint64
	setBackCount, leapCount int
}

// measurePace is how often nodes measure each other's clocks.
const measurePace = 500 * time.Millisecond

// longLeap is how far a shard's time must leap to end the deadlines of all
// requests.
const longLeap = 30 * time.Second

func newClocks(seed uint64) clocks {
	return clocks{
		dice: rand.New(rand.NewPCG(seed, 0xc10c)), leaps: seed%5 == 2, alone: seed%10 == 2,
		measured: map[link]time.Duration{}, resets: map[core.ShardID][]uint64{}, bases: map[string]uint64{},
		latestTime: map[core.ShardID]uint64{}, latestIndex: map[core.ShardID]uint64{},
	}
}

// watchClocks begins all of it.
func (w *world) watchClocks() {
	w.measureAll()
	if !w.leaps {
		return
	}
	w.after(time.Second, w.leapSome)
	w.after(2*time.Second, w.operate)
}

// measureAll lets every node measure the clocks of those that it reaches.
func (w *world) measureAll() {
	for _, a := range w.ids {
		for _, b := range w.ids {
			l := link{a, b}
			delete(w.measured, l)
			if n := w.nodes[b]; a != b && n.core != nil && w.nodes[a].core != nil && !w.network.cut[l] && !w.network.cut[link{b, a}] {
				w.measured[l] = n.offset
			}
		}
		w.nodes[a].handOver()
	}
	w.after(measurePace, w.measureAll)
}

// measure is the time of another node's clock, as it was measured last by this node's
// monotonic clock.
func (n *node) measure(other core.NodeID) (time.Time, bool) {
	offset, ok := n.w.measured[link{n.id, other}]
	return time.UnixMilli(1_000_000_000_000).Add(n.w.now + offset), ok
}

// handOver hands the leads over of a node whose clock is ahead.
func (n *node) handOver() {
	if n.core == nil || n.core.Ahead() <= core.Tolerance {
		return
	}
	for _, s := range n.w.shards {
		voters := n.store.Applied(s).Conf.GetVoters()
		if o := n.owners[s]; o != nil && len(voters) > 1 {
			to := core.ReplicaID(voters[n.w.dice.IntN(len(voters))])
			n.input(func(c *core.Core) { c.Transfer(s, to) })
		}
	}
}

// leapSome sets clocks: of one node, of most, of all; forward and back, by minutes
// to years. Half of the time wrong ones are set right.
func (w *world) leapSome() {
	if !w.faulty {
		return
	}
	size := []time.Duration{time.Minute, time.Hour, 24 * time.Hour, 410 * 24 * time.Hour, 30 * 365 * 24 * time.Hour}[w.dice.IntN(5)]
	if w.dice.IntN(3) == 0 {
		size = -min(size, 365*24*time.Hour)
	}
	count := 1
	if !w.alone {
		count = []int{1, len(w.ids)/2 + 1, len(w.ids)}[w.dice.IntN(3)]
	}
	if w.alone || w.dice.IntN(2) == 0 {
		w.setClocks(w.ids, 0)
	}
	// Until clocks were measured again, one that was right may speak for another.
	w.after(2*pingPace, func() { w.leap(count, size) })
	w.after(2*pingPace+time.Duration(w.dice.Int64N(int64(6*time.Second))), w.leapSome)
}

func (w *world) leap(count int, size time.Duration) {
	if !w.faulty {
		return
	}
	ids := slices.Clone(w.ids)
	w.dice.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	w.setClocks(ids[:count], size)
	w.leapCount++
}

func (w *world) setClocks(ids []core.NodeID, offset time.Duration) {
	for _, id := range ids {
		w.nodes[id].offset = offset
	}
	w.noteClocks()
}

// noteClocks remembers how far the clocks would let a shard's time go.
func (w *world) noteClocks() {
	var all []time.Duration
	for _, id := range w.ids {
		all = append(all, w.nodes[id].offset)
	}
	slices.Sort(all)
	w.second = max(w.second, all[len(all)-2])
}

// operate is an operator who sets a shard's time back, perhaps before the clocks are right.
func (w *world) operate() {
	if w.faulty && w.dice.IntN(3) == 0 {
		w.setBack()
	}
	if w.faulty {
		w.after(time.Second, w.operate)
	}
}

func (w *world) setBack() {
	for _, s := range w.shards {
		if n, o := w.newestOwner(s); o != nil {
			n.input(func(c *core.Core) { c.Reset(&core.Reset{Shard: s, Done: func(error) {}}) })
		}
	}
}

// rightClocks sets all clocks right, and the shards' times back until they are.
func (w *world) rightClocks() {
	w.setClocks(w.ids, 0)
	if w.leaps {
		w.keepSettingBack()
	}
}

func (w *world) keepSettingBack() {
	if w.late() != "" {
		w.setBack()
	}
	w.after(time.Second, w.keepSettingBack) // an entry may be under way that is ahead
}

// late returns "" when no shard's time is ahead of the clocks.
func (w *world) late() string {
	for _, s := range w.shards {
		if n, o := w.newestOwner(s); o == nil || n.store.Applied(s).Time > w.truth(core.Tolerance) {
			return "a shard's time is ahead of all clocks"
		}
	}
	return ""
}

// truth is the time that right clocks say, and some more, in milliseconds.
func (w *world) truth(more time.Duration) uint64 {
	return uint64(time.UnixMilli(1_000_000_000_000).Add(w.now + more).UnixMilli())
}

// checkTime: one clock that is ahead of all others moves no shard's time, but
// where it belongs to the only voter. Nothing is applied after a reset that was
// decided before it.
func (w *world) checkTime(n *node, ch *core.Change) {
	if ch.Reset && !slices.Contains(w.resets[ch.Shard], ch.Index) {
		w.resets[ch.Shard] = append(w.resets[ch.Shard], ch.Index)
		w.setBackCount++
	}
	if limit := w.truth(w.second + core.Tolerance + measurePace); !w.grows && ch.Time > limit {
		w.violate("node %d applies time %d to shard %d, which no second clock allows: %d", n.id, ch.Time, ch.Shard, limit)
	}
	w.leapt(ch)
	for i := range ch.Commits {
		if ch.Commits[i].Marking() {
			continue
		}
		tag := string(ch.Commits[i].Outcomes[0].Result)
		for _, at := range w.resets[ch.Shard] {
			if w.bases[tag] < at && at < ch.Index {
				w.violate("node %d applies commit %s at %d of shard %d, whose owner began at %d, before the reset at %d", n.id, tag, ch.Index, ch.Shard, w.bases[tag], at)
			}
		}
	}
}

// leapt ends what is being asked of a shard whose time has leapt: outcomes are gone
// and deadlines have passed. cluster/replica/DESIGN.md#time says whose may not have.
func (w *world) leapt(ch *core.Change) {
	if ch.Index < w.latestIndex[ch.Shard] {
		return // by a node that lags
	}
	last := w.latestTime[ch.Shard]
	w.latestTime[ch.Shard], w.latestIndex[ch.Shard] = ch.After(last), ch.Index
	if last == 0 || ch.Time < last+uint64(longLeap.Milliseconds()) {
		return
	}
	for _, c := range w.clients {
		if op := c.current; op != nil && !op.done && op.shard == ch.Shard {
			c.expire(op)
		}
	}
}
