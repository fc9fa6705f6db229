package profile

import (
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors/event"
	"ssod/actors/login"
)

// facts are what others are told when a command leaves the profile with another state: the
// devices that have joined and left. Nobody is told of a viewer who is erased.
func (e *entity) facts(command proto.Message, next *state, now time.Time) event.Teller {
	joined, reason := event.DeviceJoined, event.Expired
	switch command.(type) {
	case *Mint, *Expire:
	case *Redeem:
		joined = event.DeviceLinked
	case *Unlink:
		reason = event.ByApp
	default:
		return nil
	}
	before := e.state
	return func() []event.Fact {
		about := e.about(before, now)
		var facts []event.Fact
		for i := range before.members {
			if m := &before.members[i]; next.member(m.did) == nil {
				facts = append(facts, about.of(event.DeviceUnlinked, m, reason))
			}
		}
		for i := range next.members {
			if m := &next.members[i]; before.member(m.did) == nil {
				facts = append(facts, about.of(joined, m, ""))
			}
		}
		return facts
	}
}

// shared is what all facts of a profile have.
type shared event.Fact

// about is that of a state. A login that is over is kept to be explained, but makes nobody a
// viewer of its TV provider any more.
func (e *entity) about(s *state, now time.Time) shared {
	v := shared{Realm: e.id[0], SSOID: e.id[2]}
	if e.id[1] != NamespaceSSO {
		v.Issuer = e.id[1]
	}
	for _, l := range s.logins {
		if l.GetLogin().Standing(now) == login.Good {
			v.Accounts = append(v.Accounts, login.AccountOf(l.GetLogin()))
		}
	}
	return v
}

func (v shared) of(t event.Type, m *member, reason string) event.Fact {
	f := event.Fact(v)
	f.Type, f.Device, f.Reason = t, []byte(m.device), reason
	return f
}
