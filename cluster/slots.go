package cluster

import (
	"errors"
	"fmt"
	"slices"

	"ssod/persistence"
)

// SlotRange is a range of hash slots, both ends included, and the shard that it
// belongs to.
type SlotRange struct {
	First, Last Slot
	Shard       ShardID
}

// Slots is an immutable division of the hash slots among the shards.
type Slots struct {
	ranges []SlotRange // in order, without gaps
}

// ErrSlots says that ranges are no division of all slots.
var ErrSlots = errors.New("not a division of the hash slots")

// NewSlots makes a division of ranges that contain every slot once and belong to the shards
// 1..shards.
func NewSlots(ranges []SlotRange, shards int) (*Slots, error) {
	s := &Slots{slices.SortedFunc(slices.Values(ranges), func(a, b SlotRange) int { return int(a.First) - int(b.First) })}
	next := 0
	for _, r := range s.ranges {
		if r.Shard == MetaShard || int(r.Shard) > shards || int(r.First) != next || r.Last < r.First {
			return nil, fmt.Errorf("%w: %d to %d belong to shard %d of %d, and slot %d comes next", ErrSlots, r.First, r.Last, r.Shard, shards, next)
		}
		next = int(r.Last) + 1
	}
	if next != persistence.Slots {
		return nil, fmt.Errorf("%w: it ends before slot %d", ErrSlots, next)
	}
	return s, nil
}

// DivideSlots is the division that a cluster of 1 to 65,535 shards is founded with: ranges
// in the order of the shards, equal to within one slot.
func DivideSlots(shards int) *Slots {
	s := &Slots{make([]SlotRange, shards)}
	for i := range s.ranges {
		first, next := i*persistence.Slots/shards, (i+1)*persistence.Slots/shards
		s.ranges[i] = SlotRange{Slot(first), Slot(next - 1), ShardID(i + 1)}
	}
	return s
}

// Shard is the shard that a slot belongs to.
func (s *Slots) Shard(slot Slot) ShardID {
	i, found := slices.BinarySearchFunc(s.ranges, slot, func(r SlotRange, slot Slot) int { return int(r.First) - int(slot) })
	if !found {
		i--
	}
	return s.ranges[i].Shard
}

// ByHash is the shard that entities with a hash belong to.
func (s *Slots) ByHash(hash uint64) ShardID { return s.Shard(persistence.SlotOf(hash)) }

// Of is the shard that an entity belongs to.
func (s *Slots) Of(e Entity) ShardID { return s.Shard(e.Slot()) }

// Ranges are all slots, in order.
func (s *Slots) Ranges() []SlotRange { return slices.Clone(s.ranges) }
