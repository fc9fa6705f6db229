package data

import "github.com/cespare/xxhash/v2"

// Slot numbers a hash slot: the unit in which entities belong to shards. It stands in
// front of every key of an entity, so what belongs to a range of slots lies together
// and can become another shard's without a look at anything else.
type Slot uint16

// Slots is how many slots there are.
const Slots = 1 << 16

// Hash is xxhash64 over the kind and the identity, the kind preceded by its length. It
// decides where an entity is stored, so it never changes.
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
