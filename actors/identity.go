package actors

import (
	"encoding/binary"
	"fmt"
	"strings"

	"ssod/cluster"
)

// Identity is an entity's name as a tuple of strings, for example realm,
// namespace and subject.
type Identity []string

// Encode returns the identity as one string: each part is preceded by its
// length as a uvarint, so no two tuples have the same encoding whatever bytes
// their parts hold. The encoding is part of the storage format.
func (i Identity) Encode() string {
	var stack [128]byte
	b := stack[:0]
	for _, part := range i {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	return string(b)
}

// DecodeIdentity is the inverse of [Identity.Encode].
func DecodeIdentity(s string) (Identity, error) {
	var id Identity
	for rest := s; rest != ""; {
		n, width := uvarint(rest)
		if width <= 0 || n > uint64(len(rest)-width) {
			return nil, fmt.Errorf("%w: part %d of %d bytes", ErrIdentity, len(id), len(s))
		}
		end := width + int(n)
		id = append(id, rest[width:end])
		rest = rest[end:]
	}
	return id, nil
}

// uvarint reads the canonical uvarint at the start of s: an encoding with a
// needless last byte is refused, so decoding and encoding again is the identity.
func uvarint(s string) (value uint64, width int) {
	head := []byte(s[:min(len(s), binary.MaxVarintLen64)])
	value, width = binary.Uvarint(head)
	if width > 1 && head[width-1] == 0 {
		return 0, 0
	}
	return value, width
}

// String is for people: the parts are quoted. It may name a viewer, so it does
// not belong in logs.
func (i Identity) String() string {
	parts := make([]string, len(i))
	for n, part := range i {
		parts[n] = fmt.Sprintf("%q", part)
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// Address names an entity.
type Address struct {
	Kind     string
	Identity Identity
}

// Entity returns the address in the vocabulary of package cluster.
func (a Address) Entity() cluster.Entity {
	return cluster.Entity{Kind: a.Kind, Identity: a.Identity.Encode()}
}

// Shard returns the shard that the entity belongs to.
func (a Address) Shard(slots *cluster.Slots) cluster.ShardID { return slots.Of(a.Entity()) }
