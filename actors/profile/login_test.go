package profile

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"ssod/actors"
	"ssod/actors/device"
	"ssod/actors/intent"
	"ssod/actors/login"
	"ssod/cluster"
)

const day = 24 * time.Hour

func deviceAt(name string) *intent.Place {
	return intent.At(device.ID{ServiceProvider: "tv", Client: "client", Device: []byte(name)}.Address())
}

// share gives the profile a login that a device made, with the token it had.
func (v *viewer) share(device, id, mvpd string, c *Caller) *login.ShareReply {
	v.Helper()
	return do[*login.ShareReply](v, v.state.share(&login.Share{
		Login:  &login.Login{Id: []byte(id), Mvpd: mvpd, NotBeforeMs: v.now.UnixMilli(), NotAfterMs: v.now.Add(day).UnixMilli(), Account: []byte("secret")},
		Origin: deviceAt(device), Did: c.GetDid(), Membership: c.GetMembership(),
	}, actors.Times{Now: v.now, Confirmed: v.now}))
}

// finds are the good logins that a caller finds, by MVPD.
func (v *viewer) finds(c *Caller) map[string]string {
	v.Helper()
	found := map[string]string{}
	for _, l := range do[*LoginsReply](v, v.state.listLogins(&Logins{Caller: c}, actors.Times{Now: v.now, Confirmed: v.now})).Logins {
		if l.Standing(v.now) == login.Good {
			found[l.Mvpd] = string(l.Id)
		}
	}
	return found
}

func (v *viewer) end(id, mvpd string, how login.How) *login.EndReply {
	v.Helper()
	return do[*login.EndReply](v, v.state.endLogin(&login.End{Mvpd: mvpd, Login: []byte(id), How: how}, v.promises()))
}

// told are the devices that intents are for.
func told(open []*intent.Intent) (names []string) {
	for _, i := range open {
		names = append(names, string(i.To.Identity[2]))
	}
	slices.Sort(names)
	return names
}

func expect(t *testing.T, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestTheLastGoodLoginIsFound(t *testing.T) {
	v := newViewer(t)
	phone, tv := v.joined("phone"), v.joined("tv")
	v.share("phone", "a", "cable", phone)
	v.share("tv", "b", "cable", tv)
	v.share("tv", "c", "sat", tv)
	expect(t, "found", v.finds(phone), "map[cable:b sat:c]")
	v.end("b", "cable", login.How_INVALIDATED)
	expect(t, "when the last is void", v.finds(tv), "map[cable:a sat:c]")
	v.share("phone", "d", "cable", phone)
	expect(t, "when the device logs in again", v.finds(tv), "map[cable:d sat:c]")
	expect(t, "kept", len(v.state.logins), 3)
	if got := do[*LoginsReply](v, v.state.listLogins(&Logins{Caller: token("tablet", 7)}, actors.Times{Now: v.now, Confirmed: v.now})); got.Failure != Failure_NOT_MEMBER || len(got.Logins) > 0 {
		t.Errorf("a stranger: got %v", got.Failure)
	}
}

// A copy may come again long after it was carried out, from a node that stood
// still.
func TestWhatWasReplacedStaysAway(t *testing.T) {
	v := newViewer(t)
	phone := v.joined("phone")
	v.share("phone", "a", "cable", phone)
	v.share("phone", "b", "cable", phone)
	v.share("phone", "a", "cable", phone)
	expect(t, "found", v.finds(phone), "map[cable:b]")
	v.end("b", "cable", login.How_REMOVED)
	v.share("phone", "a", "cable", phone)
	expect(t, "found after the logout", v.finds(phone), "map[]")
	v.share("phone", "c", "sat", phone)
	v.share("phone", "d", "cable", phone)
	v.share("phone", "c", "sat", phone)
	expect(t, "found at two MVPDs", v.finds(phone), "map[cable:d sat:c]")
}

// A login that has just expired is answered, so that a client learns why.
func TestAnExpiredLoginIsTold(t *testing.T) {
	v := newViewer(t)
	phone := v.joined("phone")
	v.share("phone", "a", "cable", phone)
	v.after(day)
	logins := do[*LoginsReply](v, v.state.listLogins(&Logins{Caller: phone}, actors.Times{Now: v.now, Confirmed: v.now})).Logins
	expect(t, "answered", len(logins), 1)
	expect(t, "standing", logins[0].Standing(v.now), login.Expired)
}

func TestASingleLogoutIsCarriedOutOnce(t *testing.T) {
	v := newViewer(t)
	phone, tv := v.joined("phone"), v.joined("tv")
	v.share("phone", "a", "cable", phone)
	v.share("tv", "b", "cable", tv)
	v.share("tv", "c", "sat", tv)
	p := v.promises()
	m := &login.EndAll{Mvpd: "cable", Login: []byte("b")} // the tv is leaving
	expect(t, "told", told(do[*login.EndAllReply](v, v.state.endAll(m, p)).Open), "[phone]")
	expect(t, "found", v.finds(tv), "map[sat:c]")
	v.share("phone", "d", "cable", phone)
	p = &intent.Promises{Request: p.Request, At: actors.Times{Now: v.now, Confirmed: v.now}}
	expect(t, "the same request later", told(do[*login.EndAllReply](v, v.state.endAll(m, p)).Open), "[]")
	expect(t, "found then", v.finds(tv), "map[cable:d sat:c]")
	expect(t, "a late copy", v.share("tv", "b", "cable", tv).Refused, false)
	expect(t, "found still", v.finds(tv), "map[cable:d sat:c]")
}

func TestLoginsOfAProfileAreBounded(t *testing.T) {
	v := newViewer(t)
	for i := range login.MaxLogins + 3 {
		v.share("device", fmt.Sprint(i), fmt.Sprint("mvpd ", i), nil)
	}
	expect(t, "logins", len(v.state.logins), login.MaxLogins)
	expect(t, "the first ones", v.state.shared([]byte("2")) == nil, true)
}

// A profile of a platform has logins and no members; it goes with the last of
// them, and wakes for what it promised.
func TestAProfileWithoutMembersGoesWithItsLogins(t *testing.T) {
	v := newViewer(t)
	look := func() string {
		encoded, err := v.state.encode()
		if err != nil {
			t.Fatal(err)
		}
		if m := sweep(cluster.Head{Rev: 1, Schema: schema, State: encoded}, 400*day, actors.Times{Now: v.now, Confirmed: v.now}); m != nil {
			return string(m.ProtoReflect().Descriptor().Name())
		}
		return ""
	}
	expire := func() {
		do[*ExpireReply](v, v.state.expire(&Expire{RetentionMs: (400 * day).Milliseconds()}, tombstone, actors.Times{Now: v.now, Confirmed: v.now}))
	}
	v.share("roku", "a", "cable", nil)
	expect(t, "sweep of a good login", look(), "")
	v.end("a", "cable", login.How_REMOVED)
	v.after(3 * time.Second)
	expect(t, "sweep of an open intent", look(), "Resume")
	do[*intent.SettleReply](v, v.state.settle(&intent.Settle{Id: [][]byte{v.state.open[0].Id}}))
	expect(t, "sweep when settled", look(), "")
	v.after(day)
	expect(t, "sweep a day later", look(), "Expire")
	expire()
	expect(t, "what is left", len(v.state.ended)+len(v.state.logins), 0)
	expect(t, "sweep of what is left", look(), "Expire")
	expire()
	expect(t, "removed", v.removed, true)
}

// Erasing a viewer ends what was logged in under the profile, on every device,
// and showing one tells nothing that the MVPD said.
func TestEraseAndShowOfLogins(t *testing.T) {
	v := newViewer(t)
	phone, tv := v.joined("phone"), v.joined("tv")
	v.share("phone", "a", "cable", phone)
	v.share("tv", "b", "sat", tv)
	for _, l := range do[*ShowReply](v, v.state.show()).State.Logins {
		if l.Device != nil || len(l.Login.Account)+len(l.Login.Id) > 0 || l.Login.Mvpd == "" {
			t.Errorf("shown: %v", l)
		}
	}
	got := do[*EraseReply](v, v.state.erase(&Erase{}, tombstone, v.promises()))
	expect(t, "told", told(got.Open), "[phone tv]")
	expect(t, "found", v.finds(external("phone")), "map[]")
}

// types are those of the members, by device.
func (v *viewer) types() map[string]MemberType {
	v.Helper()
	types := map[string]MemberType{}
	for _, m := range do[*ShowReply](v, v.state.show()).State.Members {
		types[string(m.Device)] = m.Type
	}
	return types
}

// A member that made a login under the profile is regular from then on.
func TestWhoLogsInIsRegular(t *testing.T) {
	v := newViewer(t)
	phone, tv := v.joined("phone"), v.joined("tv")
	v.joined("tablet")
	expect(t, "before", v.types(), "map[phone:REGULAR tablet:SSO tv:SSO]")
	v.share("tv", "a", "cable", tv)
	expect(t, "after the tv's login", v.types(), "map[phone:REGULAR tablet:SSO tv:REGULAR]")
	v.end("a", "cable", login.How_REMOVED)
	v.mint("tv")
	expect(t, "after its logout", v.types(), "map[phone:REGULAR tablet:SSO tv:REGULAR]")

	// One that logged in, was unlinked and comes again has logged in still.
	v.share("phone", "b", "cable", phone)
	v.unlink(phone, []string{"phone"}, []string{"tablet"})
	v.joined("phone")
	v.joined("tablet")
	expect(t, "who came again", v.types(), "map[phone:REGULAR tablet:SSO tv:REGULAR]")
	tablet := v.joined("tablet")
	if got := v.share("phone", "c", "cable", phone); !got.Refused {
		t.Error("a login of the membership that ended is taken")
	}
	v.share("tablet", "d", "cable", tablet)
	expect(t, "who logs in later", v.types(), "map[phone:REGULAR tablet:REGULAR tv:REGULAR]")
}

// The token of an external identity names no device: the login does.
func TestWhoLogsInWithAnExternalIdentityIsRegular(t *testing.T) {
	v := newViewer(t)
	v.share("tv", "a", "cable", external("tv"))
	v.link(external("phone"), "of phone")
	v.link(external("tv"), "of tv") // joins, and has logged in
	v.redeem("tablet", "of phone")
	expect(t, "members", v.types(), "map[phone:REGULAR tablet:SSO tv:REGULAR]")
	v.share("tablet", "b", "cable", external("tablet"))
	expect(t, "after another login", v.types(), "map[phone:REGULAR tablet:REGULAR tv:REGULAR]")
}

// Whoever founds a profile again need not be one of those who shared logins.
func TestTheLastMemberTakesTheLoginsAlong(t *testing.T) {
	v := newViewer(t)
	phone := v.joined("phone")
	v.share("phone", "a", "cable", phone)
	v.unlink(phone, []string{"phone"})
	stranger := v.joined("stranger")
	expect(t, "found", v.finds(stranger), "map[]")
	v.share("phone", "a", "cable", external("phone")) // comes again
	expect(t, "found when it comes again", v.finds(stranger), "map[]")
}

// TestARefusedLoginReplacesAllTheSame: the copy of a login that its device has replaced is
// refused, although the profile refused the one that replaced it.
func TestARefusedLoginReplacesAllTheSame(t *testing.T) {
	for name, refuse := range map[string]func(v *viewer, m *login.Share){
		"it has ended":            func(v *viewer, _ *login.Share) { v.end("second", "cable", login.How_REMOVED) },
		"its device was unlinked": func(_ *viewer, m *login.Share) { m.Did, m.Membership = []byte("no member"), 7 },
	} {
		v := newViewer(t)
		at := actors.Times{Now: v.now, Confirmed: v.now}
		second := &login.Share{
			Login:  &login.Login{Id: []byte("second"), Mvpd: "cable", NotAfterMs: v.now.Add(day).UnixMilli()},
			Origin: deviceAt("phone"), Replaced: [][]byte{[]byte("first")},
		}
		refuse(v, second)
		do[*login.ShareReply](v, v.state.share(second, at))
		v.share("phone", "first", "cable", &Caller{})
		expect(t, name, v.finds(&Caller{}), map[string]string{})
	}
}
