package layout

import (
	"encoding/binary"
	"fmt"

	"ssod/persistence/data"
)

// headLen is the length of revision, schema and flags; the identity behind its length and
// the state follow.
const headLen = 8 + 4 + 1

// flagParts says that the entity has, or had, records.
const flagParts = 1 << 0

// HeadLen is the length of what [AppendHead] appends.
func HeadLen(identity string, state []byte) int { return headLen + 2 + len(identity) + len(state) }

// AppendHead appends a head as it is stored, with its identity, and parts: whether the
// entity has, or had, records.
func AppendHead(b []byte, identity string, h data.Head, parts bool) []byte {
	b = binary.BigEndian.AppendUint64(b, h.Rev)
	b = binary.BigEndian.AppendUint32(b, h.Schema)
	flags := byte(0)
	if parts {
		flags |= flagParts
	}
	b = binary.BigEndian.AppendUint16(append(b, flags), uint16(len(identity)))
	b = append(b, identity...)
	return append(b, h.State...)
}

// ParseHead is the inverse of [AppendHead]. Identity and state are part of b.
func ParseHead(b []byte) (identity []byte, h data.Head, parts bool, err error) {
	if len(b) < headLen {
		return nil, data.Head{}, false, fmt.Errorf("%w: head of %d bytes", data.ErrDamaged, len(b))
	}
	h.Rev = binary.BigEndian.Uint64(b)
	h.Schema = binary.BigEndian.Uint32(b[8:])
	flags := b[12]
	if h.Rev == 0 || flags&^flagParts != 0 {
		return nil, data.Head{}, false, fmt.Errorf("%w: head of revision %d with flags %x", data.ErrDamaged, h.Rev, flags)
	}
	identity, h.State, _ = CutLength(b[headLen:], 2)
	if len(identity) < 1 || len(identity) > data.MaxIdentity {
		return nil, data.Head{}, false, fmt.Errorf("%w: head of an identity of %d bytes", data.ErrDamaged, len(identity))
	}
	return identity, h, flags&flagParts != 0, nil
}
