package profile

import (
	"errors"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"ssod/actors/intent"
	"ssod/actors/login"
)

// nobody is the digest of a device without an identifier.
var nobody = Did(nil)

// errMalformed: the record is no protobuf message.
var errMalformed = errors.New("malformed record")

// field is one field of an encoded message.
type field struct {
	number protowire.Number
	kind   protowire.Type
	value  uint64 // of a varint
	bytes  []byte // of a length-delimited field
	raw    []byte // the field as it is written
}

func (f *field) isInt(number protowire.Number) bool {
	return f.number == number && f.kind == protowire.VarintType
}

func (f *field) isBytes(number protowire.Number) bool {
	return f.number == number && f.kind == protowire.BytesType
}

// fields passes the fields of an encoded message to f, in their order.
func fields(b []byte, f func(*field) error) error {
	var at field
	for len(b) > 0 {
		size, err := at.take(b)
		if err == nil {
			err = f(&at)
		}
		if err != nil {
			return err
		}
		b = b[size:]
	}
	return nil
}

// take reads the first field of b and returns its size.
func (f *field) take(b []byte) (size int, err error) {
	var tag int
	f.number, f.kind, tag = protowire.ConsumeTag(b)
	if tag < 0 {
		return 0, errMalformed
	}
	switch f.kind {
	case protowire.VarintType:
		f.value, size = protowire.ConsumeVarint(b[tag:])
	case protowire.BytesType:
		f.bytes, size = protowire.ConsumeBytes(b[tag:])
	default:
		size = protowire.ConsumeFieldValue(f.number, f.kind, b[tag:])
	}
	if size < 0 {
		return 0, errMalformed
	}
	f.raw = b[:tag+size]
	return tag + size, nil
}

// parseState reads [State].
func parseState(b []byte) (*state, error) {
	s := &state{}
	if err := s.allot(b); err != nil {
		return nil, err
	}
	return s, fields(b, s.set)
}

// allot allocates the lists at their final length: very many profiles are in memory at
// once.
func (s *state) allot(b []byte) error {
	members, codes := 0, 0
	err := fields(b, func(f *field) error {
		switch {
		case f.isBytes(1):
			members++
		case f.isBytes(2):
			codes++
		}
		return nil
	})
	if members > 0 {
		s.members = make([]member, 0, members)
	}
	if codes > 0 {
		s.codes = make([]code, 0, codes)
	}
	return err
}

func (s *state) set(f *field) (err error) {
	switch {
	case f.isBytes(1):
		s.members = append(s.members, member{did: nobody})
		return fields(f.bytes, s.members[len(s.members)-1].set)
	case f.isBytes(2):
		s.codes = append(s.codes, code{})
		return fields(f.bytes, s.codes[len(s.codes)-1].set)
	case f.isInt(3):
		s.lastMembership = int64(f.value)
	case f.isInt(4):
		s.keepUntil = int64(f.value)
	case f.isInt(5):
		s.issued = append(s.issued, int64(f.value))
	case f.isBytes(5):
		s.issued, err = appendPacked(s.issued, f.bytes)
	case f.isBytes(6):
		s.logins, err = appendMessage(s.logins, f.bytes, &SharedLogin{})
	case f.isBytes(7):
		s.ended, err = appendMessage(s.ended, f.bytes, &login.Ended{})
	case f.isBytes(8):
		s.open, err = appendMessage(s.open, f.bytes, &intent.Intent{})
	default:
		s.unknown += string(f.raw)
	}
	return err
}

func (m *member) set(f *field) error {
	switch {
	case f.isBytes(1):
		m.device, m.did = string(f.bytes), Did(f.bytes)
	case f.isInt(2):
		m.membership = int64(f.value)
	case f.isInt(3):
		m.kind = MemberType(f.value)
	case f.isInt(4):
		m.lastSeen, m.storedSeen = int64(f.value), int64(f.value)
	case f.isBytes(5):
		m.attributes = string(f.bytes)
	case f.isInt(6):
		m.implied = f.value != 0
	default:
		m.unknown += string(f.raw)
	}
	return nil
}

func (c *code) set(f *field) error {
	switch {
	case f.isBytes(1):
		c.hash = string(f.bytes)
	case f.isBytes(2):
		c.did = digest(f.bytes)
	case f.isInt(3):
		c.notAfter = int64(f.value)
	case f.isInt(4):
		c.used = int64(f.value)
	case f.isBytes(5):
		c.usedBy = digest(f.bytes)
	case f.isInt(6):
		c.usedMembership = int64(f.value)
	case f.isBytes(7):
		if c.guest == nil { // as protobuf merges one that comes twice
			c.guest = &guest{}
		}
		return fields(f.bytes, c.guest.set)
	case f.isInt(8):
		c.ended = int64(f.value)
	case f.isInt(9):
		c.otherNetwork = f.value != 0
	case f.isInt(10):
		c.origin = int64(f.value)
	case f.isInt(40):
		c.notBefore = int64(f.value)
	default:
		c.unknown += string(f.raw)
	}
	return nil
}

func (g *guest) set(f *field) error {
	switch {
	case f.isBytes(1):
		g.did = digest(f.bytes)
	case f.isBytes(2):
		g.attributes = string(f.bytes)
	case f.isInt(3):
		g.seen = int64(f.value)
	case f.isInt(4):
		g.confirmed = f.value != 0
	case f.isBytes(5):
		g.guess = string(f.bytes)
	default:
		g.unknown += string(f.raw)
	}
	return nil
}

// appendPacked appends the numbers of a packed list.
func appendPacked(to []int64, b []byte) ([]int64, error) {
	for len(b) > 0 {
		v, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return nil, errMalformed
		}
		to, b = append(to, int64(v)), b[n:]
	}
	return to, nil
}

// appendMessage appends what encoded is of, read into m.
func appendMessage[M proto.Message](to []M, encoded []byte, m M) ([]M, error) {
	return append(to, m), proto.Unmarshal(encoded, m)
}
