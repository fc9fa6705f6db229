package profile

import (
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors/intent"
	"ssod/cluster"
)

// sweep looks at a stored profile and returns an Expire command when there is
// something to drop. The profile itself decides again on what it knows better.
func sweep(h cluster.Head, retention time.Duration, now time.Time) proto.Message {
	s, err := decode(h.State)
	if err != nil || h.Schema != schema { // activation reports it; sweeping cannot help
		return nil
	}
	m := &Expire{RetentionMs: retention.Milliseconds()}
	switch {
	case intent.Overdue(s.open, now):
		return &intent.Resume{}
	case len(s.unseen(m, now)) > 0 || s.staleLogins(now) || s.over(now):
		return m
	}
	return nil
}

// expire drops the members that were not seen for the retention time, what is
// over of logins, and the whole record once a profile without members kept it
// long enough. tombstone
// is how long tokens of the realm can live.
func (s *state) expire(m *Expire, tombstone time.Duration, now time.Time) decision {
	if s.over(now) {
		return decision{reply: &ExpireReply{}, next: &state{}, remove: true}
	}
	gone := s.unseen(m, now)
	if len(gone) == 0 && !s.staleLogins(now) {
		return answer(&ExpireReply{})
	}
	next := s.clone()
	next.forgetLogins(now)
	if len(gone) > 0 {
		next.drop(gone)
		next.entomb(tombstone.Milliseconds(), now)
	}
	return decision{reply: &ExpireReply{Members: int32(len(gone))}, next: next}
}

// unseen are the members to drop.
func (s *state) unseen(m *Expire, now time.Time) map[[DidSize]byte]bool {
	gone := make(map[[DidSize]byte]bool)
	for i := range s.members {
		if now.UnixMilli()-s.members[i].lastSeen >= m.GetRetentionMs() {
			gone[s.members[i].did] = true
		}
	}
	return gone
}

// over reports whether nothing can depend on the profile's record any more. One
// that never had members has nothing to keep but its logins.
func (s *state) over(now time.Time) bool {
	kept := len(s.members) + len(s.logins) + len(s.ended) + len(s.open)
	return kept == 0 && now.UnixMilli() >= s.keepUntil && (s.keepUntil > 0 || s.lastMembership == 0)
}
