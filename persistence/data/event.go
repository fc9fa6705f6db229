package data

import (
	"encoding/binary"
	"fmt"
)

// MaxEvent is the longest Event.Body in bytes, and that of a dead letter.
const MaxEvent = 4 << 10

// Event is a message to somebody outside of the cluster. It is applied with the commit that
// it tells of, and waits in the shard until a [Mark] says that it need not any longer.
type Event struct {
	// Receiver is a digest of what the events are sent to. Those of one receiver are in the
	// order of their commits.
	Receiver uint64
	// Body is opaque to the store.
	Body []byte
}

// Fate is what becomes of an event.
type Fate byte

const (
	// Delivered: it is forgotten.
	Delivered Fate = iota
	// Dead: it becomes a dead letter, which is kept but not sent.
	Dead
	// Queued: a dead letter waits again, behind all that wait now.
	Queued
	fates
)

// Mark changes the fate of an event. One that does not exist any more, because it was
// delivered or its entity forgotten, stays as it is.
type Mark struct {
	Key  EventKey
	Fate Fate
	// Body is that of the event from now on; empty if it is delivered.
	Body []byte
}

// EventKey is where an event is in its shard, behind the shard in keys:
//
//	'q' receiver sequence entity    it waits
//	'r' receiver sequence entity    a dead letter
//
// The receiver and the sequence have 8 bytes, the entity is as in other keys, or empty if
// the event is the shard's own. The sequence is that of the log entry and of the event in
// it: it only grows, so keys of a receiver are in the order of commits.
type EventKey string

// What an [EventKey] begins with.
const (
	SpaceQueue = 'q'
	SpaceDead  = 'r'
)

// eventKeyLen is the length of an [EventKey] without its entity.
const eventKeyLen = 1 + 8 + 8

// maxEntityKey bounds an entity in keys: a slot, a kind behind its length, a digest.
const maxEntityKey = 2 + 1 + MaxKind + 16

// eventBits are those of a sequence that number the events of an entry.
const eventBits = 20

// EventSequence is the sequence of the nth event of a log entry.
func EventSequence(index uint64, n int) uint64 { return index<<eventBits | uint64(n) }

// NewEventKey is the key of an event.
func NewEventKey(space byte, receiver, sequence uint64, entity string) EventKey {
	b := append(make([]byte, 0, eventKeyLen+len(entity)), space)
	b = binary.BigEndian.AppendUint64(b, receiver)
	b = binary.BigEndian.AppendUint64(b, sequence)
	return EventKey(append(b, entity...))
}

// EventsOf is what the keys of a receiver's events begin with.
func EventsOf(space byte, receiver uint64) EventKey {
	return EventKey(binary.BigEndian.AppendUint64([]byte{space}, receiver))
}

// Space is [SpaceQueue] or [SpaceDead].
func (k EventKey) Space() byte { return k[0] }

// Receiver is whom the event is for.
func (k EventKey) Receiver() uint64 { return binary.BigEndian.Uint64([]byte(k[1:9])) }

// Sequence grows with the commits of the shard.
func (k EventKey) Sequence() uint64 { return binary.BigEndian.Uint64([]byte(k[9:eventKeyLen])) }

// Entity is the entity of the commit, as it is in keys.
func (k EventKey) Entity() string { return string(k[eventKeyLen:]) }

// Valid reports whether k is the key of an event.
func (k EventKey) Valid() bool {
	return len(k) >= eventKeyLen && len(k) <= eventKeyLen+maxEntityKey && (k[0] == SpaceQueue || k[0] == SpaceDead)
}

// Moved is the key after a mark; what is queued again gets another sequence.
func (k EventKey) Moved(to Fate, sequence uint64) EventKey {
	if to == Dead {
		return NewEventKey(SpaceDead, k.Receiver(), k.Sequence(), k.Entity())
	}
	return NewEventKey(SpaceQueue, k.Receiver(), sequence, k.Entity())
}

// Marking reports whether the commit changes no entity: it has marks, or events of the shard
// itself, and nothing else.
func (c *Commit) Marking() bool {
	return c.Entity == (Entity{}) && len(c.Marks)+len(c.Events) > 0
}

func (c *Commit) validateEvents() error {
	for i := range c.Events {
		if n := len(c.Events[i].Body); n == 0 || n > MaxEvent {
			return fmt.Errorf("%w: event of %d bytes", ErrInvalid, n)
		}
	}
	for i := range c.Marks {
		if err := c.Marks[i].validate(); err != nil {
			return err
		}
	}
	return nil
}

func (m *Mark) validate() error {
	switch {
	case !m.Key.Valid() || m.Fate >= fates:
		return fmt.Errorf("%w: mark of an event with a key of %d bytes as %d", ErrInvalid, len(m.Key), m.Fate)
	case (len(m.Body) == 0) != (m.Fate == Delivered) || len(m.Body) > MaxEvent:
		return fmt.Errorf("%w: mark with an event of %d bytes", ErrInvalid, len(m.Body))
	}
	return nil
}

// validateMarking is Validate of a commit that changes no entity.
func (c *Commit) validateMarking() error {
	if c.BaseRev != 0 || c.Remove || c.Forget || c.Schema != 0 ||
		len(c.State)+len(c.Puts)+len(c.Deletes)+len(c.Outcomes) > 0 {
		return fmt.Errorf("%w: marks of events with the change of an entity", ErrInvalid)
	}
	return c.validateEvents()
}
