package layout

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"ssod/persistence/data"
)

// spaceShard is the first byte of the keys of a shard's state.
const spaceShard = 0x03

// What a key of a shard's state is about.
const (
	SubEntity  = 'e'
	SubOutcome = 'o'
	SubEvent   = data.SpaceQueue
	SubDead    = data.SpaceDead
	SubTime    = 't'
)

// ShardKeyLen is the length of 03 shard and the byte after it.
const ShardKeyLen = 4

// RequestLen is the length of a request and a step.
const RequestLen = len(data.RequestID{}) + 4

// AppendShard appends what the keys of a shard's state begin with, and what they are
// about.
func AppendShard(k []byte, shard data.ShardID, sub byte) []byte {
	return append(k, spaceShard, byte(shard>>8), byte(shard), sub)
}

// ShardSpan is the range of a shard's state.
func ShardSpan(shard data.ShardID) pebble.KeyRange {
	start := AppendShard(nil, shard, 0)[:ShardKeyLen-1]
	return pebble.KeyRange{Start: start, End: Successor(start)}
}

// SlotSpan is the range of a shard's entities of some slots, without their outcomes.
func SlotSpan(shard data.ShardID, first, last data.Slot) pebble.KeyRange {
	entities := AppendShard(nil, shard, SubEntity)
	r := pebble.KeyRange{Start: AppendSlot(slices.Clone(entities), first), End: Successor(entities)}
	if last < data.Slots-1 {
		r.End = AppendSlot(entities, last+1)
	}
	return r
}

// AppendEventKey appends the key of an event or a dead letter.
func AppendEventKey(b []byte, shard data.ShardID, k data.EventKey) []byte {
	return append(AppendShard(b, shard, k.Space()), k[1:]...)
}

// EventSpan is the range of a shard's events, or of its dead letters.
func EventSpan(shard data.ShardID, space byte) pebble.KeyRange {
	return pebble.KeyRange{Start: AppendShard(nil, shard, space), End: AppendShard(nil, shard, space+1)}
}

// ParseEventKey is the inverse of [AppendEventKey]. The key shares no memory with b.
func ParseEventKey(b []byte) (data.EventKey, error) {
	k := data.EventKey(b[min(ShardKeyLen-1, len(b)):])
	if !k.Valid() {
		return "", fmt.Errorf("%w: event with a key of %d bytes", data.ErrDamaged, len(b))
	}
	return k, nil
}

// DigestLen is the length of an identity's digest in keys: long enough to be unique.
const DigestLen = 16

// Salt is what the digests of a cluster's identities begin with.
type Salt string

// AppendEntity appends an encoding that is never a prefix of another entity's and begins
// with its slot. It does not contain the identity: keys end up in places that cannot be
// erased, as bounds of tables in Pebble's MANIFEST.
func (s Salt) AppendEntity(k []byte, e data.Entity) []byte {
	var room [256]byte
	named := append(room[:0], byte(len(s)), byte(len(e.Kind)))
	named = append(append(append(named, s...), e.Kind...), e.Identity...)
	digest := sha256.Sum256(named)
	return append(AppendKind(AppendSlot(k, e.Slot()), e.Kind), digest[:DigestLen]...)
}

// AppendHeadKey appends the key of an entity's head.
func (s Salt) AppendHeadKey(k []byte, shard data.ShardID, e data.Entity) []byte {
	return s.AppendEntity(AppendShard(k, shard, SubEntity), e)
}

// SlotLen is the length of a slot in keys.
const SlotLen = 2

// AppendSlot appends what the encodings of all entities of a slot begin with.
func AppendSlot(k []byte, slot data.Slot) []byte {
	return binary.BigEndian.AppendUint16(k, uint16(slot))
}

// AppendKind appends what those of a kind have behind the slot.
func AppendKind(k []byte, kind string) []byte {
	return append(append(k, byte(len(kind))), kind...)
}

// AppendRequest appends a request and a step, [RequestLen] bytes.
func AppendRequest(k []byte, r data.RequestID, step uint32) []byte {
	return binary.BigEndian.AppendUint32(append(k, r[:]...), step)
}

// EntityKey is the encoding of an entity taken apart. Kind and Digest are part of it.
type EntityKey struct {
	Slot         data.Slot
	Kind, Digest []byte
}

// SplitEntity decodes an entity from the front of b and returns what follows
// it: a part.
func SplitEntity(b []byte) (k EntityKey, rest []byte, err error) {
	if len(b) < SlotLen {
		return EntityKey{}, nil, fmt.Errorf("%w: entity in a key of %d bytes", data.ErrDamaged, len(b))
	}
	kind, rest, ok := CutLength(b[SlotLen:], 1)
	if !ok || len(kind) < 1 || len(kind) > data.MaxKind || len(rest) < DigestLen {
		return EntityKey{}, nil, fmt.Errorf("%w: entity in a key of %d bytes", data.ErrDamaged, len(b))
	}
	slot := data.Slot(binary.BigEndian.Uint16(b))
	return EntityKey{Slot: slot, Kind: kind, Digest: rest[:DigestLen]}, rest[DigestLen:], nil
}

// CutLength cuts a string behind a length of n bytes from the front of b.
func CutLength(b []byte, n int) (s, rest []byte, ok bool) {
	if len(b) < n {
		return nil, nil, false
	}
	size := 0
	for _, c := range b[:n] {
		size = size<<8 | int(c)
	}
	if b = b[n:]; len(b) < size {
		return nil, nil, false
	}
	return b[:size], b[size:], true
}

// Successor returns the first key after all keys that begin with prefix, which
// must hold a byte below 0xff.
func Successor(prefix []byte) []byte {
	k := append([]byte(nil), prefix...)
	for i := len(k) - 1; i >= 0; i-- {
		if k[i]++; k[i] != 0 {
			return k[:i+1]
		}
	}
	return nil
}
