package profile

import (
	"slices"
	"time"

	"ssod/actors"
)

// evictAfter is how long a member must be unseen before it makes room for a
// new one at the limit; httpfront/docs/limits.md#sizes-and-counts.
const evictAfter = 180 * 24 * time.Hour

// mint makes the device a member under the common identifier;
// httpfront/docs/sso.md#mint-a-service-token. A device that is one already is only
// touched, and that is written only if it says something new or was not seen on disk for
// long.
func (s *state) mint(m *Mint, at actors.Times) decision {
	if known := s.member(Did(m.GetDevice().GetId())); known != nil && !known.news(m.Device, at) {
		return decision{reply: &MintReply{Membership: known.membership}, soft: seen(known.did, at)}
	}
	next := s.clone()
	joined := next.join(m.GetDevice(), int(m.GetMaxDevices()), at)
	if joined == nil {
		return answer(&MintReply{Failure: Failure_TOO_MANY_DEVICES})
	}
	return decision{reply: &MintReply{Membership: joined.membership}, next: next}
}

// news reports whether touching the member is worth a write.
func (m *member) news(d *Device, at actors.Times) bool {
	return m.learns(d) || at.Seen().UnixMilli()-m.storedSeen > seenLag.Milliseconds()
}

// learns reports whether the device is described better than before. A description that
// a request only implied does not replace an explicit one.
func (m *member) learns(d *Device) bool {
	told := d.GetAttributes()
	if d.GetImplied() && !m.implied && m.attributes != "" {
		return false
	}
	return len(told) > 0 && string(told) != m.attributes
}

// join makes the device a member, or touches the member that it is. It returns nil when
// there is no room. The first member of a profile is regular, and so is one that made a
// login under it; all others are sso; httpfront/docs/sso.md#member-types.
func (s *state) join(d *Device, limit int, at actors.Times) *member {
	if m := s.member(Did(d.GetId())); m != nil {
		m.see(at)
		if m.learns(d) {
			m.attributes, m.implied = fitted(d.GetAttributes()), d.GetImplied()
		}
		return m
	}
	if len(s.members) >= limit && !s.evict(at) {
		return nil
	}
	kind := MemberType_SSO
	if len(s.members) == 0 || s.hasLoginOf(Did(d.GetId())) {
		kind = MemberType_REGULAR
	}
	s.keepUntil = 0
	s.members = append(s.members, member{
		device: string(d.GetId()), attributes: fitted(d.GetAttributes()), implied: d.GetImplied(), did: Did(d.GetId()),
		membership: s.number(at), lastSeen: at.Seen().UnixMilli(), kind: kind,
	})
	return &s.members[len(s.members)-1]
}

// number gives out a membership number: never one that was given before, and
// never one that an older incarnation of the profile can have given
// (httpfront/docs/headers.md#own-service-tokens).
func (s *state) number(at actors.Times) int64 {
	s.lastMembership = max(s.lastMembership+1, at.Now.UnixMilli())
	return s.lastMembership
}

// room reports whether the device is a member or could become one.
func (s *state) room(did [DidSize]byte, limit int, at actors.Times) bool {
	if s.member(did) != nil || len(s.members) < limit {
		return true
	}
	oldest := s.leastSeen()
	return oldest != nil && oldest.evictable(at)
}

// evict removes the member that was not seen for the longest time, if that is
// long enough.
func (s *state) evict(at actors.Times) bool {
	oldest := s.leastSeen()
	if oldest == nil || !oldest.evictable(at) {
		return false
	}
	s.drop(map[[DidSize]byte]bool{oldest.did: true}, at)
	return true
}

func (m *member) evictable(at actors.Times) bool {
	return at.Over().UnixMilli()-m.lastSeen >= evictAfter.Milliseconds()
}

func (s *state) leastSeen() *member {
	var oldest *member
	for i := range s.members {
		if m := &s.members[i]; oldest == nil || m.lastSeen < oldest.lastSeen {
			oldest = m
		}
	}
	return oldest
}

// drop ends the memberships of devices and cancels the link codes that they created. It
// returns the hashes of those that could still be redeemed. Used codes stay, without a
// creator, for repeats by the devices that used them.
func (s *state) drop(devices map[[DidSize]byte]bool, at actors.Times) (freed [][]byte) {
	s.members = slices.DeleteFunc(s.members, func(m member) bool { return devices[m.did] })
	freed = s.cancel(func(c *code) bool { return devices[c.did] }, at)
	s.codes = slices.DeleteFunc(s.codes, func(c code) bool { return devices[c.did] && c.used == 0 })
	for i := range s.codes {
		if c := &s.codes[i]; devices[c.did] {
			c.did = [DidSize]byte{}
		}
	}
	return freed
}

// fitted bounds what a device says about itself.
func fitted(attributes []byte) string {
	if len(attributes) <= MaxAttributes {
		return string(attributes)
	}
	a, err := DecodeAttributes(attributes)
	if err != nil {
		return ""
	}
	return string(EncodeAttributes(a))
}
