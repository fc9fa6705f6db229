package device

import (
	"ssod/actors/intent"
	"ssod/actors/login"
)

// leave is a logout; httpfront/docs/flows.md#single-logout. With profiles it is a single
// logout: every login at the MVPD under these identities ends, wherever it was made.
// Without, only this device's own login ends, and with it the copies of it.
func (s *State) leave(m *Leave, p *intent.Promises) decision {
	own := s.at(m.GetMvpd())
	if len(s.Open)+len(m.GetProfiles())+len(own.GetShared())+1 > intent.Max {
		return answer(&LeaveReply{Busy: true})
	}
	if own == nil && len(m.GetProfiles()) == 0 {
		return answer(&LeaveReply{})
	}
	named := map[string]bool{}
	for _, profile := range m.GetProfiles() {
		named[profile.Address().Identity.Encode()] = true
		p.Add(profile, &login.EndAll{Mvpd: m.GetMvpd(), Login: own.GetLogin().GetId()})
	}
	for _, to := range own.GetShared() {
		if !named[to.GetProfile().Address().Identity.Encode()] {
			p.Add(to.GetProfile(), &login.End{Mvpd: m.GetMvpd(), Login: own.GetLogin().GetId()})
		}
	}
	own.dropGrant(p)
	remove(own.GetLogin(), p)
	next := s.clone()
	left := own != nil && next.drop(own.GetLogin().GetId(), login.How_REMOVED, p.At)
	next.Open = append(next.Open, p.Made()...)
	return decision{Reply: &LeaveReply{Left: left, Open: p.Made()}, Next: next}
}
