package linkdirectory

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"ssod/actors"
	"ssod/cluster"
)

// How many codes and windows expire in one turn at most, so that it stays short.
const (
	expirePerCommand = 64
	expirePerTick    = 1 << 14
)

// Config is what directories need.
type Config struct {
	// Keys has each realm's key.
	Keys Keys
	// Metrics receives the collectors; nil: none are registered.
	Metrics prometheus.Registerer
	// Attacks sums up attacks; nil: nobody is told.
	Attacks *Attacks
	// Log receives the alerts when codes are guessed; nil: slog.Default.
	Log *slog.Logger
}

// Kind registers link directories with a runtime.
func Kind(c Config) actors.Kind {
	i := newInstruments(c)
	return actors.Kind{
		Name:  KindName,
		Brief: true, AtOnce: maxBatch,
		New: func(id actors.Identity) actors.Entity {
			realm := id[0]
			return &entity{
				realm: realm, keys: c.Keys, waiting: make(map[call][]*actors.Turn),
				directory: newDirectory(c.Keys.LinkCodeKey(realm), i.of(realm)),
			}
		},
	}
}

// entity is one realm's actor. It never waits for a commit: while one is in
// flight it decides what the next will carry, and resolves codes meanwhile.
type entity struct {
	realm     string
	keys      Keys
	directory *directory
	waiting   map[call][]*actors.Turn // for the commit of their reservation
	lookups   []*actors.Turn          // that need room in the meter
	writing   bool
}

// Load reads the directory.
func (e *entity) Load(store actors.Store) error {
	if err := e.directory.load(store, Address(e.realm).Entity(), store.Times().Now); err != nil {
		return err
	}
	e.directory.observe.codesLive(e.directory.live)
	return nil
}

// Receive handles one command.
func (e *entity) Receive(t *actors.Turn) {
	d, now := e.directory, t.Now()
	d.rekey(e.keys.LinkCodeKey(e.realm))
	d.advance(now, expirePerCommand)
	switch m := t.Command().(type) {
	case *Reserve:
		e.reserve(t, m)
	case *Resolve:
		e.resolve(t, m)
	case *Settle:
		d.settle(m, t.Request(), now)
		t.Reply(&Done{})
	case *Retire:
		d.giveUp(m, t.Request(), now)
		t.Reply(&Done{})
	case *Charge:
		if err := d.blame(m, t.Request(), now); err != nil {
			t.Fail(err)
			return
		}
		t.Reply(&Done{})
	default:
		t.Fail(fmt.Errorf("link directory does not know %T", m))
	}
}

// resolve answers a look-up or lets it wait for what it needs.
func (e *entity) resolve(t *actors.Turn, m *Resolve) {
	switch reply, needs := e.directory.resolve(m, t.Request(), t.Fenced(), t.Now()); needs {
	case barrier:
		t.Fence()
	case room:
		e.lookups = append(e.lookups, t)
		t.Defer()
		e.write(t)
	default:
		t.Reply(reply)
	}
}

// reserve decides a reservation and lets the turn wait for its commit.
func (e *entity) reserve(t *actors.Turn, m *Reserve) {
	by := call{t.Request(), t.Step()}
	if _, known := e.waiting[by]; !known {
		if reply, done := e.directory.repeated(by); done {
			t.Reply(reply)
			return
		}
		if e.directory.reserve(m, by, t.Now()) == nil {
			t.Reply(&ReserveReply{Failure: Failure_FULL})
			return
		}
	}
	e.waiting[by] = append(e.waiting[by], t)
	t.Defer()
	e.write(t)
}

// write begins a commit with everything that changed, unless one is in flight.
func (e *entity) write(t *actors.Turn) {
	if e.writing {
		return
	}
	b := e.directory.batch()
	e.writing = true
	t.Begin(b.commit, func(t *actors.Turn, err error) { e.written(t, b, err) })
}

// written answers the reservations of a batch and begins the next. A refused commit loses
// only the batch's reservations. After any other error the directory is loaded afresh,
// and the runtime delivers again what waits here.
func (e *entity) written(t *actors.Turn, b *batch, err error) {
	e.writing = false
	switch {
	case err == nil:
		e.directory.applied(b, t.Now())
		e.answer(b, func(turn *actors.Turn, r *reservation) { turn.Reply(r.reply) })
		e.lookAgain()
	case errors.Is(err, cluster.ErrRefused):
		e.directory.refused(b)
		e.answer(b, func(turn *actors.Turn, _ *reservation) { turn.Fail(err) })
		for _, turn := range e.take() {
			turn.Fail(err)
		}
	default:
		return
	}
	e.directory.observe.codesLive(e.directory.live)
	e.directory.report(t.Now())
	if len(e.directory.reserved) > 0 || len(e.lookups) > 0 {
		e.write(t)
	}
}

// lookAgain goes on with look-ups that waited for room.
func (e *entity) lookAgain() {
	for _, turn := range e.take() {
		e.resolve(turn, turn.Command().(*Resolve))
	}
}

// take returns the look-ups that wait.
func (e *entity) take() []*actors.Turn {
	waiting := e.lookups
	e.lookups = nil
	return waiting
}

// answer ends the turns that wait for the reservations of a batch.
func (e *entity) answer(b *batch, end func(*actors.Turn, *reservation)) {
	for _, r := range b.reservations {
		for _, turn := range e.waiting[r.call] {
			end(turn, r)
		}
		delete(e.waiting, r.call)
	}
}

// Tick expires codes and windows and writes what no reservation carried. The directory
// stays in memory while it has codes or guessers.
func (e *entity) Tick(t *actors.Turn) (idle bool) {
	d, now := e.directory, t.Now()
	d.advance(now, expirePerTick)
	d.devices.advance(now, expirePerTick)
	d.addresses.advance(now, expirePerTick)
	d.guesses.forget(now.UnixMilli())
	d.answered.forget(now.UnixMilli())
	d.observe.codesLive(d.live)
	d.report(now)
	if d.empty() {
		d.meter.giveBack()
	}
	if d.pending() {
		e.write(t)
	}
	return !e.writing && d.empty()
}
