package persistence

import (
	"encoding/binary"
	"fmt"
)

// headLen is the length of revision, schema and flags, which the identity behind
// its length, the outcomes, if there are any, and the state follow.
const headLen = 8 + 4 + 1

const (
	// flagParts says that the entity has, or had, records beside its head.
	flagParts = 1 << 0
	// flagOutcomes says that outcomes behind their length of two bytes come
	// before the state.
	flagOutcomes = 1 << 1
)

func appendHead(b []byte, identity string, h Head, parts bool, held outcomes) []byte {
	b = binary.BigEndian.AppendUint64(b, h.Rev)
	b = binary.BigEndian.AppendUint32(b, h.Schema)
	flags := byte(0)
	if parts {
		flags |= flagParts
	}
	if len(held) > 0 {
		flags |= flagOutcomes
	}
	b = binary.BigEndian.AppendUint16(append(b, flags), uint16(len(identity)))
	b = append(b, identity...)
	if len(held) > 0 {
		b = binary.BigEndian.AppendUint16(b, uint16(len(held)))
		b = append(b, held...)
	}
	return append(b, h.State...)
}

// parseHead decodes a head, whose it is and what the store keeps with it. Its
// identity, state and outcomes are part of b.
func parseHead(b []byte) (identity []byte, h Head, v revision, err error) {
	if len(b) < headLen {
		return nil, Head{}, revision{}, fmt.Errorf("%w: head of %d bytes", ErrDamaged, len(b))
	}
	h.Rev = binary.BigEndian.Uint64(b)
	h.Schema = binary.BigEndian.Uint32(b[8:])
	flags := b[12]
	if h.Rev == 0 || flags&^(flagParts|flagOutcomes) != 0 {
		return nil, Head{}, revision{}, fmt.Errorf("%w: head of revision %d with flags %x", ErrDamaged, h.Rev, flags)
	}
	v = revision{rev: h.Rev, parts: flags&flagParts != 0}
	identity, h.State, _ = cutLength(b[headLen:], 2)
	if len(identity) < 1 || len(identity) > MaxIdentity {
		return nil, Head{}, revision{}, fmt.Errorf("%w: head of an identity of %d bytes", ErrDamaged, len(identity))
	}
	if flags&flagOutcomes != 0 {
		// Without a whole block nothing is cut off, and no outcome is found.
		v.outcomes, h.State, _ = cutLength(h.State, 2)
		if err := v.outcomes.check(); err != nil {
			return nil, Head{}, revision{}, err
		}
	}
	return identity, h, v, nil
}
