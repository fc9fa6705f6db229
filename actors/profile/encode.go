package profile

import (
	"bytes"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"
)

// schema is the version of the head record's format.
const schema = 1

// errSchema: the record was written by a version with a newer format.
var errSchema = errors.New("profile has an unknown schema")

// encode returns the head record: what marshalling message gives, without the allocations
// of the message. Every change of a profile does it.
func (s *state) encode() ([]byte, error) {
	b, err := s.appendTo(make([]byte, 0, s.sizeHint()))
	if err != nil {
		return nil, fmt.Errorf("encode profile: %w", err)
	}
	return b, nil
}

// decode reads a head record of this schema without making a message. Every activation
// does it, and the sweep for each head.
func decode(encoded []byte) (*state, error) {
	s, err := parseState(encoded)
	if err != nil {
		return nil, fmt.Errorf("decode profile: %w", err)
	}
	return s, nil
}

// message is s as protobuf, fields of later versions included.
func (s *state) message() *State {
	m := &State{
		Members:        make([]*Member, len(s.members)),
		Codes:          make([]*Code, len(s.codes)),
		LastMembership: s.lastMembership,
		KeepUntilMs:    s.keepUntil,
		IssuedMs:       s.issued,
		Logins:         s.logins,
		Ended:          s.ended,
		Open:           s.open,
	}
	for i := range s.members {
		m.Members[i] = s.members[i].message()
	}
	for i := range s.codes {
		m.Codes[i] = s.codes[i].message()
	}
	setUnknown(m, s.unknown)
	return m
}

func (m *member) message() *Member {
	p := &Member{
		Device: []byte(m.device), Membership: m.membership, Type: m.kind,
		LastSeenMs: m.lastSeen, Attributes: []byte(m.attributes), Implied: m.implied,
	}
	setUnknown(p, m.unknown)
	return p
}

func (c *code) message() *Code {
	p := &Code{
		Hash: []byte(c.hash), Did: bytes.Clone(c.did[:]), NotAfterMs: c.notAfter,
		UsedMs: c.used, UsedMembership: c.usedMembership, NotBeforeMs: c.notBefore,
		EndedMs: c.ended, OtherNetwork: c.otherNetwork,
		OriginMs: c.origin,
	}
	if c.guest != nil {
		p.Guest = c.guest.message()
	}
	if c.used != 0 {
		p.UsedBy = bytes.Clone(c.usedBy[:])
	}
	setUnknown(p, c.unknown)
	return p
}

func (g *guest) message() *Guest {
	p := &Guest{
		Did: bytes.Clone(g.did[:]), Attributes: []byte(g.attributes), SeenMs: g.seen,
		Confirmed: g.confirmed, Guess: []byte(g.guess),
	}
	setUnknown(p, g.unknown)
	return p
}

// digest reads a device digest; one of another length is no device's.
func digest(b []byte) (d [DidSize]byte) {
	if len(b) == DidSize {
		copy(d[:], b)
	}
	return d
}

// setUnknown keeps what a later version wrote.
func setUnknown(m proto.Message, unknown string) {
	if unknown != "" {
		m.ProtoReflect().SetUnknown([]byte(unknown))
	}
}
