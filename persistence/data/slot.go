package data

import "github.com/cespare/xxhash/v2"

// Slot numbers a hash slot: the unit in which entities belong to shards. It precedes every
// key of an entity, so a range of slots is contiguous and can move to another shard as a
// whole.
type Slot uint16

// Slots is how many slots there are.
const Slots = 1 << 16

// Hash is xxhash64 over the kind, preceded by its length, and the identity. It decides
// where an entity is stored, so it never changes.
func (e Entity) Hash() uint64 {
	var d xxhash.Digest
	d.Reset()
	length := [1]byte{byte(len(e.Kind))} // 1..MaxKind
	_, _ = d.Write(length[:])
	_, _ = d.WriteString(e.Kind)
	_, _ = d.WriteString(e.Identity)
	return d.Sum64()
}

// Slot is where the entity belongs.
func (e Entity) Slot() Slot { return SlotOf(e.Hash()) }

// SlotOf is the slot of entities with a hash: its first 16 bits, so that a range of
// slots is a range of hashes.
func SlotOf(hash uint64) Slot { return Slot(hash >> 48) }
