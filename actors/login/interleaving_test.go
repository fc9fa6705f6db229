package login_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"ssod/actors"
	"ssod/actors/device"
	"ssod/actors/intent"
	"ssod/actors/login"
	"ssod/actors/profile"
	"ssod/actors/session"
	"ssod/actors/upstream"
	"ssod/cluster"
	"ssod/cluster/faulty"
)

// post is intents on their way: they arrive in any order, and again after the target has
// forgotten what it answered.
type post struct {
	w         *world
	token     map[string]*profile.Caller
	waiting   []*intent.Intent
	delivered []*intent.Intent
	repeats   int
	current   map[string]string // device: its last login
	issued    map[string]time.Time
	ended     map[string]bool
}

// TestWhatEndedNeverComesBack plays logins, logouts and ends by the MVPD, and delivers what
// they promise in every order: a login that ended is nowhere in the end, neither on its
// device nor under a profile, and one that did not is on its device.
func TestWhatEndedNeverComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, faulty.Options{})
		defer w.stop()
		w.courier.Close() // nobody else delivers
		p := &post{w: w, current: map[string]string{}, issued: map[string]time.Time{}, ended: map[string]bool{}, token: map[string]*profile.Caller{}}
		for _, name := range []string{"phone", "tv"} {
			p.token[name] = w.member(name)
		}
		t.Repeat(map[string]func(*rapid.T){
			"login":     p.login,
			"logout":    p.logout,
			"cableEnds": p.cableEnds,
			"deliver":   p.deliver,
			"repeat":    p.repeat,
			"unlink":    p.unlink,
			"forget":    p.forget,
		})
		for len(p.waiting) > 0 {
			p.deliver(t)
		}
		p.check(t)
	})
}

// ask is answered at once; what the answer promises is on its way.
func (p *post) ask(t *rapid.T, to actors.Address, request cluster.RequestID, m proto.Message) {
	reply, err := p.w.runtime.Ask(t.Context(), to, request, 0, m)
	if err != nil {
		t.Fatal(err)
	}
	if made, ok := reply.(intent.Maker); ok {
		p.waiting = append(p.waiting, made.GetOpen()...)
	}
}

func (p *post) login(t *rapid.T) {
	name := drawDevice(t)
	var shared []*login.Sharing
	for _, identity := range rapid.SampledFrom([][]string{{"viewer"}, {"platform"}, {"viewer", "platform"}, nil}).Draw(t, "identities") {
		if identity == "viewer" {
			shared = append(shared, under(viewer, p.token[name]))
		} else {
			shared = append(shared, under(platform, nil))
		}
	}
	id := fmt.Sprintf("login%03d", len(p.issued))
	p.w.pass(time.Second)
	in := intent.At(session.ID{ServiceProvider: "tv", Code: id}.Address())
	p.ask(t, deviceID(name).Address(), p.w.request(), &device.Begin{Session: in, UntilMs: p.w.now().Add(time.Hour).UnixMilli()})
	l := p.w.made(id).GetLogin()
	if rapid.Bool().Draw(t, "names its session") {
		l.Source.Session = upstream.Digest(name)
	}
	p.issued[id], p.current[name] = p.w.now(), id
	p.ask(t, deviceID(name).Address(), p.w.request(), &login.Keep{Login: l, Session: in, Shared: shared})
}

func (p *post) logout(t *rapid.T) {
	name := drawDevice(t)
	p.ask(t, deviceID(name).Address(), p.w.request(), &device.Leave{Mvpd: "cable"})
	p.ended[p.current[name]] = true
	delete(p.current, name)
}

// cableEnds ends all logins up to now or up to some login.
func (p *post) cableEnds(t *rapid.T) {
	p.w.pass(time.Second)
	until := p.w.now()
	if ids := p.ids(); len(ids) > 0 && rapid.Bool().Draw(t, "up to a login") {
		until = p.issued[rapid.SampledFrom(ids).Draw(t, "login")]
	}
	of := upstream.ID{Realm: "acme", MVPD: "cable", By: upstream.Subject, Digest: upstream.Digest(atCable)}
	p.ask(t, of.Address(), p.w.request(), &upstream.End{IssuedMs: until.UnixMilli(), HeardMs: p.w.now().UnixMilli()})
	for id, issued := range p.issued {
		if !issued.After(until) {
			p.ended[id] = true
		}
	}
	for name, id := range p.current {
		if p.ended[id] {
			delete(p.current, name)
		}
	}
}

func (p *post) ids() (ids []string) {
	for n := range len(p.issued) {
		ids = append(ids, fmt.Sprintf("login%03d", n))
	}
	return ids
}

// deliver carries out some intent.
func (p *post) deliver(t *rapid.T) {
	if len(p.waiting) == 0 {
		return
	}
	n := rapid.IntRange(0, len(p.waiting)-1).Draw(t, "intent")
	i := p.waiting[n]
	p.waiting = slices.Delete(p.waiting, n, n+1)
	p.delivered = append(p.delivered, i)
	p.carryOut(t, i)
}

// repeat carries out one again. An End is remembered for ten minutes, and so long may
// intents be on their way at most.
func (p *post) repeat(t *rapid.T) {
	if len(p.delivered) == 0 || p.repeats == 3 {
		return
	}
	p.repeats++
	p.w.pass(2 * time.Minute)
	p.carryOut(t, rapid.SampledFrom(p.delivered).Draw(t, "again"))
}

func (p *post) carryOut(t *rapid.T, i *intent.Intent) {
	m, err := i.GetCommand().UnmarshalNew()
	if err != nil {
		t.Fatal(err)
	}
	p.ask(t, i.GetTo().Address(), cluster.RequestID(i.GetId()), m)
}

// unlink takes a device out of the viewer's profile; its logins do not reach that any more.
func (p *post) unlink(t *rapid.T) {
	name := drawDevice(t)
	_, _, err := (profile.Client{Asker: p.w.runtime}).Unlink(t.Context(), p.w.request(), viewer, &profile.Unlink{
		Caller: p.token[name], Devices: []*profile.Candidates{{Id: [][]byte{[]byte(name)}}}, TombstoneMs: 1000,
	})
	if err != nil {
		return // it was before
	}
}

// forget ends a copy under an identity: the device that made the login hears of it. A login
// that was replaced there before may live on under the other identity.
func (p *post) forget(t *rapid.T) {
	at := rapid.SampledFrom([]profile.ID{viewer, platform}).Draw(t, "identity")
	for _, l := range p.w.kept(at.Address()) {
		p.ask(t, at.Address(), p.w.request(), &login.End{Mvpd: "cable", Login: l.GetId()})
		for name, id := range p.current {
			if id == string(l.GetId()) {
				delete(p.current, name)
			}
		}
	}
}

func (p *post) check(t *rapid.T) {
	p.w.pass(time.Second)
	on := map[string][]string{}
	for name, a := range map[string]actors.Address{
		"phone": deviceID("phone").Address(), "tv": deviceID("tv").Address(), "viewer": viewer.Address(), "platform": platform.Address(),
	} {
		for _, l := range p.w.kept(a) {
			if l.Standing(p.w.now()) == login.Good {
				on[name] = append(on[name], string(l.GetId()))
			}
		}
	}
	for name, ids := range on {
		for _, id := range ids {
			if p.ended[id] {
				t.Errorf("%s has ended and is good on %s", id, name)
			}
		}
	}
	for name, id := range p.current {
		if !slices.Contains(on[name], id) {
			t.Errorf("%s did not end and %s has only %v", id, name, on[name])
		}
	}
}

// kept are the logins that an entity has stored.
func (w *world) kept(a actors.Address) (logins []*login.Login) {
	w.Helper()
	shard, ok := w.shards.Lead(a.Shard(w.shards.Slots()))
	if !ok {
		w.Fatal("nobody leads")
	}
	h, found, err := shard.Head(a.Entity())
	if err != nil {
		w.Fatal(err)
	}
	if !found {
		return nil
	}
	if a.Kind == device.KindName {
		s := &device.State{}
		if err := proto.Unmarshal(h.State, s); err != nil {
			w.Fatal(err)
		}
		for _, r := range s.GetLogins() {
			logins = append(logins, r.GetLogin())
		}
		return logins
	}
	s := &profile.State{}
	if err := proto.Unmarshal(h.State, s); err != nil {
		w.Fatal(err)
	}
	for _, l := range s.GetLogins() {
		logins = append(logins, l.GetLogin())
	}
	return logins
}
