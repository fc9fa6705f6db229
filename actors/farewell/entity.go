package farewell

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/cluster"
)

// Kind registers farewells with a runtime.
func Kind() actors.Kind {
	return actors.Kind{
		Name: KindName,
		New: func(id actors.Identity) actors.Entity {
			return &entity{address: actors.Address{Kind: KindName, Identity: id}}
		},
		Sweep: func(h cluster.Head, now time.Time) proto.Message { return sweep(h, now) },
		Fenced: func(command proto.Message) bool {
			_, reads := command.(*Back)
			return reads
		},
	}
}

// entity is one farewell's actor.
type entity struct {
	address actors.Address
	state   *State
}

// Load reads the farewell; one that does not exist is empty.
func (e *entity) Load(store cluster.Reader) error {
	head, found, err := store.Head(e.address.Entity())
	switch {
	case err != nil:
		return fmt.Errorf("read farewell: %w", err)
	case !found:
		e.state = &State{}
		return nil
	}
	e.state, err = decode(head)
	return err
}

// Receive decides one command and makes the decision durable if it must be.
func (e *entity) Receive(t *actors.Turn) {
	d, known := e.decide(t)
	switch {
	case !known:
		t.Fail(fmt.Errorf("farewell does not know %T", t.Command()))
	case d.next == nil:
		t.Change(actors.Decision{Reply: d.reply})
	default:
		commit, err := d.commit()
		if err != nil {
			t.Fail(err)
			return
		}
		t.Change(actors.Decision{Reply: d.reply, Commit: commit, Applied: func() { e.state = d.next }})
	}
}

// decide finds the decision function for a command.
func (e *entity) decide(t *actors.Turn) (d decision, known bool) {
	switch m := t.Command().(type) {
	case *Create:
		return e.state.create(m, t.Now()), true
	case *Take:
		return e.state.take(t.Now()), true
	case *Back:
		return e.state.back(t.Now()), true
	case *Expire:
		return e.state.expire(t.Now()), true
	default:
		return decision{}, false
	}
}

// Tick has nothing to do.
func (e *entity) Tick(*actors.Turn) (idle bool) { return true }
