package linkdirectory

import (
	"encoding/binary"
	"testing"
	"time"

	"ssod/cluster"
)

var start = time.Date(2026, 1, 2, 20, 0, 0, 0, time.UTC)

const ttl = 15 * time.Minute

// watch keeps what a directory reports.
type watch struct {
	own, failures, refused int
	expected               hits
	shut                   [MaxLength + 1]bool
	half                   int // alerts
	closings               [][]int
}

func (w *watch) guessFailed(own bool) {
	w.failures++
	if own {
		w.own++
	}
}

func (w *watch) lookupRefused() { w.refused++ }
func (w *watch) codesLive(int)  {}
func (w *watch) metered(expected, _ hits, closed []int) {
	w.expected, w.shut = expected, [MaxLength + 1]bool{}
	for _, length := range closed {
		w.shut[length] = true
	}
}
func (w *watch) halfUsed(hits, hits)                    { w.half++ }
func (w *watch) lengthsClosed(lengths []int, _, _ hits) { w.closings = append(w.closings, lengths) }

// realmDirectory plays commands to one directory, as its actor would. It keeps
// what commits wrote, so that the directory can be loaded again.
type realmDirectory struct {
	reporter
	*directory
	watch   *watch
	now     time.Time
	serial  uint64
	commits int
	stored  map[string][]byte
	head    cluster.Head
	wanted  Reserve
	budgets Resolve
}

// reporter is what a test reports to, a property too.
type reporter interface {
	Helper()
	Fatal(args ...any)
}

func newRealm(t reporter) *realmDirectory {
	w := &watch{}
	return &realmDirectory{
		reporter: t, directory: newDirectory(testKey, w), watch: w, now: start, stored: make(map[string][]byte),
		wanted:  Reserve{Owner: []byte("viewer"), Length: 6, TtlMs: ttl.Milliseconds(), MaxLive: 1000, WrongHits: int64(oneHit / 2)},
		budgets: Resolve{PerDevice: 5, PerAddress: 60, WrongHits: int64(oneHit / 2)},
	}
}

// withRoom lets look-ups that find nothing be answered without a commit.
func (r *realmDirectory) withRoom() *realmDirectory {
	r.meter.roll(r.now)
	r.meter.limit = hits(r.budgets.WrongHits)
	r.meter.asked = r.meter.step()
	r.commit()
	return r
}

func (r *realmDirectory) after(d time.Duration) *realmDirectory {
	r.now = r.now.Add(d)
	r.advance(r.now, 1<<20)
	return r
}

func (r *realmDirectory) request() (id cluster.RequestID) {
	r.serial++
	binary.BigEndian.PutUint64(id[:], r.serial)
	return id
}

// commit writes what changed.
func (r *realmDirectory) commit() {
	b := r.batch()
	for _, put := range b.commit.Puts {
		r.stored[put.Part] = put.Value
	}
	for _, part := range b.commit.Deletes {
		delete(r.stored, part)
	}
	r.head = cluster.Head{Rev: r.head.Rev + 1, Schema: b.commit.Schema, State: b.commit.State}
	r.applied(b, r.now)
	r.commits++
}

// given is a code that somebody was given.
type given struct {
	code string
	hash []byte
}

// decideOne reserves a code without a commit; its code is empty when there is
// none.
func (r *realmDirectory) decideOne() given {
	request := r.request()
	res := r.reserve(&r.wanted, call{request, StepReserve}, r.now)
	if res == nil {
		return given{}
	}
	c := classOf(int(res.reply.Length), res.reply.Alphanumeric)
	code := codeOf(testKey, request, int(res.reply.Attempt), c.length(), c.alphabet())
	return given{code, hashOf(testKey, code)}
}

func (r *realmDirectory) give() given {
	r.Helper()
	g := r.decideOne()
	if g.code == "" {
		r.Fatal("no free code")
	}
	r.commit()
	return g
}

// guess looks up a code as a device at an address.
func (r *realmDirectory) guess(code string, device, address uint64) (*ResolveReply, cluster.RequestID) {
	return r.ask(r.query(code, device, address))
}

// ask is what the actor does with a look-up.
func (r *realmDirectory) ask(q *Resolve) (*ResolveReply, cluster.RequestID) {
	request := r.request()
	for {
		switch reply, needs := r.resolve(q, request, true, r.now); needs {
		case nothing:
			return reply, request
		case room:
			r.commit()
		default:
			r.Fatal("a fenced look-up asked for a fence")
		}
	}
}

func (r *realmDirectory) query(code string, device, address uint64) *Resolve {
	m := &Resolve{
		Length: int32(len(code)), DeviceKey: device, AddressKeys: []uint64{address}, Network: address,
		PerDevice: r.budgets.PerDevice, PerAddress: r.budgets.PerAddress, WrongHits: r.budgets.WrongHits,
	}
	if wellFormedCode(code) {
		patterns := r.spacing.of(code)
		m.CodeHash, m.Patterns = hashOf(testKey, code), patterns[:len(code)]
		m.Digits, m.Alphanumeric = Digits.spells(code), Alphanumeric.spells(code)
	}
	return m
}

func (r *realmDirectory) end(hash []byte, v Verdict, request cluster.RequestID) {
	r.settle(&Settle{CodeHash: hash, Verdict: v}, request, r.now)
}

// restart loads what was committed into a new directory.
func (r *realmDirectory) restart() {
	r.Helper()
	fresh := newDirectory(testKey, r.watch)
	if err := fresh.load(reader{r.head, r.stored}, cluster.Entity{}, r.now); err != nil {
		r.Fatal(err)
	}
	r.directory = fresh
}

// reader is a store with one entity.
type reader struct {
	head    cluster.Head
	records map[string][]byte
}

func (s reader) Head(cluster.Entity) (cluster.Head, bool, error) {
	return s.head, s.head.Rev > 0, nil
}

func (s reader) Records(_ cluster.Entity, f func(part, value []byte) bool) error {
	for part, value := range s.records {
		if !f([]byte(part), value) {
			break
		}
	}
	return nil
}

func (s reader) Outcome(cluster.Entity, cluster.RequestID, uint32) ([]byte, bool, error) {
	return nil, false, nil
}

func (s reader) Entities(string, string, func(string, cluster.Head) bool) error { return nil }

func TestTheLifeOfACode(t *testing.T) {
	type life struct {
		resolves, reserved bool // at that time
	}
	tests := []struct {
		name   string
		happen func(*realmDirectory, given)
		after  time.Duration
		want   life
	}{
		{"fresh", nil, 0, life{true, true}},
		{"last instant of its life", nil, ttl - time.Millisecond, life{true, true}},
		{"just expired", nil, ttl, life{true, true}},
		{"last instant of the grace", nil, ttl + time.Minute - time.Millisecond, life{true, true}},
		{"after the grace", nil, ttl + time.Minute, life{false, true}},
		{"last instant kept from reuse", nil, 2*ttl - time.Millisecond, life{false, true}},
		{"gone", nil, 2 * ttl, life{false, false}},
		{"just used", use, 0, life{true, true}},
		{"used almost a minute ago", use, time.Minute - time.Millisecond, life{true, true}},
		{"used a minute ago", use, time.Minute, life{false, true}},
		{"used almost one lifetime ago", use, ttl - time.Millisecond, life{false, true}},
		{"used longer ago", use, ttl + time.Minute, life{false, false}},
		{"given up", giveUp, 0, life{false, true}},
		{"given up almost one lifetime ago", giveUp, ttl - time.Millisecond, life{false, true}},
		{"given up longer ago", giveUp, ttl + time.Minute, life{false, false}},
	}
	for _, tt := range tests {
		for _, restarts := range []bool{false, true} {
			name := tt.name
			if restarts {
				name += ", after a restart"
			}
			t.Run(name, func(t *testing.T) {
				r := newRealm(t)
				g := r.give()
				if tt.happen != nil {
					tt.happen(r, g)
				}
				if restarts {
					r.commit()
					r.restart()
				}
				r.after(tt.after)
				reply, _ := r.guess(g.code, 1, 1)
				_, known := r.codes[[HashSize]byte(g.hash)]
				if got := (life{reply.Failure == Failure_OK, known}); got != tt.want {
					t.Errorf("got %+v, want %+v", got, tt.want)
				}
			})
		}
	}
}

func use(r *realmDirectory, g given) {
	_, request := r.guess(g.code, 1, 1)
	r.end(g.hash, Verdict_REDEEMED, request)
}

func giveUp(r *realmDirectory, g given) {
	r.giveUp(&Retire{CodeHash: [][]byte{g.hash}}, r.request(), r.now)
}

func TestEverythingIsForgottenInTheEnd(t *testing.T) {
	r := newRealm(t)
	for i := range 50 {
		g := r.give()
		switch i % 3 {
		case 0:
			use(r, g)
		case 1:
			giveUp(r, g)
		}
		r.guess("000000", uint64(i), uint64(i))
		r.after(time.Second)
	}
	r.after(2*ttl + time.Minute)
	r.devices.advance(r.now, 1000)
	r.addresses.advance(r.now, 1000)
	r.commit()
	if len(r.codes) != 0 || r.taken.size != 0 || r.live != 0 || len(r.due) != 0 || len(r.stored) != 0 {
		t.Errorf("left: %d codes, %d patterns, %d live, %d appointments, %d records",
			len(r.codes), r.taken.size, r.live, len(r.due), len(r.stored))
	}
	if !r.empty() {
		t.Error("the directory is not empty")
	}
}
