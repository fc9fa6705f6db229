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

// beginner is what a [cluster.Shard] implements whose read barrier calls back: done is
// called once, as ReadBarrier ends, by a goroutine that must not wait.
type beginner interface{ BeginBarrier(done func(error)) }

// barrier collects the turns of a lease that need a read barrier. All that wait
// when a barrier begins share it.
type barrier struct {
	runtime *Runtime
	handle  cluster.Shard
	free    freeBarrier // nil: never free
	words   vouched     // nil: no word passes for a barrier
	begin   func(done func(error))
	done    func(error) // ended

	mu      sync.Mutex
	waiting []*Turn // for the next one
	round   []*Turn // share the one that is under way
	running bool
	over    bool // the lease is
}

func (b *barrier) init(l *lease) {
	b.runtime, b.handle = l.runtime, l.handle
	b.free, _ = l.handle.(freeBarrier)
	b.words, _ = l.handle.(vouched)
	b.begin, b.done = b.beside, b.ended
	if h, ok := l.handle.(beginner); ok {
		b.begin = h.BeginBarrier
	}
}

// beside waits for a barrier that does not call back.
func (b *barrier) beside(done func(error)) {
	if !b.runtime.spawn(func() { done(b.handle.ReadBarrier(b.runtime.ctx)) }) {
		done(cluster.ErrLost)
	}
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
	over, first := b.over, !b.running
	if !over {
		b.waiting = append(b.waiting, t)
		b.running = true
	}
	b.mu.Unlock()
	switch {
	case over:
		bar([]*Turn{t}, Code_NOT_OWNER)
	case first:
		b.next()
	}
}

// next takes a barrier if turns wait for one.
func (b *barrier) next() {
	b.mu.Lock()
	b.round, b.waiting = b.waiting, nil
	b.running = len(b.round) > 0
	running := b.running
	b.mu.Unlock()
	if running {
		b.begin(b.done)
	}
}

// ended hands the turns of a barrier to their entities.
func (b *barrier) ended(err error) {
	b.mu.Lock()
	round := b.round
	b.round = nil
	b.mu.Unlock()
	code := barrierCode(err)
	for _, t := range round {
		t.barred(code)
	}
	for some := range slices.Chunk(round, gathered) {
		b.runtime.gather(func() { runAll(some) })
	}
	b.next()
}

// close ends the waiting: of a barrier that is under way nothing is expected.
func (b *barrier) close() {
	b.mu.Lock()
	all := append(b.round, b.waiting...)
	b.round, b.waiting, b.over = nil, nil, true
	b.mu.Unlock()
	bar(all, Code_NOT_OWNER)
}

// bar has turns answered with a code.
func bar(turns []*Turn, code Code) {
	for _, t := range turns {
		t.barred(code)
		t.entity.post(t)
	}
}

func barrierCode(err error) Code {
	switch {
	case err == nil:
		return Code_OK
	case errors.Is(err, cluster.ErrLost), errors.Is(err, context.Canceled):
		return Code_NOT_OWNER
	default:
		return Code_UNAVAILABLE
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
