package persistence

import (
	"encoding/binary"
	"fmt"
)

// headLen is the length of revision, schema and flags before the state.
const headLen = 8 + 4 + 1

// flagParts says that the entity has, or had, records beside its head.
const flagParts = 1 << 0

func appendHead(b []byte, h Head, parts bool) []byte {
	b = binary.BigEndian.AppendUint64(b, h.Rev)
	b = binary.BigEndian.AppendUint32(b, h.Schema)
	if parts {
		return append(append(b, flagParts), h.State...)
	}
	return append(append(b, 0), h.State...)
}

// parseHead decodes a head. Its state is part of b.
func parseHead(b []byte) (h Head, parts bool, err error) {
	if len(b) < headLen {
		return Head{}, false, fmt.Errorf("%w: head of %d bytes", ErrDamaged, len(b))
	}
	h.Rev = binary.BigEndian.Uint64(b)
	h.Schema = binary.BigEndian.Uint32(b[8:])
	flags := b[12]
	if h.Rev == 0 || flags&^flagParts != 0 {
		return Head{}, false, fmt.Errorf("%w: head of revision %d with flags %x", ErrDamaged, h.Rev, flags)
	}
	h.State = b[headLen:]
	return h, flags&flagParts != 0, nil
}
