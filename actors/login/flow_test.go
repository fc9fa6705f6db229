package login_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
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
	"ssod/cluster"
	"ssod/cluster/faulty"
)

// stored reads the open intents of a head.
func stored(t fataler, kind string, h cluster.Head) []*intent.Intent {
	t.Helper()
	var s interface {
		proto.Message
		intent.Maker
	}
	switch kind {
	case session.KindName:
		s = &session.State{}
	case device.KindName:
		s = &device.State{}
	default:
		s = &profile.State{}
	}
	if err := proto.Unmarshal(h.State, s); err != nil {
		t.Fatal(err)
	}
	return s.GetOpen()
}

// F1: a login is found on the device that made it and under the identities that
// the app named, and by nobody else.
func TestALoginIsShared(t *testing.T) {
	w := newWorld(t, faulty.Options{})
	defer w.stop()
	phone := w.member("phone")
	s := w.login("phone", "first", under(viewer, phone), under(platform, nil))
	want := map[string]string{"phone": "first", "viewer": "first", "platform": "first"}
	w.comesTrue(want, "phone", "tv")
	w.settled(s.Address(), deviceID("phone").Address())
	if v, err := (session.Client{Asker: w.runtime}).Read(t.Context(), w.request(), s); err != nil || v.Stage != session.Stage_FINISHED || v.FinishedAt != "cable" {
		t.Errorf("the session afterwards: got %v at %q, %v", v.GetStage(), v.GetFinishedAt(), err)
	}
}

// A device that was unlinked while its viewer logged in does not share.
func TestAnUnlinkedDeviceSharesNothing(t *testing.T) {
	w := newWorld(t, faulty.Options{})
	defer w.stop()
	phone := w.member("phone")
	s := w.begin("phone", under(viewer, phone))
	_, _, err := (profile.Client{Asker: w.runtime}).Unlink(t.Context(), w.request(), viewer, &profile.Unlink{
		Caller: phone, Devices: []*profile.Candidates{{Id: [][]byte{[]byte("phone")}}}, TombstoneMs: 1000,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := (session.Client{Asker: w.runtime}).Finish(t.Context(), w.request(), s, w.made("first")); err != nil {
		t.Fatal(err)
	}
	w.comesTrue(map[string]string{"phone": "first"}, "phone")
}

// A second session of a device voids the first, wherever that one is.
func TestOneSessionPerDevice(t *testing.T) {
	w := newWorld(t, faulty.Options{})
	defer w.stop()
	sessions := session.Client{Asker: w.runtime}
	first := w.begin("phone")
	w.begin("phone")
	if err := sessions.Finish(t.Context(), w.request(), first, w.made("stale")); !errors.Is(err, session.ErrOver) {
		t.Errorf("finish of the earlier session: got %v, want %v", err, session.ErrOver)
	}
	if _, err := sessions.Read(t.Context(), w.request(), first); !errors.Is(err, session.ErrOver) {
		t.Errorf("read of the earlier session: got %v, want %v", err, session.ErrOver)
	}
	w.comesTrue(map[string]string{}, "phone")
}

// The device refuses a login of a session that it has left, although the
// session did not hear of it yet.
func TestTheDeviceDecidesWhichSessionCounts(t *testing.T) {
	w := newWorld(t, faulty.Options{})
	defer w.stop()
	first := w.begin("phone")
	second := &device.Begin{Session: intent.At(session.ID{ServiceProvider: "tv", Code: "LATER"}.Address()), UntilMs: w.now().Add(time.Hour).UnixMilli()}
	if _, err := w.runtime.Ask(t.Context(), deviceID("phone").Address(), w.request(), 1, second); err != nil {
		t.Fatal(err) // and nobody carries out what the device promised
	}
	if err := (session.Client{Asker: w.runtime}).Finish(t.Context(), w.request(), first, w.made("stale")); err != nil {
		t.Fatal(err)
	}
	w.comesTrue(map[string]string{}, "phone")
}

// crashes are commands after which the node dies before anybody carried out
// what the entity promised. What must be true afterwards is in want.
func TestPromisesSurviveACrash(t *testing.T) {
	type scene struct {
		w         *world
		phone, tv *profile.Caller
	}
	ask := func(w *world, a actors.Address, m proto.Message) {
		t.Helper()
		if _, err := w.runtime.Ask(t.Context(), a, w.request(), 0, m); err != nil {
			t.Fatal(err)
		}
	}
	both := func(s scene) {
		s.w.login("phone", "phone's", under(viewer, s.phone), under(platform, nil))
		s.w.login("tv", "tv's", under(viewer, s.tv))
	}
	tests := []struct {
		name string
		do   func(s scene)
		want map[string]string
	}{
		{"login", func(s scene) {
			id := s.w.begin("phone", under(viewer, s.phone))
			ask(s.w, id.Address(), s.w.made("first"))
		}, map[string]string{"phone": "first", "viewer": "first"}},
		{"logout", func(s scene) {
			both(s)
			ask(s.w, deviceID("tv").Address(), &device.Leave{Mvpd: "cable"})
		}, map[string]string{"phone": "phone's", "platform": "phone's", "viewer": "phone's"}},
		{"single logout", func(s scene) {
			both(s)
			ask(s.w, deviceID("tv").Address(), &device.Leave{Mvpd: "cable", Profiles: []*intent.Place{intent.At(viewer.Address())}})
		}, map[string]string{}},
		{"invalidated where it was made", func(s scene) {
			both(s)
			ask(s.w, deviceID("phone").Address(), &login.End{Mvpd: "cable", Login: []byte("phone's"), How: login.How_INVALIDATED})
		}, map[string]string{"tv": "tv's", "viewer": "tv's"}},
		{"invalidated where it was found", func(s scene) {
			both(s)
			ask(s.w, platform.Address(), &login.End{Mvpd: "cable", Login: []byte("phone's"), How: login.How_INVALIDATED})
		}, map[string]string{"tv": "tv's", "viewer": "tv's"}},
		{"erasure", func(s scene) {
			both(s)
			ask(s.w, viewer.Address(), &profile.Erase{})
		}, map[string]string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, faulty.Options{})
			tt.do(scene{w, w.member("phone"), w.member("tv")})
			w.stop()
			w.start()
			defer w.stop()
			w.pass(3 * time.Second)
			w.comesTrue(tt.want, "phone", "tv")
		})
	}
}

// What was ended stays ended when a copy of it arrives late.
func TestALateCopyIsRefused(t *testing.T) {
	w := newWorld(t, faulty.Options{})
	defer w.stop()
	phone := w.member("phone")
	s := w.begin("phone", under(viewer, phone))
	finish := w.made("first")
	if err := (session.Client{Asker: w.runtime}).Finish(t.Context(), w.request(), s, finish); err != nil {
		t.Fatal(err)
	}
	if err := (device.Client{Asker: w.runtime}).Leave(t.Context(), w.request(), deviceID("phone"), &device.Leave{Mvpd: "cable"}); err != nil {
		t.Fatal(err)
	}
	w.pass(2 * time.Minute) // the answers of the first time are forgotten
	late := []struct {
		to actors.Address
		m  proto.Message
	}{
		{deviceID("phone").Address(), &login.Keep{Login: finish.Login, Session: intent.At(s.Address()), Shared: []*login.Sharing{under(viewer, phone)}}},
		{viewer.Address(), &login.Share{Login: finish.Login, Origin: intent.At(deviceID("phone").Address()), Did: phone.Did, Membership: phone.Membership}},
	}
	for _, l := range late {
		if _, err := w.runtime.Ask(t.Context(), l.to, w.request(), 0, l.m); err != nil {
			t.Fatal(err)
		}
	}
	w.comesTrue(map[string]string{}, "phone")
}

// A device logs in three times, and what the first two logins promised to the
// profile is carried out when the third is there, and again when it has ended.
func TestACopyOfAReplacedLoginIsRefused(t *testing.T) {
	w := newWorld(t, faulty.Options{})
	defer w.stop()
	phone := w.member("phone")
	var promised []*intent.Intent
	for _, id := range []string{"first", "second"} {
		reply := sure(w, func(ctx context.Context) (proto.Message, error) {
			return w.runtime.Ask(ctx, deviceID("phone").Address(), w.request(), 0, &login.Keep{
				Login:   w.made(id).GetLogin(),
				Session: intent.At(w.begin("phone", under(viewer, phone)).Address()),
				Shared:  []*login.Sharing{under(viewer, phone)},
			})
		})
		for _, i := range reply.(*login.KeepReply).Open { // and the front end dies
			if i.GetTo().GetKind() == profile.KindName {
				promised = append(promised, i)
			}
		}
	}
	late := func(when string, want map[string]string) {
		t.Helper()
		if len(promised) != 2 {
			t.Fatalf("%d promises, want 2", len(promised))
		}
		for _, i := range promised {
			m, err := i.Command.UnmarshalNew()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.runtime.Ask(t.Context(), viewer.Address(), w.request(), 0, m); err != nil {
				t.Fatal(err)
			}
		}
		if got := w.found("phone"); !maps.Equal(got, want) {
			t.Errorf("%s: found %v, want %v", when, got, want)
		}
	}
	w.login("phone", "third", under(viewer, phone))
	late("while the third login is there", map[string]string{"phone": "third", "viewer": "third"})
	done(w, func(ctx context.Context) error {
		return profile.Client{Asker: w.runtime}.Invalidate(ctx, w.request(), viewer, &login.Login{Id: []byte("third"), Mvpd: "cable"})
	})
	late("when the third is void", map[string]string{})
	done(w, func(ctx context.Context) error {
		return device.Client{Asker: w.runtime}.Leave(ctx, w.request(), deviceID("phone"), &device.Leave{Mvpd: "cable"})
	})
	late("after the logout", map[string]string{})
}

// household plays logins under two identities, logouts and invalidations on two
// devices, and compares with what must be found.
type household struct {
	w     *world
	token map[string]*profile.Caller
	made  map[string]made     // logins
	own   map[string]string   // device: its login
	via   map[string][]string // identity: the logins that it shares, the last one is found
}

// made is where and under which identities a login was made.
type made struct {
	device string
	under  []string
	issued time.Time
}

// TestLoginsUnderFaults plays them while commits fail in every way.
func TestLoginsUnderFaults(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, faulty.Options{
			Shards: 2, Delay: time.Microsecond,
			Commits: faulty.Script(rapid.SliceOfN(rapid.SampledFrom(faulty.Faults), 0, 40).Draw(t, "commits")...),
		})
		defer w.stop()
		h := &household{w: w, token: map[string]*profile.Caller{}, made: map[string]made{}, own: map[string]string{}, via: map[string][]string{}}
		for _, name := range []string{"phone", "tv"} {
			h.token[name] = w.member(name)
		}
		t.Repeat(map[string]func(*rapid.T){
			"login":        h.login,
			"logout":       h.logout,
			"singleLogout": h.singleLogout,
			"invalidate":   h.invalidate,
			"cableEnds":    h.cableEnds,
			"overtaken":    h.overtaken,
			"":             h.check,
		})
	})
}

func drawDevice(t *rapid.T) string {
	return rapid.SampledFrom([]string{"phone", "tv"}).Draw(t, "device")
}

// login replaces the device's logins under the identities that it has now, and
// leaves those that it made under others.
func (h *household) login(t *rapid.T) {
	name := drawDevice(t)
	identities := rapid.SampledFrom([][]string{{"viewer"}, {"platform"}, {"viewer", "platform"}, nil}).Draw(t, "identities")
	id := fmt.Sprintf("login%03d", len(h.made))
	var shared []*login.Sharing
	for _, identity := range identities {
		if identity == "viewer" {
			shared = append(shared, under(viewer, h.token[name]))
		} else {
			shared = append(shared, under(platform, nil))
		}
		h.via[identity] = append(slices.DeleteFunc(h.via[identity], func(id string) bool { return h.made[id].device == name }), id)
	}
	h.made[id], h.own[name] = made{name, identities, h.w.now()}, id
	h.w.login(name, id, shared...)
}

// cableEnds ends what the MVPD issued up to a login, or up to now: wherever copies are
// left, also of logins that their device has replaced.
func (h *household) cableEnds(t *rapid.T) {
	until := h.w.now()
	if len(h.made) > 0 && rapid.Bool().Draw(t, "up to a login") {
		id := rapid.SampledFrom(slices.Sorted(maps.Keys(h.made))).Draw(t, "login")
		until = h.made[id].issued.Add(time.Second) // it was issued a moment after that
	}
	h.w.cableEnds(until)
	for id, m := range h.made {
		if m.issued.After(until) {
			continue
		}
		h.end(id)
		for identity := range h.via {
			h.via[identity] = slices.DeleteFunc(h.via[identity], func(other string) bool { return other == id })
		}
	}
}

// overtaken is a login that the MVPD has ended before it arrives.
func (h *household) overtaken(t *rapid.T) {
	name := drawDevice(t)
	s := h.w.begin(name, under(viewer, h.token[name]))
	m, request := h.w.made(fmt.Sprintf("gone%04d", h.w.serial.Load())), h.w.request()
	h.w.cableEnds(h.w.now())
	done(h.w, func(ctx context.Context) error {
		return session.Client{Asker: h.w.runtime}.Finish(ctx, request, s, m)
	})
	clear(h.own)
	clear(h.via)
}

func (h *household) leave(name string, profiles ...*intent.Place) {
	request := h.w.request()
	done(h.w, func(ctx context.Context) error {
		return device.Client{Asker: h.w.runtime}.Leave(ctx, request, deviceID(name), &device.Leave{Mvpd: "cable", Profiles: profiles})
	})
}

func (h *household) logout(t *rapid.T) {
	name := drawDevice(t)
	h.leave(name)
	h.end(h.own[name])
}

// singleLogout ends the device's login and those under the viewer's profile.
func (h *household) singleLogout(t *rapid.T) {
	name := drawDevice(t)
	h.leave(name, intent.At(viewer.Address()))
	h.end(h.own[name])
	for _, id := range slices.Clone(h.via["viewer"]) {
		h.endUnder("viewer", id)
	}
}

// invalidate voids the login that is found through the viewer's profile.
func (h *household) invalidate(*rapid.T) {
	id, found := last(h.via["viewer"])
	if !found {
		return
	}
	request := h.w.request()
	done(h.w, func(ctx context.Context) error {
		return profile.Client{Asker: h.w.runtime}.Invalidate(ctx, request, viewer, &login.Login{Id: []byte(id), Mvpd: "cable"})
	})
	h.endUnder("viewer", id)
}

// end is what the end of a device's login does: its copies go with it.
func (h *household) end(id string) {
	if from := h.made[id]; h.own[from.device] == id {
		delete(h.own, from.device)
		for _, identity := range from.under {
			h.endUnder(identity, id)
		}
	}
}

// endUnder is what the end of a copy does: the device that made the login ends
// it, if it has it still.
func (h *household) endUnder(identity, id string) {
	h.via[identity] = slices.DeleteFunc(h.via[identity], func(other string) bool { return other == id })
	h.end(id)
}

func (h *household) check(*rapid.T) {
	want := map[string]string{}
	for name, id := range h.own {
		want[name] = id
	}
	for identity, ids := range h.via {
		if id, found := last(ids); found {
			want[identity] = id
		}
	}
	h.w.pass(3 * time.Second) // what the front end could not do is overdue
	h.w.comesTrue(want, "phone", "tv")
}

func last(ids []string) (id string, found bool) {
	if len(ids) == 0 {
		return "", false
	}
	return ids[len(ids)-1], true
}
