package cluster

import (
	"context"
	"errors"
	"time"

	"ssod/persistence"
)

// The vocabulary of commits belongs to package persistence, which stores them;
// it is repeated here so that actors need to know only this package.
type (
	ShardID   = persistence.ShardID
	Entity    = persistence.Entity
	Slot      = persistence.Slot
	RequestID = persistence.RequestID
	Head      = persistence.Head
	Record    = persistence.Record
	Outcome   = persistence.Outcome
	Commit    = persistence.Commit
)

// MetaShard is the shard of the meta group.
const MetaShard ShardID = 0

// A commit that was not applied fails with exactly one of these.
var (
	// ErrRejected: the stored revision is another than BaseRev. Nothing was
	// written. Reload, look the request up, answer that or decide again.
	ErrRejected = errors.New("commit rejected: the entity has another revision")
	// ErrRefused: certainly not written (old handle, back pressure, disk below
	// its reserve). It may be repeated at once.
	ErrRefused = errors.New("commit refused")
	// ErrUnknown: the commit may or may not be written; leadership was lost or
	// the caller's context ended while it was in flight. The entity must stop
	// and be loaded afresh; the caller repeats with the same request id.
	ErrUnknown = errors.New("commit outcome unknown")
)

// ErrLost says that a handle's term is over: this node does not lead the shard
// any more, or leads it in a later term.
var ErrLost = errors.New("shard leadership lost")

// Shard is a handle on one shard in one term of this node's leadership, and
// all that actors see of replication. It is safe for concurrent use.
type Shard interface {
	ID() ShardID
	// Term is the term of leadership that the handle belongs to.
	Term() uint64
	// Lost is closed when the term is over.
	Lost() <-chan struct{}

	// Commit makes c durable on a majority. It returns nil when c is applied,
	// else an error that is ErrRejected, ErrRefused or ErrUnknown. It has no
	// timer of its own. c and what it points to must not change until Commit
	// returns.
	Commit(ctx context.Context, c Commit) error

	// ReadBarrier returns nil when everything acknowledged before it began is
	// applied here and this node still leads in the handle's term. It fails
	// with ErrLost, or with ctx's error.
	//
	// An implementation may also have a method TryBarrier() bool: it reports
	// that a barrier has passed, without waiting. A shard with no other voter
	// to ask has it. It may have BeginBarrier(done func(error)), which calls done,
	// once and with what ReadBarrier would return; done must not wait. It saves
	// callers a goroutine. And it may have Vouched(Voucher) bool: it reports that a
	// barrier has passed for a read that comes with the voucher.
	ReadBarrier(ctx context.Context) error

	// Now is the time that decisions use: the later of the node's clock and
	// the shard's time (the latest time any applied commit carried), so it
	// never goes back within a shard, whoever leads it, but for a reset, which
	// ends the handle. It is not later than what the clocks of a majority allow.
	Now() time.Time
	// Confirmed is the time by which what is kept for long may be dropped: it
	// does not take part in a leap of the clock until that is confirmed. It may
	// be before or after Now, and never goes back but by a reset.
	Confirmed() time.Time

	Reader
}

// Reader reads what is committed and applied. Without a barrier it may be old
// on a node that was deposed and does not know it yet. Returned slices belong
// to the caller.
type Reader interface {
	// Head returns the entity's head; false when it does not exist.
	Head(e Entity) (Head, bool, error)
	// Records calls f for each record beside the entity's head, in order of
	// part, until f returns false. part and value are valid during the call.
	Records(e Entity, f func(part, value []byte) bool) error
	// Outcome returns the result of a step of a request if it is still kept.
	Outcome(e Entity, r RequestID, step uint32) ([]byte, bool, error)
	// Entities calls f for the entities of one kind after the identity after
	// ("" = from the first), in key order, until f returns false.
	Entities(kind, after string, f func(identity string, h Head) bool) error
}

// Owner is where the actors of a shard live.
type Owner struct {
	// Address is the node's actor address, host:port.
	Address string
	// Term is the term in which it leads the shard; a larger one is newer.
	Term uint64
}

// Voucher is the word of a node's replica that it follows in a term of its shard. It is
// given when a read that began on that node is sent to the leader, and saves it the
// question whether a majority still follows: of three voters these two are one.
type Voucher struct {
	Term    uint64
	Replica uint64 // 0: there is no word
}

// Shards is a node's view of all shards of the cluster. It may also have a method
// Vouch(ShardID) (Voucher, bool), which gives a voucher for a read that began before.
type Shards interface {
	// Count is the number of entity shards; they are numbered 1..Count.
	Count() int
	// Owner says which node leads the shard, as far as this node knows.
	Owner(id ShardID) (Owner, bool)
	// Lead returns a handle if this node leads the shard and has applied
	// everything up to its own term.
	Lead(id ShardID) (Shard, bool)
	// Watch calls f, from one goroutine at a time, after the owner of a shard
	// changed. f must not block. The returned function ends the watch.
	Watch(f func(ShardID)) (stop func())
}
