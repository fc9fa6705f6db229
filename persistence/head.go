package persistence

import (
	"encoding/binary"
	"fmt"
)

// headLen is the length of revision, schema and flags, which the identity behind
// its length and the state follow.
const headLen = 8 + 4 + 1

// flagParts says that the entity has, or had, records beside its head.
const flagParts = 1 << 0

// headLen is the length of the head that [appendHead] appends.
func (e *change) headLen() int { return headLen + 2 + len(e.identity) + len(e.state) }

func appendHead(b []byte, e *change) []byte {
	b = binary.BigEndian.AppendUint64(b, e.rev)
	b = binary.BigEndian.AppendUint32(b, e.schema)
	flags := byte(0)
	if e.parts {
		flags |= flagParts
	}
	b = binary.BigEndian.AppendUint16(append(b, flags), uint16(len(e.identity)))
	b = append(b, e.identity...)
	return append(b, e.state...)
}

// parseHead decodes a head, whose it is and what the store keeps with it. Its
// identity and state are part of b.
func parseHead(b []byte) (identity []byte, h Head, v revision, err error) {
	if len(b) < headLen {
		return nil, Head{}, revision{}, fmt.Errorf("%w: head of %d bytes", ErrDamaged, len(b))
	}
	h.Rev = binary.BigEndian.Uint64(b)
	h.Schema = binary.BigEndian.Uint32(b[8:])
	flags := b[12]
	if h.Rev == 0 || flags&^flagParts != 0 {
		return nil, Head{}, revision{}, fmt.Errorf("%w: head of revision %d with flags %x", ErrDamaged, h.Rev, flags)
	}
	identity, h.State, _ = cutLength(b[headLen:], 2)
	if len(identity) < 1 || len(identity) > MaxIdentity {
		return nil, Head{}, revision{}, fmt.Errorf("%w: head of an identity of %d bytes", ErrDamaged, len(identity))
	}
	return identity, h, revision{rev: h.Rev, parts: flags&flagParts != 0}, nil
}
