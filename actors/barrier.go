package actors

import (
	"context"
	"errors"
	"slices"
	"sync"

	"ssod/cluster"
)

// What a [cluster.Shard] may implement besides, and a [cluster.Shards] for vouches.
type (
	// freeBarrier may pass a read barrier without waiting, because there is no other
	// voter to ask. TryBarrier returns false when it would have to wait.
	freeBarrier interface{ TryBarrier() bool }
	// vouched accepts another node's voucher in place of a read barrier.
	vouched interface{ Vouched(cluster.Voucher) bool }
	// vouches gives this node's vouchers.
	vouches interface {
		Vouch(cluster.ShardID) (cluster.Voucher, bool)
	}
	// beginner calls done once, as ReadBarrier ends, in a goroutine that must not wait.
	beginner interface{ BeginBarrier(done func(error)) }
)

// barrier collects the turns of a term that need a read barrier. All that wait when one
// begins share it.
type barrier struct {
	runtime *Runtime
	handle  cluster.Shard
	free    freeBarrier // nil: never free
	words   vouched     // nil: vouchers do not count
	begin   func(done func(error))
	done    func(error) // ended

	mu      sync.Mutex
	waiting []*Turn // for the next one
	current []*Turn // share the one under way
	running bool
	over    bool // the term is
}

func (b *barrier) init(l *leadership) {
	b.runtime, b.handle = l.runtime, l.handle
	b.free, _ = l.handle.(freeBarrier)
	b.words, _ = l.handle.(vouched)
	b.begin, b.done = b.spawned, b.ended
	if h, ok := l.handle.(beginner); ok {
		b.begin = h.BeginBarrier
	}
}

// spawned waits in a goroutine of its own for a barrier that does not call back.
func (b *barrier) spawned(done func(error)) {
	if !b.runtime.spawn(func() { done(b.handle.ReadBarrier(b.runtime.ctx)) }) {
		done(cluster.ErrLost)
	}
}

// passed takes a barrier if it need not wait.
func (b *barrier) passed() bool { return b.free != nil && b.free.TryBarrier() }

// vouched reports whether the turn came with a voucher that counts. The voucher is
// younger than the command, so nothing that was acknowledged before that is missing here.
func (b *barrier) vouched(t *Turn) bool {
	return b.words != nil && t.voucher.Replica != 0 && b.words.Vouched(t.voucher)
}

// wait hands the turn to its entity after the next barrier. Admission bounds how many
// turns wait.
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
	b.current, b.waiting = b.waiting, nil
	b.running = len(b.current) > 0
	running := b.running
	b.mu.Unlock()
	if running {
		b.begin(b.done)
	}
}

// ended hands the turns of a barrier to their entities.
func (b *barrier) ended(err error) {
	b.mu.Lock()
	turns := b.current
	b.current = nil
	b.mu.Unlock()
	code := barrierCode(err)
	for _, t := range turns {
		t.barred(code)
	}
	for some := range slices.Chunk(turns, gathered) {
		b.runtime.gather(func() { runAll(some) })
	}
	b.next()
}

// close ends the waiting, for a barrier under way too.
func (b *barrier) close() {
	b.mu.Lock()
	all := append(b.current, b.waiting...)
	b.current, b.waiting, b.over = nil, nil, true
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

// gathered is the number of turns that run before their answers are sent.
const gathered = 32

// runAll runs turns that have waited for a barrier: here if they need not wait, which
// saves waking a worker for each.
func runAll(turns []*Turn) {
	for _, t := range turns {
		if t.state.past >= repeated || !t.entity.runBriefly(t) {
			t.entity.post(t)
		}
	}
}
