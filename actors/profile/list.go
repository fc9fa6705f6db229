package profile

import (
	"ssod/actors"
	"ssod/actors/login"
)

// refresh decides whether a token may be renewed. It writes nothing; the device's
// lastSeen is kept in memory and written later.
func (s *state) refresh(m *Refresh, at actors.Times) decision {
	if f := s.judge(m.GetCaller()); f != Failure_OK {
		return answer(&RefreshReply{Failure: f})
	}
	return decision{reply: &RefreshReply{}, soft: m.GetCaller().seen(at)}
}

// seeCaller notes that the caller was there, if it is a member.
func (s *state) seeCaller(m *See, at actors.Times) decision {
	if s.judge(m.GetCaller()) != Failure_OK {
		return answer(&SeeReply{})
	}
	return decision{reply: &SeeReply{}, soft: m.GetCaller().seen(at)}
}

// list returns the members, the caller among them with this very call as its
// lastSeen.
func (s *state) list(m *List, at actors.Times) decision {
	c := m.GetCaller()
	if f := s.judge(c); f != Failure_OK {
		return answer(&ListReply{Failure: f})
	}
	caller := c.digest()
	members := make([]*Member, len(s.members))
	for i := range s.members {
		listed := s.members[i]
		if listed.did == caller {
			listed.see(at)
		}
		members[i] = listed.message()
	}
	return decision{reply: &ListReply{Members: members}, soft: c.seen(at)}
}

// show returns everything but the hashes of link codes, the devices that wait with them,
// and what the MVPDs said of logins.
func (s *state) show() decision {
	m := s.message()
	m.Logins, m.Ended, m.Open = nil, nil, nil
	for _, shared := range s.logins {
		l := shared.GetLogin()
		m.Logins = append(m.Logins, &SharedLogin{Login: &login.Login{
			Mvpd: l.GetMvpd(), NotBeforeMs: l.GetNotBeforeMs(), NotAfterMs: l.GetNotAfterMs(), InvalidatedMs: l.GetInvalidatedMs(),
		}})
	}
	for _, c := range m.Codes {
		c.Hash = nil
		if c.Guest != nil {
			c.Guest = &Guest{Confirmed: c.Guest.GetConfirmed()}
		}
	}
	return answer(&ShowReply{State: m, Exists: len(s.members)+len(s.logins) > 0})
}
