package farewell

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/cluster"
)

// KindName is the name of the kind in addresses and keys.
const KindName = "farewell"

// schema is the version of the head record's format.
const schema = 1

// ID names a farewell.
type ID struct {
	ServiceProvider string
	Secret          string // unguessable
}

// Address is where the farewell's actor is asked.
func (id ID) Address() actors.Address {
	return actors.Address{Kind: KindName, Identity: actors.Identity{id.ServiceProvider, id.Secret}}
}

// decision is what becomes of a command: next, when not nil, must be durable
// before the reply leaves. A State never changes once it is in use.
type decision struct {
	reply  proto.Message
	next   *State
	remove bool
}

// create prepares a farewell.
func (s *State) create(m *Create, now time.Time) decision {
	return decision{reply: &CreateReply{}, next: &State{
		Mvpd: m.GetMvpd(), Account: m.GetAccount(), RedirectUrl: m.GetRedirectUrl(), NotAfterMs: now.UnixMilli() + m.GetTtlMs(),
	}}
}

// take uses the farewell; a second time is refused.
func (s *State) take(now time.Time) decision {
	if s.GetTaken() || s.over(now) {
		return decision{reply: &TakeReply{Refused: true}}
	}
	next := proto.Clone(s).(*State)
	next.Taken, next.Account = true, nil
	return decision{reply: &TakeReply{Mvpd: s.GetMvpd(), Account: s.GetAccount()}, next: next}
}

// back says where the browser belongs. Only one that was sent away comes back.
func (s *State) back(now time.Time) decision {
	if !s.GetTaken() || s.over(now) {
		return decision{reply: &BackReply{Refused: true}}
	}
	return decision{reply: &BackReply{RedirectUrl: s.GetRedirectUrl()}}
}

func (s *State) expire(now time.Time) decision {
	if s.GetNotAfterMs() == 0 || !s.over(now) {
		return decision{reply: &ExpireReply{}}
	}
	return decision{reply: &ExpireReply{}, next: &State{}, remove: true}
}

func (s *State) over(now time.Time) bool { return now.UnixMilli() >= s.GetNotAfterMs() }

// sweep looks at a stored farewell and returns a command when it can go.
func sweep(h cluster.Head, now time.Time) proto.Message {
	if s, err := decode(h); err == nil && s.over(now) { // else activation reports it
		return &Expire{}
	}
	return nil
}

// commit makes d.next the stored state.
func (d *decision) commit() (*cluster.Commit, error) {
	if d.remove {
		return &cluster.Commit{Remove: true}, nil
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(d.next)
	if err != nil {
		return nil, fmt.Errorf("encode farewell: %w", err)
	}
	return &cluster.Commit{Schema: schema, State: b}, nil
}

// decode reads a head record.
func decode(h cluster.Head) (*State, error) {
	if h.Schema != schema {
		return nil, fmt.Errorf("farewell has an unknown schema: %d", h.Schema)
	}
	s := &State{}
	if err := proto.Unmarshal(h.State, s); err != nil {
		return nil, fmt.Errorf("decode farewell: %w", err)
	}
	return s, nil
}
