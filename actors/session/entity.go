package session

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/device"
	"ssod/actors/intent"
	"ssod/cluster"
)

// Kind registers sessions with a runtime. The courier carries out what they
// promise to devices.
func Kind(courier *intent.Courier) actors.Kind {
	return actors.Kind{
		Name: KindName,
		New: func(id actors.Identity) actors.Entity {
			return &entity{address: actors.Address{Kind: KindName, Identity: id}, courier: courier}
		},
		Sweep:  func(h cluster.Head, now time.Time) proto.Message { return sweep(h, now) },
		Fenced: reads,
	}
}

// reads says which commands never change anything.
func reads(command proto.Message) bool {
	switch command.(type) {
	case *Read, *Return:
		return true
	default:
		return false
	}
}

// entity is one session's actor.
type entity struct {
	address actors.Address
	courier *intent.Courier
	state   *State
}

// Load reads the session; one that does not exist is empty.
func (e *entity) Load(store cluster.Reader) error {
	head, found, err := store.Head(e.address.Entity())
	switch {
	case err != nil:
		return fmt.Errorf("read session: %w", err)
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
		t.Fail(fmt.Errorf("session does not know %T", t.Command()))
		return
	}
	if d.next == nil {
		t.Change(actors.Decision{Reply: d.reply})
		return
	}
	commit, err := d.commit()
	if err != nil {
		t.Fail(err)
		return
	}
	t.Change(actors.Decision{Reply: d.reply, Commit: commit, Applied: func() { e.state = d.next }})
}

// decide finds the decision function for a command.
func (e *entity) decide(t *actors.Turn) (d decision, known bool) {
	s, now := e.state, t.Now()
	switch m := t.Command().(type) {
	case *Create:
		return s.create(m, now), true
	case *Amend:
		return s.amend(m, now), true
	case *Read:
		return s.read(now), true
	case *Open:
		return s.open(m, now), true
	case *Return:
		return s.comeBack(m, now), true
	case *Finish:
		return s.finish(m, intent.At(e.address), &intent.Promises{Request: t.Request(), Step: t.Step(), Now: now}), true
	case *device.Supersede:
		return s.supersede(), true
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

// nudge hands overdue intents to the courier.
func (e *entity) nudge(t *actors.Turn) {
	if e.state != nil && intent.Overdue(e.state.GetOpen(), t.Now()) {
		e.courier.Take(e.address, e.state.GetOpen())
	}
}

// Tick keeps the session in memory while it has intents open.
func (e *entity) Tick(t *actors.Turn) (idle bool) {
	e.nudge(t)
	return len(e.state.GetOpen()) == 0
}
