package session

import (
	"time"

	"google.golang.org/protobuf/proto"
)

// create begins a session. A code that another session has, or had lately, is
// not given again.
func (s *State) create(m *Create, now time.Time) decision {
	if s.exists() {
		return answer(&CreateReply{Failure: Failure_TAKEN})
	}
	next := &State{
		Parameters: m.GetParameters(), Party: m.GetParty(), DeviceInfo: m.GetDeviceInfo(),
		NotBeforeMs: now.UnixMilli(), NotAfterMs: now.UnixMilli() + m.GetTtlMs(),
	}
	return decision{Reply: &CreateReply{NotBeforeMs: next.NotBeforeMs, NotAfterMs: next.NotAfterMs}, Next: next}
}

func (s *State) exists() bool { return s.GetNotAfterMs() != 0 }

// judge says whether the session can still be used for a login.
func (s *State) judge(now time.Time) Failure {
	switch {
	case !s.exists():
		return Failure_UNKNOWN
	case s.GetStage() != Stage_OPEN || now.UnixMilli() >= s.GetNotAfterMs():
		return Failure_OVER
	default:
		return Failure_OK
	}
}

// amend adds parameters to those that are known;
// httpfront/docs/entitlement.md#resume-a-session.
func (s *State) amend(m *Amend, now time.Time) decision {
	if f := s.judge(now); f != Failure_OK {
		return answer(&View{Failure: f})
	}
	next := s.clone()
	if next.Parameters == nil {
		next.Parameters = &Parameters{}
	}
	proto.Merge(next.Parameters, m.GetParameters())
	if proto.Equal(next, s) {
		return answer(s.view())
	}
	return decision{Reply: next.view(), Next: next}
}

// read returns the session. One that was finished can still be read, to find the login.
func (s *State) read(now time.Time) decision {
	f := s.judge(now)
	if f == Failure_OVER && s.GetStage() == Stage_FINISHED && now.UnixMilli() < s.GetNotAfterMs() {
		f = Failure_OK
	}
	if f != Failure_OK {
		return answer(&View{Failure: f})
	}
	v := s.view()
	v.DeviceInfo = s.GetDeviceInfo()
	return answer(v)
}

func (s *State) view() *View {
	return &View{
		Parameters: s.GetParameters(), Party: s.GetParty(), NotBeforeMs: s.GetNotBeforeMs(), NotAfterMs: s.GetNotAfterMs(),
		Stage: s.GetStage(), FinishedAt: s.GetFinishedAt(), Open: s.GetOpen(),
	}
}

// complete reports whether nothing is missing for a login.
func (p *Parameters) complete() bool {
	return p.GetMvpd() != "" && p.GetDomainName() != "" && p.GetRedirectUrl() != ""
}
