package cluster

import (
	"context"
	"errors"
	"time"

	"ssod/persistence"
)

// The vocabulary of commits belongs to package persistence, which stores them; it is
// repeated here so that actors need only this package.
type (
	ShardID   = persistence.ShardID
	Entity    = persistence.Entity
	Slot      = persistence.Slot
	RequestID = persistence.RequestID
	Head      = persistence.Head
	Record    = persistence.Record
	Outcome   = persistence.Outcome
	Commit    = persistence.Commit
	Event     = persistence.Event
	EventKey  = persistence.EventKey
	Mark      = persistence.Mark
)

// Where events are: they wait for their receivers, or are dead letters.
const (
	EventQueue = persistence.EventQueue
	EventDead  = persistence.EventDead
)

// What a [Mark] makes of an event.
const (
	Delivered = persistence.Delivered
	Dead      = persistence.Dead
	Queued    = persistence.Queued
)

// MaxEvent is the longest body of an event in bytes, and MaxCommit bounds [Commit.Size].
const (
	MaxEvent  = persistence.MaxEvent
	MaxCommit = persistence.MaxCommit
)

// MetaShard is the shard of the meta group.
const MetaShard ShardID = 0

// A commit that was not applied fails with exactly one of these.
var (
	// ErrRejected: the stored revision is not BaseRev, and nothing was written. Reload,
	// look the request up, and answer its outcome or decide again.
	ErrRejected = errors.New("commit rejected: the entity has another revision")
	// ErrRefused: not written and never will be (old handle, back pressure, disk below
	// its reserve). It may be repeated at once.
	ErrRefused = errors.New("commit refused")
	// ErrUnknown: the commit may or may not be written, because the leadership or the
	// caller's context ended while it was in flight. The entity must stop and be loaded
	// again; the caller repeats with the same request id.
	ErrUnknown = errors.New("commit outcome unknown")
)

// ErrLost says that a handle's term is over: this node does not lead the shard any more,
// or leads it in a later term.
var ErrLost = errors.New("shard leadership lost")

// Shard is a handle on one shard in one term of this node's leadership, and all that
// actors see of replication. It is safe for concurrent use.
//
// An implementation may also have these methods: TryBarrier() bool reports that a barrier
// has passed without waiting, as on a single voter. BeginBarrier(done func(error)) calls
// done once with what ReadBarrier would return, which saves callers a goroutine; done must
// not wait. Vouched(Voucher) bool reports that a barrier has passed for a read that comes
// with the voucher.
type Shard interface {
	ID() ShardID
	// Term is the term of leadership that the handle belongs to.
	Term() uint64
	// Lost is closed when the term is over.
	Lost() <-chan struct{}

	// Commit makes c durable on a majority. It returns nil when c is applied, else an
	// error that is ErrRejected, ErrRefused or ErrUnknown. It has no timeout of its own.
	// c and what it points to must not change until Commit returns.
	Commit(ctx context.Context, c Commit) error

	// ReadBarrier returns nil when everything acknowledged before it began is applied here
	// and this node still leads in the handle's term. It fails with ErrLost or ctx's error.
	ReadBarrier(ctx context.Context) error

	// Now is the time that decisions use: the later of the node's clock and the shard's
	// time (the latest of any applied commit), as far as the clocks of a majority allow.
	// Within a shard it never goes back, whichever node leads it, except by a reset,
	// which ends the handle.
	Now() time.Time
	// Confirmed is the time by which data that is kept for long may be dropped: it follows
	// a leap of the clock only when that is confirmed. It may be before or after Now, and
	// never goes back except by a reset.
	Confirmed() time.Time

	Reader
	Events
}

// Reader reads what is applied. Without a barrier it may be old, on a node that was deposed
// and does not know it yet. Returned slices belong to the caller.
type Reader interface {
	// Head returns the entity's head; false when it does not exist.
	Head(e Entity) (Head, bool, error)
	// Records calls f for each of the entity's records, in order of part, until f returns
	// false. part and value are valid during the call.
	Records(e Entity, f func(part, value []byte) bool) error
	// Outcome returns the result of a step of a request if it is still kept.
	Outcome(e Entity, r RequestID, step uint32) ([]byte, bool, error)
	// Entities calls f for the entities of a kind whose identity follows after, in key
	// order, until f returns false.
	Entities(kind, after string, f func(identity string, h Head) bool) error
}

// Events reads the events that wait in a shard, and the dead letters. A space is one of
// both: [EventQueue], [EventDead].
type Events interface {
	// Posted counts what may have added events: while it is the same, there are none that
	// were not there before.
	Posted() uint64
	// Receivers are those of the events in a space, in order. There may be one without any.
	Receivers(space byte) ([]uint64, error)
	// Events calls f for a receiver's events in a space behind a sequence, in the order of
	// their commits, until f returns false. f may keep what it gets.
	Events(space byte, receiver, after uint64, f func(key EventKey, body []byte) bool) error
}

// Owner is where the actors of a shard live.
type Owner struct {
	// Address is the node's actor address, host:port.
	Address string
	// Term is the term in which it leads the shard; a larger one is newer.
	Term uint64
}

// Voucher says that a node's replica follows in a term of its shard. It goes with a read
// from that node to the leader, which then need not ask whether a majority still follows:
// of three voters these two are one.
type Voucher struct {
	Term    uint64
	Replica uint64 // 0: none
}

// Shards is a node's view of all shards of the cluster. It may also have a method
// Vouch(ShardID) (Voucher, bool), which gives a voucher for a read that has begun.
type Shards interface {
	// Count is the number of entity shards; they are numbered 1..Count.
	Count() int
	// Owner is the node that leads the shard, as far as this node knows.
	Owner(id ShardID) (Owner, bool)
	// Lead returns a handle if this node leads the shard and has applied everything from
	// before its term.
	Lead(id ShardID) (Shard, bool)
	// Watch calls f, from one goroutine at a time, after the owner of a shard has
	// changed. f must not block. stop ends the watch.
	Watch(f func(ShardID)) (stop func())
}
