package profile

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/intent"
	"ssod/actors/login"
	"ssod/cluster"
)

// Config is what profiles need to know of the configuration. Each function is
// called when its answer is needed, so a reload takes effect at once.
type Config struct {
	// Retention is how long a member may be unseen before the sweep drops it
	// (memberRetention).
	Retention func() time.Duration
	// TokenLife is how long a service token of the realm can be used, the refresh window
	// included.
	TokenLife func(realm string) time.Duration
	// Courier carries out the intents of profiles.
	Courier *intent.Courier
}

// quiet is the number of ticks, of a second, that a profile stays decoded after its last
// command. Devices ask in bursts: mint, link and list within seconds, then nothing for an
// hour. It also bounds how late the profile carries out an intent itself.
const quiet = 5

// Kind registers profiles with a runtime.
func Kind(c Config) actors.Kind {
	return actors.Kind{
		Name: KindName,
		New: func(id actors.Identity) actors.Entity {
			return &entity{id: id, config: &c}
		},
		Quiet: quiet,
		Sweep: func(h cluster.Head, at actors.Times) proto.Message {
			return sweep(h, c.Retention(), at)
		},
		Unfinished: intent.Unfinished(&State{}),
		Fenced:     reads,
	}
}

// reads says which commands never change anything durable: they are fenced
// first, so that the answer from memory is not stale.
func reads(command proto.Message) bool {
	switch command.(type) {
	case *Refresh, *List, *ReadCode, *Show, *See, *Logins:
		return true
	default:
		return false
	}
}

// entity is one profile's actor.
type entity struct {
	id      actors.Identity
	config  *Config
	state   *state // nil while it rests
	resting rest
}

// Load reads the profile; one that does not exist is empty.
func (e *entity) Load(store actors.Store) error {
	head, found, err := store.Head(actors.Address{Kind: KindName, Identity: e.id}.Entity())
	switch {
	case err != nil:
		return fmt.Errorf("read profile: %w", err)
	case !found:
		e.state = &state{}
		return nil
	case head.Schema != schema:
		return fmt.Errorf("%w: %d", errSchema, head.Schema)
	}
	if e.state, err = decode(head.State); err == nil {
		e.state.cut(store.Times())
	}
	return err
}

// Receive decides one command.
func (e *entity) Receive(t *actors.Turn) {
	e.wake()
	defer e.nudge(t)
	d, known := e.decide(t)
	if !known {
		t.Fail(fmt.Errorf("profile does not know %T", t.Command()))
		return
	}
	e.carryOut(t, d)
}

// decide finds the decision function for a command.
func (e *entity) decide(t *actors.Turn) (d decision, known bool) {
	s, at := e.state, t.Times()
	switch m := t.Command().(type) {
	case *Mint:
		return s.mint(m, at), true
	case *Redeem:
		return s.redeem(m, at), true
	case *Refresh:
		return s.refresh(m, at), true
	case *Link:
		return s.link(m, t.Request(), at), true
	case *ReadCode:
		return s.readCode(m, at), true
	case *Confirm:
		return s.confirm(m, at), true
	case *Unlink:
		return s.unlink(m, at), true
	case *List:
		return s.list(m, at), true
	case *Show:
		return s.show(), true
	case *See:
		return s.seeCaller(m, at), true
	case *Erase:
		return s.erase(m, e.config.TokenLife(e.id[0]), promises(t)), true
	case *intent.Forget:
		return s.vanish(at), true
	case *Expire:
		return s.expire(m, e.config.TokenLife(e.id[0]), at), true
	case *Logins:
		return s.listLogins(m, at), true
	default:
		return s.decideLogin(t)
	}
}

// decideLogin is decide for what devices and the runtime send.
func (s *state) decideLogin(t *actors.Turn) (d decision, known bool) {
	switch m := t.Command().(type) {
	case *login.Share:
		return s.share(m, t.Times()), true
	case *login.End:
		return s.endLogin(m, promises(t)), true
	case *login.Tell:
		return s.tellLogin(m), true
	case *login.EndAll:
		return s.endAll(m, promises(t)), true
	case *intent.Settle:
		return s.settle(m), true
	case *intent.Resume:
		return answer(&intent.ResumeReply{}), true
	default:
		return decision{}, false
	}
}

func promises(t *actors.Turn) *intent.Promises {
	return &intent.Promises{Request: t.Request(), Step: t.Step(), At: t.Times()}
}

// nudge hands overdue intents to the courier.
func (e *entity) nudge(t *actors.Turn) {
	if e.state != nil {
		e.config.Courier.Nudge(actors.Address{Kind: KindName, Identity: e.id}, e.state.open, t)
	}
}

// carryOut makes a decision durable if it must be, and changes memory only
// when the answer is certain to be given.
func (e *entity) carryOut(t *actors.Turn, d decision) {
	if d.next == nil {
		e.reply(t, d)
		return
	}
	commit, err := d.commit()
	if err != nil {
		t.Fail(err)
		return
	}
	t.Change(actors.Decision{
		Reply: d.reply, Commit: commit, Applied: func() { e.apply(d) }, Facts: e.facts(t.Command(), d.next, t.Now()),
	})
}

// reply gives an answer that needs no commit. A command that could have made a change
// goes through Change, which looks for its earlier answer first.
func (e *entity) reply(t *actors.Turn, d decision) {
	if (t.Fenced() || d.early) && d.soft != nil {
		d.soft(e.state)
	}
	if d.early || t.Fenced() && reads(t.Command()) {
		t.Reply(d.reply)
		return
	}
	t.Change(actors.Decision{Reply: d.reply})
}

func (d *decision) commit() (*cluster.Commit, error) {
	if d.remove {
		return &cluster.Commit{Remove: true, Forget: d.forget}, nil
	}
	encoded, err := d.next.encode()
	if err != nil {
		return nil, err
	}
	return &cluster.Commit{Schema: schema, State: encoded, Forget: d.forget}, nil
}

// apply makes what was committed the state in memory.
func (e *entity) apply(d decision) {
	d.next.stored()
	e.state = d.next
	if d.soft != nil {
		d.soft(e.state)
	}
}

// Tick writes a lastSeen that nothing else wrote: when the stored one is too old, and
// before the profile leaves memory. Unless it has open intents the state then rests until
// the next command.
func (e *entity) Tick(t *actors.Turn) (idle bool) {
	e.wake()
	e.nudge(t)
	dirty, overdue := e.state.dirty()
	if overdue || dirty && t.Retiring() {
		e.carryOut(t, decision{next: e.state.clone()})
		dirty, _ = e.state.dirty()
	}
	if len(e.state.open) > 0 {
		return false
	}
	e.rest(t.Times())
	return !dirty || !t.Retiring()
}
