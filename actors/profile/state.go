package profile

import (
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/intent"
	"ssod/actors/login"
	"ssod/cluster"
)

// seenLag is how old the stored lastSeen of a member may get before it is
// written although nothing else changed.
const seenLag = time.Hour

// state is a profile in memory: what [State] encodes, held in few and small
// objects because very many profiles are active at once.
type state struct {
	members        []member
	codes          []code
	issued         []int64 // ms, ascending
	requests       []linkRequest
	lastMembership int64
	keepUntil      int64  // ms
	unknown        string // fields of a later version

	// What few profiles have. The messages never change.
	logins []*SharedLogin
	ended  []*login.Ended
	open   []*intent.Intent
}

type member struct {
	device     string
	attributes string // encoded Attributes
	unknown    string
	did        [DidSize]byte
	membership int64
	lastSeen   int64 // ms
	storedSeen int64 // ms, lastSeen as it is on disk
	kind       MemberType
	implied    bool // the attributes are what a request gave away
}

type code struct {
	hash           string
	unknown        string
	did            [DidSize]byte // of the device that created it
	usedBy         [DidSize]byte
	notBefore      int64 // ms
	notAfter       int64 // ms
	used           int64 // ms, 0: unused
	usedMembership int64
	ended          int64 // ms, 0: neither replaced, cancelled nor refused
	otherNetwork   bool  // of the device that used it
	origin         int64 // ms, of its creator's token; 0: that was external
	guest          *guest
}

// guest is a device of another network that waits for the one that created the code to
// confirm it. A guest never changes: another one replaces it.
type guest struct {
	attributes string // encoded Attributes
	guess      string // the guesser that the directory charges if it may not join
	unknown    string
	did        [DidSize]byte
	seen       int64 // ms
	confirmed  bool
}

// linkRequest is a link code that was allowed and is being reserved. It is kept in memory
// only, so that concurrent requests cannot exceed maxIssued.
type linkRequest struct {
	request cluster.RequestID
	until   int64 // ms
}

// decision is what becomes of a command. next, when not nil, must be durable
// before the reply leaves; soft then changes what is only in memory.
type decision struct {
	reply proto.Message
	next  *state
	soft  func(*state)
	// remove deletes the profile's record; forget deletes its outcomes.
	remove, forget bool
	// early: nothing is decided yet, so the reply may rest on stale memory.
	early bool
}

func answer(reply proto.Message) decision { return decision{reply: reply} }

// clone returns a copy that can be changed without changing s.
func (s *state) clone() *state {
	c := *s
	c.members = slices.Clone(s.members)
	c.codes = slices.Clone(s.codes)
	c.issued = slices.Clone(s.issued)
	c.logins = slices.Clone(s.logins)
	c.ended = slices.Clone(s.ended)
	c.open = slices.Clone(s.open)
	return &c
}

// member finds a member by device digest; nil when it is none.
func (s *state) member(did [DidSize]byte) *member {
	for i := range s.members {
		if s.members[i].did == did {
			return &s.members[i]
		}
	}
	return nil
}

// alive finds the member whose very membership this is; nil when it ended.
func (s *state) alive(did [DidSize]byte, membership int64) *member {
	if m := s.member(did); m != nil && m.membership == membership {
		return m
	}
	return nil
}

// see records that a member was there. Time never goes back.
func (m *member) see(at actors.Times) { m.lastSeen = max(m.lastSeen, at.Seen().UnixMilli()) }

// seen is a soft change: the device was there.
func seen(did [DidSize]byte, at actors.Times) func(*state) {
	return func(s *state) {
		if m := s.member(did); m != nil {
			m.see(at)
		}
	}
}

// stored marks every lastSeen as written.
func (s *state) stored() {
	for i := range s.members {
		s.members[i].storedSeen = s.members[i].lastSeen
	}
}

// lag is how many ms the stored lastSeen of some member is behind.
func (s *state) lag() (ms int64) {
	for i := range s.members {
		ms = max(ms, s.members[i].lastSeen-s.members[i].storedSeen)
	}
	return ms
}

// dirty reports whether some lastSeen is not on disk, and overdue whether one
// is so old there that it should be written.
func (s *state) dirty() (dirty, overdue bool) {
	lag := s.lag()
	return lag > 0, lag > seenLag.Milliseconds()
}
