package sim

import (
	"os"
	"slices"
	"testing"
	"testing/cryptotest"
	"time"

	"ssod/cluster/replica/core"
	"ssod/cluster/replica/model"
)

// cuts are the ways in which a leader is gone without its connections breaking.
var cuts = []struct {
	name string
	cut  func(w *world, leader *node)
	// half, most and worst bound what shards are without a leader for: p50, p99
	// and maximum.
	half, most, worst time.Duration
}{
	{"cut in both directions", (*world).isolate, 1500 * time.Millisecond, 2200 * time.Millisecond, 2500 * time.Millisecond},
	{"hears and is not heard", (*world).mute, 1500 * time.Millisecond, 2200 * time.Millisecond, 2500 * time.Millisecond},
	{"is heard and hears nothing", (*world).deafen, time.Second, 1200 * time.Millisecond, 2 * time.Second},
	{"paused", (*world).pause, 1500 * time.Millisecond, 2200 * time.Millisecond, 2500 * time.Millisecond},
}

const (
	pausedFor = 4 * time.Second
	cutApart  = 8 * time.Second // between two cuts
)

func (w *world) isolate(n *node) { w.network.partition(w.side(n), true, true) }
func (w *world) mute(n *node)    { w.network.partition(w.side(n), false, true) }
func (w *world) deafen(n *node)  { w.network.partition(w.side(n), true, false) }
func (w *world) pause(n *node)   { n.paused = w.now + pausedFor }

func (w *world) side(n *node) map[core.NodeID]bool { return map[core.NodeID]bool{n.id: true} }

// TestFailovers: how long a shard is without a leader when the one that it has is
// cut off under load, on disks that take up to 60 ms.
func TestFailovers(t *testing.T) {
	for _, cut := range cuts {
		t.Run(cut.name, func(t *testing.T) {
			var took []time.Duration
			for seed := range uint64(failoverSeeds()) {
				cryptotest.SetGlobalRandom(t, seed)
				w := newThree(seed, 20)
				for range 10 {
					w.run(w.between(cutApart, cutApart+tick))
					took = append(took, w.failover(cut.cut)...)
				}
			}
			slices.Sort(took)
			half, most, worst := took[len(took)/2], took[len(took)*99/100], took[len(took)-1]
			t.Logf("%d shards: p50=%v p99=%v max=%v", len(took), half, most, worst)
			if half > cut.half || most > cut.most || worst > cut.worst {
				t.Errorf("want at most %v, %v, %v", cut.half, cut.most, cut.worst)
			}
		})
	}
}

func failoverSeeds() int {
	if os.Getenv("SSOD_LONG") != "" {
		return 50
	}
	return 2
}

// newThree makes a world of three nodes and eight shards, without faults, that
// clients write to.
func newThree(seed uint64, slow float64) *world {
	w := newWorld(Options{Seed: seed})
	w.grows = false
	for i := range 3 {
		id := core.NodeID(i + 1)
		w.ids = append(w.ids, id)
		w.nodes[id] = &node{w: w, id: id, store: model.New(0), slow: slow}
	}
	for s := range 8 {
		w.found(core.ShardID(s))
	}
	for _, id := range w.ids {
		w.after(w.between(0, tick), w.nodes[id].start) // they do not tick together
	}
	for i := range 8 {
		w.clients = append(w.clients, newClient(w, i))
	}
	w.think = 50 * time.Millisecond
	return w
}

func (w *world) run(d time.Duration) {
	for end := w.now + d; w.step(end); {
	}
}

// failover cuts some node off and returns how long each of its shards was without
// a leader on another one.
func (w *world) failover(cut func(*world, *node)) (took []time.Duration) {
	one := w.nodes[w.ids[w.rand.IntN(len(w.ids))]]
	var led []core.ShardID
	for _, s := range w.shards {
		if one.owners[s] != nil {
			led = append(led, s)
		}
	}
	at := w.now
	cut(w, one)
	for w.now < at+pausedFor && len(led) > 0 {
		w.run(time.Millisecond)
		led = slices.DeleteFunc(led, func(s core.ShardID) bool {
			ledAgain := slices.ContainsFunc(w.ids, func(id core.NodeID) bool { return id != one.id && w.nodes[id].owners[s] != nil })
			if ledAgain {
				took = append(took, w.now-at)
			}
			return ledAgain
		})
	}
	for range led {
		took = append(took, pausedFor) // or longer
	}
	w.run(at + pausedFor - w.now)
	w.network.heal()
	return took
}
