package session

import (
	"crypto/subtle"
	"time"

	"ssod/actors/intent"
	"ssod/actors/login"
)

// open says whether a viewer may log in in a browser, or has done so. Anybody with the
// code can ask, any number of times, so it changes nothing. On the service's own page the
// viewer chooses the MVPD, and ends there where the app gave no URL.
func (s *State) open(m *Open, now time.Time) decision {
	if s.finishedIn(m.GetBrowser(), now) {
		return answer(&OpenReply{Parameters: s.GetParameters(), Party: s.GetParty(), Finished: true})
	}
	f := s.judge(now)
	if f == Failure_OK && !m.GetPage() && !s.GetParameters().complete() {
		f = Failure_INCOMPLETE
	}
	if f != Failure_OK {
		return answer(&OpenReply{Failure: f, Stage: s.GetStage()})
	}
	return answer(&OpenReply{Parameters: s.GetParameters(), Party: s.GetParty()})
}

// finishedIn reports whether the session was finished in a browser, and has not expired.
// Every further request of that browser is answered that the login is made, which is true
// for its viewer. Another browser is too late: the login need not be its viewer's.
func (s *State) finishedIn(browser []byte, now time.Time) bool {
	return s.GetStage() == Stage_FINISHED && now.UnixMilli() < s.GetNotAfterMs() &&
		subtle.ConstantTimeCompare(s.GetFinishedIn(), browser) == 1
}

// finish ends the session with a login, which the device is to keep.
func (s *State) finish(m *Finish, self *intent.Place, p *intent.Promises) decision {
	if s.finishedIn(m.GetBrowser(), p.At.Now) {
		return answer(&FinishReply{})
	}
	if f := s.judge(p.At.Now); f != Failure_OK {
		return answer(&FinishReply{Failure: f})
	}
	p.Add(s.GetParty().GetDevice(), &login.Keep{
		Login: m.GetLogin(), Session: self, Shared: s.GetParty().GetSharing(), Tokens: m.GetTokens(),
	})
	next := s.clone()
	next.Stage, next.FinishedIn, next.FinishedAt = Stage_FINISHED, m.GetBrowser(), m.GetLogin().GetMvpd()
	next.Open = append(next.Open, p.Made()...)
	return decision{Reply: &FinishReply{Open: p.Made()}, Next: next}
}

// decline ends the session because a viewer was asked to log in on a device that
// is not theirs.
func (s *State) decline(now time.Time) decision {
	if f := s.judge(now); f != Failure_OK {
		return answer(&DeclineReply{Failure: f})
	}
	next := s.clone()
	next.Stage = Stage_DECLINED
	return decision{Reply: &DeclineReply{}, Next: next}
}
