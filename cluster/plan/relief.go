package plan

import (
	"math"
	"time"
)

const (
	// reliefGain is the share by which a move must lower the load of the busiest node.
	reliefGain = 0.2
	// reliefSpan is how long that must last, reliefStep the time between two looks, and
	// reliefGap the longest time between them without starting again.
	reliefSpan = 60 * time.Second
	reliefStep = 5 * time.Second
	reliefGap  = 3 * reliefStep
	// reliefPause is between two moves.
	reliefPause = 10 * time.Second
	// reliefFloor is the load in requests per second below which no node is busy.
	reliefFloor = 100
)

// Served is the load at a time.
type Served struct {
	// Leaders and Rates are the leader and the requests per second of each shard.
	Leaders []NodeID
	Rates   []float64
	// May reports whether a node may be given leads.
	May func(NodeID) bool
}

// Relief decides which leaderships move by load. A lead moves to another voter when, at each
// look of the last minute, the busiest node would have a fifth less load and the other one
// no more than that. So a shard that is most of a node's load stays: moving it would only
// make another node the busiest. A lead moves back to its home when, in the same time, that
// would not have made the busier of the two nodes busier.
//
// A move lowers the larger load of two nodes by a fifth, and so must the way back, so no
// lead oscillates. The zero value has seen nothing.
type Relief struct {
	looks []look
	moved time.Time
}

// look is what shards served at a time.
type look struct {
	at    time.Time
	rates []float64
}

// Next looks at the load and returns a shard whose lead should move to another voter; false
// if there is none. The caller reports the move with [Relief.Moved].
func (r *Relief) Next(now time.Time, m Map, s Served) (shard int, to NodeID, ok bool) {
	if !r.look(now, s.Rates) || now.Sub(r.looks[0].at) < reliefSpan || now.Sub(r.moved) < reliefPause {
		return 0, 0, false
	}
	loads := make([]map[NodeID]float64, len(r.looks))
	for i, l := range r.looks {
		loads[i] = map[NodeID]float64{}
		for shard, leader := range s.Leaders {
			loads[i][leader] += l.rates[shard]
		}
	}
	if shard, to, ok = r.relieve(m, s, loads); ok {
		return shard, to, true
	}
	return r.home(m, s, loads)
}

// Moved notes that a move was made.
func (r *Relief) Moved(now time.Time) { r.moved = now }

// look notes the load when it is time to, and reports whether it was.
func (r *Relief) look(now time.Time, rates []float64) bool {
	if n := len(r.looks); n > 0 {
		last := r.looks[n-1]
		if now.Sub(last.at) < reliefStep {
			return false
		}
		if now.Sub(last.at) > reliefGap || len(last.rates) != len(rates) {
			r.looks = nil
		}
	}
	r.looks = append(r.looks, look{now, rates})
	for len(r.looks) > 1 && now.Sub(r.looks[1].at) >= reliefSpan {
		r.looks = r.looks[1:]
	}
	return true
}

// relieve finds the move that leaves the two nodes of it the least load, at its worst
// look, among those that take a fifth of the busiest node's.
func (r *Relief) relieve(m Map, s Served, loads []map[NodeID]float64) (shard int, to NodeID, ok bool) {
	busiest, load := busiest(loads)
	if load < reliefFloor {
		return 0, 0, false
	}
	best := 1 - reliefGain
	for id := 1; id < len(m) && id < len(s.Leaders); id++ {
		if s.Leaders[id] != busiest || m[id].Preferred != busiest {
			continue
		}
		for _, n := range m[id].Voters {
			if n == busiest || !s.May(n) {
				continue
			}
			if left := r.left(loads, id, busiest, n); left < best {
				shard, to, ok, best = id, n, true, left
			}
		}
	}
	return shard, to, ok
}

// left is the load of the busier of two nodes after a shard has moved from one to the
// other, relative to the present load of the first, at the worst look.
func (r *Relief) left(loads []map[NodeID]float64, shard int, from, to NodeID) (worst float64) {
	for i, l := range r.looks {
		after := max(loads[i][from]-l.rates[shard], loads[i][to]+l.rates[shard])
		if loads[i][from] == 0 {
			return math.Inf(1)
		}
		worst = max(worst, after/loads[i][from])
	}
	return worst
}

// home finds a shard whose lead may go back to its home.
func (r *Relief) home(m Map, s Served, loads []map[NodeID]float64) (shard int, to NodeID, ok bool) {
	for id := 1; id < len(m) && id < len(s.Leaders); id++ {
		a := m[id]
		if a.Home != 0 && s.Leaders[id] == a.Preferred && a.Votes(a.Home) && s.May(a.Home) && r.harmless(loads, id, a.Preferred, a.Home) {
			return id, a.Home, true
		}
	}
	return 0, 0, false
}

// harmless reports whether the busier of two nodes has no more load after a shard has moved
// from one to the other, at any look.
func (r *Relief) harmless(loads []map[NodeID]float64, shard int, from, to NodeID) bool {
	for i, l := range r.looks {
		before := max(loads[i][from], loads[i][to])
		if after := max(loads[i][from]-l.rates[shard], loads[i][to]+l.rates[shard]); after > before {
			return false
		}
	}
	return true
}

// busiest is the node with the highest load on average.
func busiest(loads []map[NodeID]float64) (node NodeID, load float64) {
	sums := map[NodeID]float64{}
	for _, l := range loads {
		for n, served := range l {
			sums[n] += served / float64(len(loads))
		}
	}
	for n, sum := range sums {
		if sum > load || sum == load && n < node {
			node, load = n, sum
		}
	}
	return node, load
}

// rateSpan is the time over which rates are smoothed.
const rateSpan = 10 * time.Second

// Rates smooths how many requests each shard serves per second. The zero value has
// counted nothing.
type Rates struct {
	at     time.Time
	counts []uint64
	rates  []float64
}

// Count takes how many requests each shard has served here up to a time, and returns the
// smoothed rates per second.
func (r *Rates) Count(now time.Time, counts []uint64) []float64 {
	since := now.Sub(r.at)
	if len(r.counts) != len(counts) {
		r.at, r.counts, r.rates = now, counts, make([]float64, len(counts))
		return r.rates
	}
	if since < time.Second {
		return r.rates
	}
	weight := 1 - math.Exp(-since.Seconds()/rateSpan.Seconds())
	rates := make([]float64, len(counts))
	for i, n := range counts {
		lately := float64(n-r.counts[i]) / since.Seconds()
		rates[i] = r.rates[i] + weight*(lately-r.rates[i])
	}
	r.at, r.counts, r.rates = now, counts, rates
	return rates
}
