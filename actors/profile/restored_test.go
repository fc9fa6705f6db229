package profile

import (
	"errors"
	"testing"
	"time"

	"ssod/actors"
	"ssod/actors/device"
	"ssod/actors/intent"
	"ssod/actors/login"
	"ssod/cluster"
)

func nothingErased(actors.Address) bool { return false }

func TestRestored(t *testing.T) {
	v := newViewer(t)
	phone, tv := v.joined("phone"), v.joined("tv")
	v.link(phone, "code")
	v.unlink(phone, []string{"tv"})
	gone, kept := device.ID{ServiceProvider: "sp", Client: "c", Device: []byte("gone")}, device.ID{ServiceProvider: "sp", Client: "c", Device: []byte("kept")}
	for _, d := range []device.ID{gone, kept} {
		place := intent.At(d.Address())
		v.state.logins = append(v.state.logins, &SharedLogin{Login: &login.Login{Id: d.Device, Mvpd: "cable"}, Device: place})
		v.state.open = append(v.state.open, &intent.Intent{Id: d.Device, To: place})
	}
	last := v.state.lastMembership
	encoded, err := v.state.encode()
	if err != nil {
		t.Fatal(err)
	}
	at := time.UnixMilli(last)
	r := &actors.Restore{At: at, Beyond: at.Add(24 * time.Hour), Erased: func(a actors.Address) bool { return a.Identity[2] == "gone" }}
	h, err := Restored(cluster.Head{Schema: schema, State: encoded}, r)
	if err != nil {
		t.Fatal(err)
	}
	got, err := decode(h.State)
	if err != nil {
		t.Fatal(err)
	}
	v.state = got
	if len(got.codes) != 0 || len(got.issued) != 0 {
		t.Errorf("link codes are taken over: %d, %d issued", len(got.codes), len(got.issued))
	}
	if got.alive(Did([]byte("phone")), phone.Membership) == nil || got.member(Did([]byte("tv"))) != nil {
		t.Error("who is a member is not as it was")
	}
	if len(got.logins) != 1 || string(got.logins[0].GetLogin().GetId()) != "kept" || len(got.open) != 1 || string(got.open[0].GetId()) != "kept" {
		t.Errorf("logins %v, intents %v", got.logins, got.open)
	}
	if again := v.joined("tv"); again.Membership <= r.Beyond.UnixMilli() || again.Membership == tv.Membership {
		t.Errorf("the next membership has number %d, which the old cluster can have given (%d)", again.Membership, last)
	}
	if ids, err := Devices(cluster.Head{State: encoded}); err != nil || len(ids) != 1 || ids[0] != "phone" {
		t.Errorf("devices: %q, %v", ids, err)
	}
}

func TestWhatDoesNotDecodeIsNotRestored(t *testing.T) {
	r := &actors.Restore{Erased: nothingErased}
	if _, err := Restored(cluster.Head{Schema: schema + 1}, r); !errors.Is(err, errSchema) {
		t.Errorf("a later schema: got %v", err)
	}
	if _, err := Restored(cluster.Head{Schema: schema, State: []byte{0xff}}, r); err == nil {
		t.Error("garbage is restored")
	}
}
