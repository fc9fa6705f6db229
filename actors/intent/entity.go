package intent

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/cluster"
)

// schema is the version of the head record's format.
const schema = 1

// Decision is what becomes of a command: Next, when not nil, must be durable
// before the reply leaves. A state never changes once it is in use; an empty one
// is no record at all.
type Decision[S any] struct {
	Reply proto.Message
	Next  *S
}

// state is a pointer to S, a protobuf message.
type state[S any] interface {
	*S
	proto.Message
}

// Entity is an actor whose whole state is one protobuf message. When that has
// intents ([Maker]) they are carried out.
type Entity[S any, P state[S]] struct {
	// Address is where the entity is asked.
	Address actors.Address
	// Courier carries out intents; nil when the entity makes none.
	Courier *Courier
	// Decide is the decision about t's command; false: the command is unknown.
	Decide func(s P, self actors.Address, t *actors.Turn) (Decision[S], bool)

	// Facts are what others are told of a change; nil: nothing.
	Facts Facts[P]

	state P
}

// Load reads the state; an entity that does not exist has an empty one.
func (e *Entity[S, P]) Load(store actors.Store) error {
	head, found, err := store.Head(e.Address.Entity())
	switch {
	case err != nil:
		return fmt.Errorf("read %s: %w", e.Address.Kind, err)
	case !found:
		e.state = new(S)
		return nil
	}
	if e.state, err = Decode[S, P](head); err != nil {
		return err
	}
	if c, ok := any(e.state).(Cuts); ok {
		c.Cut(store.Times())
	}
	return nil
}

// Decode reads a head record.
func Decode[S any, P state[S]](h cluster.Head) (P, error) {
	s := P(new(S))
	if h.Schema != schema {
		return nil, fmt.Errorf("%T has an unknown schema: %d", s, h.Schema)
	}
	if err := proto.Unmarshal(h.State, s); err != nil {
		return nil, fmt.Errorf("decode %T: %w", s, err)
	}
	return s, nil
}

// Receive decides one command and makes the decision durable if it must be.
func (e *Entity[S, P]) Receive(t *actors.Turn) {
	defer e.nudge(t)
	if _, forget := t.Command().(*Forget); forget {
		e.forget(t)
		return
	}
	d, known := e.Decide(e.state, e.Address, t)
	switch {
	case !known:
		t.Fail(fmt.Errorf("%s does not know %T", e.Address.Kind, t.Command()))
	case d.Next == nil:
		t.Change(actors.Decision{Reply: d.Reply})
	default:
		commit, err := Encode(P(d.Next))
		if err != nil {
			t.Fail(err)
			return
		}
		t.Change(actors.Decision{
			Reply: d.Reply, Commit: commit, Applied: func() { e.state = d.Next }, Facts: e.facts(t, P(d.Next)),
		})
	}
}

// Used is a state that others may need still: then the entity is not forgotten.
type Used interface{ InUse() bool }

// forget removes the entity and its outcomes.
func (e *Entity[S, P]) forget(t *actors.Turn) {
	used, ok := any(e.state).(Used)
	switch {
	case len(e.open()) > 0:
		t.Change(actors.Decision{Reply: &ForgetReply{Busy: true}})
	case ok && used.InUse():
		e.forgetCommands(t)
	case proto.Size(e.state) == 0:
		t.Change(actors.Decision{Reply: &ForgetReply{}})
	default:
		t.Change(actors.Decision{
			Reply: &ForgetReply{}, Commit: &cluster.Commit{Remove: true, Forget: true},
			Applied: func() { e.state = new(S) },
		})
	}
}

// forgetCommands keeps the state and forgets what was answered.
func (e *Entity[S, P]) forgetCommands(t *actors.Turn) {
	commit, err := Encode(e.state)
	if err != nil {
		t.Fail(err)
		return
	}
	commit.Forget = true
	t.Change(actors.Decision{Reply: &ForgetReply{Used: true}, Commit: commit})
}

// Encode is the commit that makes next the stored state.
func Encode(next proto.Message) (*cluster.Commit, error) {
	if proto.Size(next) == 0 {
		return &cluster.Commit{Remove: true}, nil
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(next)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", next, err)
	}
	return &cluster.Commit{Schema: schema, State: b}, nil
}

// nudge hands overdue intents to the courier, and those that an earlier owner left.
func (e *Entity[S, P]) nudge(t *actors.Turn) { e.Courier.Nudge(e.Address, e.open(), t) }

func (e *Entity[S, P]) open() []*Intent {
	if m, ok := any(e.state).(Maker); ok && e.state != nil {
		return m.GetOpen()
	}
	return nil
}

// Tick keeps the entity in memory while it has intents open.
func (e *Entity[S, P]) Tick(t *actors.Turn) (idle bool) {
	e.nudge(t)
	return len(e.open()) == 0
}
