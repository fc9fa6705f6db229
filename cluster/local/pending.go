package local

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"ssod/cluster"
)

// pending is a commit on its way from Commit to the store and back.
type pending struct {
	shard  cluster.ShardID
	commit cluster.Commit
	size   int
	queued time.Time
	// round is nil while the commit waits; whoever sets it first decides
	// whether it is written. abandoned means that the caller was first.
	round atomic.Pointer[round]
	done  chan error // has room for the one answer
}

// abandoned is the round of commits that left the queue unwritten.
var abandoned = &round{}

var pendings = sync.Pool{New: func() any { return &pending{done: make(chan error, 1)} }}

func newPending(id cluster.ShardID, c cluster.Commit) *pending {
	p := pendings.Get().(*pending)
	p.shard, p.commit, p.size, p.queued = id, c, c.Size(), time.Now()
	return p
}

// free returns p for use by another commit. Only the caller of Commit may do
// so, and only when it has the answer.
func (p *pending) free() {
	p.commit = cluster.Commit{}
	p.round.Store(nil)
	pendings.Put(p)
}

// answer ends Commit.
func (p *pending) answer(err error) { p.done <- err }

// abandon ends Commit because its context ended. The commit belongs to the
// caller again, so a round that took it must have read it first.
func (p *pending) abandon(cause error) error {
	if p.round.CompareAndSwap(nil, abandoned) {
		return fmt.Errorf("%w: %w", cluster.ErrRefused, cause)
	}
	<-p.round.Load().read
	return fmt.Errorf("%w: %w", cluster.ErrUnknown, cause)
}
