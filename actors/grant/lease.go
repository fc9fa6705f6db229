package grant

import (
	"bytes"
	"time"

	"ssod/actors"
	"ssod/actors/intent"
	"ssod/actors/login"
)

// Lease is how long tokens are lent. It is longer than any use takes.
const Lease = 30 * time.Second

// take lends the tokens when they are due and nobody has them. Who took them and asks
// again gets them again.
func (s *State) take(m *Take, p *intent.Promises) decision {
	now := p.At.Now.UnixMilli()
	switch {
	case len(s.GetSealed()) == 0 || now >= s.GetNotAfterMs():
		return answer(&TakeReply{Outcome: Outcome_NONE})
	case s.holds(m.GetLease()):
		return answer(&TakeReply{Outcome: Outcome_TAKEN, Sealed: s.GetSealed()})
	case s.overdue(p.At.Now):
		next := s.ended(p)
		return decision{Reply: &TakeReply{Outcome: Outcome_LOST, Open: p.Made()}, Next: next}
	case len(s.GetLease()) > 0:
		return answer(&TakeReply{Outcome: Outcome_WAIT, AgainMs: s.GetLeaseUntilMs()})
	case now < s.GetDueMs():
		return answer(&TakeReply{Outcome: Outcome_WAIT, AgainMs: s.GetDueMs()})
	}
	next := s.clone()
	next.Lease, next.LeaseUntilMs = m.GetLease(), now+Lease.Milliseconds()
	return decision{Reply: &TakeReply{Outcome: Outcome_TAKEN, Sealed: s.GetSealed()}, Next: next}
}

// holds reports whether a lease is the one that counts. One that has run out does, until
// somebody notices.
func (s *State) holds(lease []byte) bool {
	return len(lease) > 0 && bytes.Equal(s.GetLease(), lease)
}

// overdue reports whether the tokens did not come back.
func (s *State) overdue(now time.Time) bool {
	return len(s.GetLease()) > 0 && now.UnixMilli() >= s.GetLeaseUntilMs()
}

// put takes the new tokens, and tells the device what the provider said.
func (s *State) put(m *Put, p *intent.Promises) decision {
	if !s.holds(m.GetLease()) {
		return answer(&PutReply{Lost: true})
	}
	next := s.clone()
	next.Sealed, next.DueMs, next.Number = m.GetSealed(), m.GetDueMs(), s.GetNumber()+1
	next.Lease, next.LeaseUntilMs = nil, 0
	if len(m.GetAccount()) > 0 {
		p.Add(s.GetDevice(), &login.Tell{Login: s.GetLogin(), Account: m.GetAccount(), Number: next.GetNumber()})
	}
	next.Open = append(next.Open, p.Made()...)
	return decision{Reply: &PutReply{Open: p.Made()}, Next: next}
}

// release takes the tokens back as they were.
func (s *State) release(m *Release) decision {
	if !s.holds(m.GetLease()) {
		return answer(&ReleaseReply{})
	}
	next := s.clone()
	next.Lease, next.LeaseUntilMs, next.DueMs = nil, 0, m.GetDueMs()
	return decision{Reply: &ReleaseReply{}, Next: next}
}

// lose ends the login: its tokens are worth nothing.
func (s *State) lose(m *Lose, p *intent.Promises) decision {
	if !s.holds(m.GetLease()) {
		return answer(&LoseReply{})
	}
	next := s.ended(p)
	return decision{Reply: &LoseReply{Open: p.Made()}, Next: next}
}

// ended is the state when the tokens are lost. The device ends the login, as when the
// provider voids it.
func (s *State) ended(p *intent.Promises) *State {
	p.Add(s.GetDevice(), &login.End{Mvpd: s.GetMvpd(), Login: s.GetLogin(), How: login.How_INVALIDATED})
	next := gone(p.At)
	next.Open = append(s.clone().Open, p.Made()...)
	return next
}

// gone is the memory of a grant that is over, which its Keep must not bring back.
func gone(at actors.Times) *State {
	seen := at.Seen()
	return &State{MadeMs: seen.UnixMilli(), NotAfterMs: seen.Add(remembered).UnixMilli()}
}
