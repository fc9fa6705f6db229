package session

import (
	"crypto/subtle"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors/intent"
	"ssod/actors/login"
)

// maxAttempts is in how many browsers and tabs a session can be open; a further
// one takes the place of the oldest.
const maxAttempts = 8

// open begins an attempt, unless the browser has logged in already.
func (s *State) open(m *Open, now time.Time) decision {
	if s.finishedIn(m.GetAttempt().GetBrowser(), now) {
		return answer(&OpenReply{Parameters: s.GetParameters(), Finished: true})
	}
	f := s.judge(now)
	if f == Failure_OK && !s.GetParameters().complete() {
		f = Failure_INCOMPLETE
	}
	if f != Failure_OK {
		return answer(&OpenReply{Failure: f})
	}
	next := s.clone()
	if len(next.Attempts) == maxAttempts {
		next.Attempts = next.Attempts[1:]
	}
	a := proto.Clone(m.GetAttempt()).(*Attempt)
	a.Mvpd = s.GetParameters().GetMvpd()
	next.Attempts = append(next.Attempts, a)
	return decision{Reply: &OpenReply{Parameters: s.GetParameters(), Party: s.GetParty()}, Next: next}
}

// comeBack returns the attempt that a browser comes back from, with what the
// protocol of the MVPD needs to go on.
func (s *State) comeBack(m *Return, now time.Time) decision {
	a, f := s.attempt(m.GetState(), m.GetBrowser(), now)
	if f != Failure_OK {
		return answer(&ReturnReply{Failure: f})
	}
	return answer(&ReturnReply{
		Attempt: a, Parameters: s.GetParameters(), Party: s.GetParty(),
		Finished: s.GetStage() == Stage_FINISHED,
	})
}

// attempt finds and judges an attempt. The one that finished the session may
// come again as long as the session would have lasted, and so may those in other
// tabs of its browser: for the viewer who sees them the login is made. Another
// browser is too late, whoever sits there: the login need not be theirs.
func (s *State) attempt(state, browser []byte, now time.Time) (*Attempt, Failure) {
	var found *Attempt
	for _, a := range s.GetAttempts() {
		if subtle.ConstantTimeCompare(a.GetState(), state) == 1 {
			found = a
		}
	}
	switch {
	case !s.exists():
		return nil, Failure_UNKNOWN
	case found == nil || subtle.ConstantTimeCompare(found.GetBrowser(), browser) != 1:
		return nil, Failure_STRANGER
	case s.finishedIn(browser, now):
		return found, Failure_OK
	default:
		return found, s.judge(now)
	}
}

// finishedIn reports whether a browser finished the session, which would still
// last.
func (s *State) finishedIn(browser []byte, now time.Time) bool {
	if s.GetStage() != Stage_FINISHED || now.UnixMilli() >= s.GetNotAfterMs() {
		return false
	}
	for _, a := range s.GetAttempts() {
		if string(a.GetState()) == string(s.GetFinishedBy()) {
			return subtle.ConstantTimeCompare(a.GetBrowser(), browser) == 1
		}
	}
	return false
}

// finish ends the session with a login, which the device is to keep.
func (s *State) finish(m *Finish, self *intent.Place, p *intent.Promises) decision {
	a, f := s.attempt(m.GetState(), m.GetBrowser(), p.At.Now)
	if f != Failure_OK || s.GetStage() == Stage_FINISHED {
		return answer(&FinishReply{Failure: f})
	}
	p.Add(s.GetParty().GetDevice(), &login.Keep{Login: m.GetLogin(), Session: self, Shared: s.GetParty().GetSharing()})
	next := s.clone()
	next.Stage, next.FinishedBy, next.FinishedAt = Stage_FINISHED, a.GetState(), m.GetLogin().GetMvpd()
	next.Open = append(next.Open, p.Made()...)
	next.forgetSecrets()
	return decision{Reply: &FinishReply{Open: p.Made()}, Next: next}
}

// forgetSecrets drops what is of no more use.
func (s *State) forgetSecrets() {
	for _, a := range s.Attempts {
		a.Nonce, a.Verifier = "", ""
	}
}
