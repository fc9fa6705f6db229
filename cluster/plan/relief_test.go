package plan_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ssod/cluster/plan"
)

// loaded is a cluster that serves, with a clock of its own. What the map prefers leads.
type loaded struct {
	m      plan.Map
	nodes  []plan.Node
	rules  plan.Rules
	relief plan.Relief
	now    time.Time
	moves  []time.Time
	times  map[int]int // that each shard moved
}

// serving are so many nodes with a replica of each shard.
func serving(nodes, shards int) *loaded {
	l := &loaded{rules: plan.Rules{Shards: shards, Replicas: nodes}, now: time.Unix(1e9, 0), times: map[int]int{}}
	for id := range nodes {
		l.nodes = append(l.nodes, plan.Node{ID: plan.NodeID(id + 1)})
	}
	l.m = grown(l.nodes, l.rules)
	return l
}

// run lets time pass with a load, and moves what is to move.
func (l *loaded) run(during time.Duration, rate func(shard int) float64) {
	for end := l.now.Add(during); l.now.Before(end); l.now = l.now.Add(5 * time.Second) {
		s := plan.Served{May: func(plan.NodeID) bool { return true }}
		for shard, a := range l.m {
			s.Leaders = append(s.Leaders, a.Preferred)
			s.Rates = append(s.Rates, rate(shard))
		}
		if shard, to, ok := l.relief.Next(l.now, l.m, s); ok {
			l.m[shard] = l.m[shard].LedBy(to)
			l.m = plan.Desired(l.nodes, l.m, l.rules)
			l.relief.Moved(l.now)
			l.moves = append(l.moves, l.now)
			l.times[shard]++
		}
	}
}

// busiest is the highest load of a node.
func (l *loaded) busiest(rates []float64) (most float64) {
	loads := map[plan.NodeID]float64{}
	for shard, a := range l.m {
		loads[a.Preferred] += rates[shard]
	}
	for _, load := range loads {
		most = max(most, load)
	}
	return most
}

// ledBy are the shards beside the tables that the map prefers a node for.
func (l *loaded) ledBy(n plan.NodeID) (shards []int) {
	for s, a := range l.m {
		if s > 0 && a.Preferred == n {
			shards = append(shards, s)
		}
	}
	return shards
}

func TestLeadsMoveByLoad(t *testing.T) {
	l := serving(3, 9)
	hot := l.ledBy(1)[:2]
	rate := func(shard int) float64 {
		if shard == hot[0] || shard == hot[1] {
			return 1000
		}
		return 10
	}
	before := slices.Clone(l.m)
	l.run(60*time.Second, rate)
	if len(l.moves) > 0 {
		t.Errorf("moved after %v", l.moves[0].Sub(time.Unix(1e9, 0)))
	}
	l.run(time.Hour, rate)
	if len(l.moves) != 1 || l.m[hot[0]].Preferred == l.m[hot[1]].Preferred {
		t.Errorf("%d moves, node %d and node %d lead the hot ones", len(l.moves), l.m[hot[0]].Preferred, l.m[hot[1]].Preferred)
	}
	l.run(time.Hour, func(int) float64 { return 0 })
	for s, a := range l.m {
		if !a.Equal(before[s]) {
			t.Errorf("without load shard %d is %v, was %v", s, a, before[s])
		}
	}
}

func TestWhatDoesNotHelpDoesNotMove(t *testing.T) {
	for name, rate := range map[string]func(l *loaded, shard int, tick int64) float64{
		"a single hot shard": func(l *loaded, shard int, _ int64) float64 {
			if shard == l.ledBy(1)[0] {
				return 1e6
			}
			return 1
		},
		"even load":   func(*loaded, int, int64) float64 { return 500 },
		"little load": func(l *loaded, shard int, _ int64) float64 { return 9 * float64(shard%4/3) },
		"bursts of less than a minute": func(l *loaded, shard int, tick int64) float64 {
			if tick%60 < 45 && l.m[shard].Preferred == 1 {
				return 1000
			}
			return 500
		},
	} {
		l := serving(3, 12)
		l.run(time.Hour, func(shard int) float64 { return rate(l, shard, l.now.Unix()) })
		if len(l.moves) > 0 {
			t.Errorf("%s: %d moves", name, len(l.moves))
		}
	}
}

// Whatever the load, while it is steady but for noise no shard goes to and fro; moves
// are ten seconds apart, and lower what the busiest node does.
func TestMovesByLoadEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := serving(rapid.IntRange(2, 6).Draw(t, "nodes"), rapid.IntRange(1, 40).Draw(t, "shards"))
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		noise := rapid.Float64Range(0, 0.4).Draw(t, "noise")
		skew := rapid.Float64Range(0, 2).Draw(t, "skew")
		var steady []float64
		for range l.m {
			steady = append(steady, 2000/math.Pow(1+float64(random.IntN(len(l.m))), skew))
		}
		noisy := func(shard int) float64 { return steady[shard] * (1 + noise*(2*random.Float64()-1)) }
		before := l.busiest(steady)
		l.run(2*time.Hour, noisy)
		for shard, times := range l.times {
			if times > 2 { // away and home
				t.Errorf("shard %d moved %d times", shard, times)
			}
		}
		for i, at := range l.moves {
			if i > 0 && at.Sub(l.moves[i-1]) < 10*time.Second {
				t.Errorf("two moves in %v", at.Sub(l.moves[i-1]))
			}
		}
		if after := l.busiest(steady); len(l.moves) > 0 && after > before*(1+1e-9) {
			t.Errorf("after %d moves the busiest node serves %v, before %v", len(l.moves), after, before)
		}
	})
}

// What load has moved survives everything but the loss of the one that leads.
func TestALeadMovedByLoadStays(t *testing.T) {
	l := serving(3, 9)
	moved := l.ledBy(1)[0]
	l.m[moved] = l.m[moved].LedBy(2)
	for _, nodes := range [][]plan.Node{active(1, 2, 3), active(1, 2, 3, 4), {{ID: 1, State: plan.Dead}, {ID: 2}, {ID: 3}, {ID: 4}}} {
		l.m = plan.Desired(nodes, l.m, rules3(9))
		if l.m[moved].Preferred != 2 {
			t.Errorf("%v: %v", nodes, l.m[moved])
		}
	}
	l.m = plan.Desired([]plan.Node{{ID: 1}, {ID: 2, State: plan.Dead}, {ID: 3}, {ID: 4}}, l.m, rules3(9))
	if a := l.m[moved]; a.Preferred == 2 || a.Home != 0 {
		t.Errorf("its leader is dead: %v", a)
	}
}

func rules3(shards int) plan.Rules { return plan.Rules{Shards: shards, Replicas: 3} }

func TestRates(t *testing.T) {
	var r plan.Rates
	now, count := time.Unix(1e9, 0), uint64(0)
	run := func(during time.Duration, perSecond uint64) (rate float64) {
		for end := now.Add(during); now.Before(end); now = now.Add(200 * ms) {
			count += perSecond / 5
			rate = r.Count(now, []uint64{0, count})[1]
		}
		return rate
	}
	if got := run(time.Minute, 1000); got < 990 || got > 1010 {
		t.Errorf("a minute of 1,000/s: %v", got)
	}
	if got := run(10*time.Second, 0); got < 300 || got > 450 {
		t.Errorf("ten seconds later: %v, want a third", got)
	}
	if got := run(time.Minute, 0); got > 10 {
		t.Errorf("a minute later: %v", got)
	}
}
