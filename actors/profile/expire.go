package profile

import (
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/intent"
	"ssod/cluster"
)

// sweep looks at a stored profile and returns an Expire command when there is something
// to drop. The profile decides again by the state in memory.
func sweep(h cluster.Head, retention time.Duration, at actors.Times) proto.Message {
	s, err := decode(h.State)
	if err != nil || h.Schema != schema { // activation reports it; sweeping cannot help
		return nil
	}
	m := &Expire{RetentionMs: retention.Milliseconds(), Cut: s.cut(at)}
	switch {
	case intent.Overdue(s.open, at.Now):
		return &intent.Resume{}
	case m.Cut || len(s.unseen(m, at)) > 0 || s.staleLogins(at) || s.staleGuests(at) || s.over(at):
		return m
	}
	return nil
}

// expire drops the members that were not seen for the retention time, expired logins,
// devices that waited with a link code, and the whole record of a profile that has been
// without members for long enough. tombstone is how long tokens of the realm can live.
func (s *state) expire(m *Expire, tombstone time.Duration, at actors.Times) decision {
	if s.over(at) {
		return decision{reply: &ExpireReply{}, next: &state{}, remove: true}
	}
	gone := s.unseen(m, at)
	if len(gone) == 0 && !s.staleLogins(at) && !s.staleGuests(at) && !m.GetCut() {
		return answer(&ExpireReply{})
	}
	next := s.clone()
	next.forgetLogins(at)
	next.prune(at)
	if len(gone) > 0 {
		next.drop(gone, at)
		next.entomb(tombstone.Milliseconds(), at)
	}
	return decision{reply: &ExpireReply{Members: int32(len(gone))}, next: next}
}

// unseen are the members to drop.
func (s *state) unseen(m *Expire, at actors.Times) map[[DidSize]byte]bool {
	gone := make(map[[DidSize]byte]bool)
	for i := range s.members {
		if at.Over().UnixMilli()-s.members[i].lastSeen >= m.GetRetentionMs() {
			gone[s.members[i].did] = true
		}
	}
	return gone
}

// over reports whether nothing depends on the profile's record any more. One that never
// had members has nothing to keep but its logins.
func (s *state) over(at actors.Times) bool {
	kept := len(s.members) + len(s.logins) + len(s.ended) + len(s.open)
	return kept == 0 && at.Over().UnixMilli() >= s.keepUntil && (s.keepUntil > 0 || s.lastMembership == 0)
}
