package profile

import (
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// The fields of the head record by number, in the order in which they are
// written; [State], [Member], [Code] and [Guest] say what they are.

// roomy is more than most members and codes take.
const roomy = 512

// sizeHint is about how many bytes the encoding takes, rarely fewer.
func (s *state) sizeHint() int {
	n := 32 + 8*len(s.issued) + 96*len(s.codes) + len(s.unknown)
	for i := range s.codes {
		if g := s.codes[i].guest; g != nil {
			n += 40 + len(g.attributes) + len(g.guess)
		}
	}
	for i := range s.members {
		n += 40 + len(s.members[i].device) + len(s.members[i].attributes)
	}
	return n
}

func (s *state) appendTo(b []byte) ([]byte, error) {
	var room [roomy]byte
	for i := range s.members {
		b = appendBytes(b, 1, s.members[i].appendTo(room[:0]))
	}
	for i := range s.codes {
		b = appendBytes(b, 2, s.codes[i].appendTo(room[:0]))
	}
	b = appendInt(b, 3, s.lastMembership)
	b = appendInt(b, 4, s.keepUntil)
	if len(s.issued) > 0 {
		packed := room[:0]
		for _, at := range s.issued {
			packed = protowire.AppendVarint(packed, uint64(at))
		}
		b = appendBytes(b, 5, packed)
	}
	b, err := appendMessages(b, 6, s.logins)
	if err == nil {
		b, err = appendMessages(b, 7, s.ended)
	}
	if err == nil {
		b, err = appendMessages(b, 8, s.open)
	}
	return append(b, s.unknown...), err
}

func (m *member) appendTo(b []byte) []byte {
	b = appendText(b, 1, m.device)
	b = appendInt(b, 2, m.membership)
	b = appendInt(b, 3, int64(m.kind))
	b = appendInt(b, 4, m.lastSeen)
	b = appendText(b, 5, m.attributes)
	b = appendBool(b, 6, m.implied)
	return append(b, m.unknown...)
}

func (c *code) appendTo(b []byte) []byte {
	b = appendText(b, 1, c.hash)
	b = appendBytes(b, 2, c.did[:])
	b = appendInt(b, 3, c.notAfter)
	b = appendInt(b, 4, c.used)
	if c.used != 0 {
		b = appendBytes(b, 5, c.usedBy[:])
	}
	b = appendInt(b, 6, c.usedMembership)
	if c.guest != nil {
		var room [roomy]byte
		b = appendBytes(b, 7, c.guest.appendTo(room[:0]))
	}
	b = appendInt(b, 8, c.ended)
	b = appendBool(b, 9, c.otherNetwork)
	b = appendInt(b, 10, c.origin)
	b = appendInt(b, 40, c.notBefore)
	return append(b, c.unknown...)
}

func (g *guest) appendTo(b []byte) []byte {
	b = appendBytes(b, 1, g.did[:])
	b = appendText(b, 2, g.attributes)
	b = appendInt(b, 3, g.seen)
	b = appendBool(b, 4, g.confirmed)
	b = appendText(b, 5, g.guess)
	return append(b, g.unknown...)
}

// appendInt appends a number; zero is not written.
func appendInt(b []byte, field protowire.Number, v int64) []byte {
	if v == 0 {
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), uint64(v))
}

// appendBool appends true; false is not written.
func appendBool(b []byte, field protowire.Number, v bool) []byte {
	if !v {
		return b
	}
	return appendInt(b, field, 1)
}

// appendText appends bytes, unless there are none.
func appendText(b []byte, field protowire.Number, v string) []byte {
	if v == "" {
		return b
	}
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), v)
}

// appendBytes appends bytes, also none.
func appendBytes(b []byte, field protowire.Number, v []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), v)
}

func appendMessages[M proto.Message](b []byte, field protowire.Number, all []M) ([]byte, error) {
	for _, m := range all {
		encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
		if err != nil {
			return nil, err
		}
		b = appendBytes(b, field, encoded)
	}
	return b, nil
}
