package actors

import (
	"context"
	"errors"
	"slices"
	"sync"

	"ssod/cluster"
)

// freeBarrier is what a [cluster.Shard] implements whose read barrier may need
// no waiting, because it has no other voter to ask. TryBarrier reports that a
// barrier has passed; when it cannot without waiting it returns false.
type freeBarrier interface{ TryBarrier() bool }

// vouched is what a [cluster.Shard] implements that lets the word of another node pass
// for a read barrier, and vouches a [cluster.Shards] that gives this node's.
type (
	vouched interface{ Vouched(cluster.Voucher) bool }
	vouches interface {
		Vouch(cluster.ShardID) (cluster.Voucher, bool)
	}
)

// barrier collects the turns of a lease that need a read barrier. All that wait
// when a barrier begins share it.
type barrier struct {
	runtime *Runtime
	handle  cluster.Shard
	free    freeBarrier // nil: never free
	words   vouched     // nil: no word passes for a barrier

	mu      sync.Mutex
	waiting []*Turn
	running bool
}

func (b *barrier) init(l *lease) {
	b.runtime, b.handle = l.runtime, l.handle
	b.free, _ = l.handle.(freeBarrier)
	b.words, _ = l.handle.(vouched)
}

// passed takes a barrier if that costs no waiting.
func (b *barrier) passed() bool { return b.free != nil && b.free.TryBarrier() }

// vouched reports whether the turn came with a word that passes for a barrier: it was
// given after the command was, so nothing that was acknowledged before that is missing
// here.
func (b *barrier) vouched(t *Turn) bool {
	return b.words != nil && t.voucher.Replica != 0 && b.words.Vouched(t.voucher)
}

// wait hands the turn to its entity after the next barrier. The number of
// waiting turns is bounded by admission.
func (b *barrier) wait(t *Turn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.running && !b.runtime.spawn(b.rounds) {
		t.barred(Code_NOT_OWNER)
		t.entity.post(t)
		return
	}
	b.running = true
	b.waiting = append(b.waiting, t)
}

// rounds takes barriers as long as turns wait for one.
func (b *barrier) rounds() {
	for {
		round := b.next()
		if round == nil {
			return
		}
		code := b.take()
		for _, t := range round {
			t.barred(code)
		}
		for some := range slices.Chunk(round, gathered) {
			b.runtime.gather(func() { runAll(some) })
		}
	}
}

// gathered is how many turns are run before their answers are sent.
const gathered = 32

// runAll runs turns that have waited for a barrier: here, where that needs no waiting,
// because otherwise a worker would be woken for each.
func runAll(turns []*Turn) {
	for _, t := range turns {
		if t.state.past >= repeated || !t.entity.runBriefly(t) {
			t.entity.post(t)
		}
	}
}

func (b *barrier) next() []*Turn {
	b.mu.Lock()
	defer b.mu.Unlock()
	round := b.waiting
	b.waiting = nil
	b.running = round != nil
	return round
}

func (b *barrier) take() Code {
	err := b.handle.ReadBarrier(b.runtime.ctx)
	switch {
	case err == nil:
		return Code_OK
	case errors.Is(err, cluster.ErrLost), errors.Is(err, context.Canceled):
		return Code_NOT_OWNER
	default:
		return Code_UNAVAILABLE
	}
}
