package logout

import (
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/intent"
	"ssod/cluster"
)

// KindName is the name of the kind in addresses and keys, since the first version.
const KindName = "farewell"

// ID names a logout.
type ID struct {
	ServiceProvider string
	Secret          string // unguessable
}

// Address is where the logout's actor is asked.
func (id ID) Address() actors.Address {
	return actors.Address{Kind: KindName, Identity: actors.Identity{id.ServiceProvider, id.Secret}}
}

// create prepares a logout.
func (s *State) create(m *Create, now time.Time) decision {
	return decision{Reply: &CreateReply{}, Next: &State{
		Mvpd: m.GetMvpd(), Account: m.GetAccount(), RedirectUrl: m.GetRedirectUrl(), NotAfterMs: now.UnixMilli() + m.GetTtlMs(),
	}}
}

// take uses the logout; a second time is refused.
func (s *State) take(now time.Time) decision {
	if s.GetTaken() || s.over(now) {
		return answer(&TakeReply{Refused: true})
	}
	next := s.clone()
	next.Taken, next.Account = true, nil
	return decision{Reply: &TakeReply{Mvpd: s.GetMvpd(), Account: s.GetAccount()}, Next: next}
}

// back says where the browser goes. Only one that was sent away comes back.
func (s *State) back(now time.Time) decision {
	if !s.GetTaken() || s.over(now) {
		return answer(&BackReply{Refused: true})
	}
	return answer(&BackReply{RedirectUrl: s.GetRedirectUrl()})
}

func (s *State) expire(now time.Time) decision {
	if s.GetNotAfterMs() == 0 || !s.over(now) {
		return answer(&ExpireReply{})
	}
	return decision{Reply: &ExpireReply{}, Next: &State{}}
}

func (s *State) over(now time.Time) bool { return now.UnixMilli() >= s.GetNotAfterMs() }

// sweep looks at a stored logout and returns a command when it can be dropped.
func sweep(h cluster.Head, at actors.Times) proto.Message {
	s, err := intent.Decode[State](h)
	switch {
	case err != nil: // activation reports it
		return nil
	case s.Cut(at), s.over(at.Now):
		return &Expire{} // it is over when it is loaded
	}
	return nil
}
