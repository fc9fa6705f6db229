package device

import (
	"time"

	"ssod/actors"
	"ssod/actors/intent"
	"ssod/actors/login"
)

// longest is the maximum length of a session.
const longest = 24 * time.Hour

func (s *State) Cut(at actors.Times) (did bool) {
	for i, r := range s.Logins {
		if l := r.GetLogin().Cut(at); l != r.GetLogin() {
			s.Logins[i] = &Regular{Login: l, Shared: r.GetShared(), Grant: r.GetGrant()}
			did = true
		}
	}
	if limit := at.Now.Add(longest).UnixMilli(); s.SessionUntilMs > limit {
		s.SessionUntilMs, did = limit, true
	}
	var ended, open bool
	s.Ended, ended = login.CutEnded(s.Ended, at)
	s.Open, open = intent.Cut(s.Open, at)
	return did || ended || open
}
