package device

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/intent"
	"ssod/actors/login"
	"ssod/cluster"
)

// Kind registers devices with a runtime. The courier carries out what they
// promise to others.
func Kind(courier *intent.Courier) actors.Kind {
	return actors.Kind{
		Name: KindName,
		New: func(id actors.Identity) actors.Entity {
			return &entity{address: actors.Address{Kind: KindName, Identity: id}, courier: courier}
		},
		Sweep: func(h cluster.Head, now time.Time) proto.Message { return sweep(h, now) },
		Fenced: func(command proto.Message) bool {
			_, reads := command.(*Logins)
			return reads
		},
	}
}

// entity is one device's actor.
type entity struct {
	address actors.Address
	courier *intent.Courier
	state   *State
}

// Load reads the device; one that does not exist is empty.
func (e *entity) Load(store cluster.Reader) error {
	head, found, err := store.Head(e.address.Entity())
	switch {
	case err != nil:
		return fmt.Errorf("read device: %w", err)
	case !found:
		e.state = &State{}
		return nil
	}
	e.state, err = decode(head)
	return err
}

// Receive decides one command and makes the decision durable if it must be.
func (e *entity) Receive(t *actors.Turn) {
	defer e.nudge(t)
	d, known := e.decide(t)
	if !known {
		t.Fail(fmt.Errorf("device does not know %T", t.Command()))
		return
	}
	if d.next == nil {
		t.Change(actors.Decision{Reply: d.reply})
		return
	}
	commit, err := d.next.commit()
	if err != nil {
		t.Fail(err)
		return
	}
	t.Change(actors.Decision{Reply: d.reply, Commit: commit, Applied: func() { e.state = d.next }})
}

// decide finds the decision function for a command.
func (e *entity) decide(t *actors.Turn) (d decision, known bool) {
	s, now := e.state, t.Now()
	promises := &intent.Promises{Request: t.Request(), Step: t.Step(), Now: now}
	switch m := t.Command().(type) {
	case *Begin:
		return s.begin(m, promises), true
	case *Logins:
		return s.list(), true
	case *Leave:
		return s.leave(m, promises), true
	case *login.Keep:
		return s.keep(m, intent.At(e.address), promises), true
	case *login.End:
		return s.end(m, promises), true
	case *intent.Settle:
		return s.settle(m), true
	case *intent.Resume:
		return answer(&intent.ResumeReply{}), true
	case *Expire:
		return s.expire(now), true
	default:
		return decision{}, false
	}
}

// settle forgets intents that were carried out.
func (s *State) settle(m *intent.Settle) decision {
	next := s.clone()
	if next.Open = intent.Without(s.Open, m); len(next.Open) == len(s.Open) {
		return answer(&intent.SettleReply{})
	}
	return decision{reply: &intent.SettleReply{}, next: next}
}

// nudge hands overdue intents to the courier.
func (e *entity) nudge(t *actors.Turn) {
	if e.state != nil && intent.Overdue(e.state.Open, t.Now()) {
		e.courier.Take(e.address, e.state.Open)
	}
}

// Tick keeps the device in memory while it has intents open.
func (e *entity) Tick(t *actors.Turn) (idle bool) {
	e.nudge(t)
	return len(e.state.Open) == 0
}
