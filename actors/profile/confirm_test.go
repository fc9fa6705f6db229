package profile

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"ssod/actors"
	"ssod/cluster"
)

// pending is a profile whose phone shows a code that the console in another
// network has come with.
func pending(t *testing.T) (v *viewer, phone *Caller) {
	t.Helper()
	v = newViewer(t)
	phone = v.joined("phone")
	v.link(phone, "code")
	if got := v.arrive("console", "code"); got.Failure != Failure_PENDING_CODE || !got.Asked {
		t.Fatalf("from another network: got %v, want a question", got)
	}
	return v, phone
}

// TestAnotherNetwork: what the configuration says about devices of other
// networks, and that it says nothing about those of the code's own.
func TestAnotherNetwork(t *testing.T) {
	tests := []struct {
		name  string
		other bool
		want  map[OtherNetwork]Failure
	}{
		{"own network", false, map[OtherNetwork]Failure{OtherNetwork_ALLOW: Failure_OK, OtherNetwork_CONFIRM: Failure_OK, OtherNetwork_DENY: Failure_OK}},
		{"another network", true, map[OtherNetwork]Failure{
			OtherNetwork_ALLOW: Failure_OK, OtherNetwork_CONFIRM: Failure_PENDING_CODE, OtherNetwork_DENY: Failure_CODE_UNUSABLE,
			OtherNetwork(99): Failure_CODE_UNUSABLE, // of a later version
		}},
	}
	for _, tt := range tests {
		for policy, want := range tt.want {
			t.Run(fmt.Sprint(tt.name, " ", policy), func(t *testing.T) {
				v := newViewer(t)
				v.link(v.joined("phone"), "code")
				got := do[*RedeemReply](v, v.state.redeem(&Redeem{
					Device: &Device{Id: []byte("tv")}, CodeHash: []byte("code"), MaxDevices: maxDevices, OtherNetwork: tt.other, Policy: policy,
				}, actors.Times{Now: v.now, Confirmed: v.now}))
				if got.Failure != want {
					t.Errorf("got %v, want %v", got.Failure, want)
				}
			})
		}
	}
}

// TestThePendingDevice: what happens to those who come with a code that is
// pending for the console.
func TestThePendingDevice(t *testing.T) {
	tests := []struct {
		name    string
		confirm bool
		again   func(*viewer) *RedeemReply
		want    Failure
		commits int
	}{
		{"it asks again", false, func(v *viewer) *RedeemReply { return v.arrive("console", "code") }, Failure_PENDING_CODE, 0},
		{"another one of another network", false, func(v *viewer) *RedeemReply { return v.arrive("tablet", "code") }, Failure_CODE_UNUSABLE, 0},
		{"another one of the own network", false, func(v *viewer) *RedeemReply { return v.redeem("tablet", "code") }, Failure_OK, 1},
		{"it comes from the own network", false, func(v *viewer) *RedeemReply { return v.redeem("console", "code") }, Failure_OK, 1},
		{"others are allowed meanwhile", false, func(v *viewer) *RedeemReply { return v.redeemAs("console", "code", OtherNetwork_ALLOW) }, Failure_OK, 1},
		{"others are denied meanwhile", true, func(v *viewer) *RedeemReply { return v.redeemAs("console", "code", OtherNetwork_DENY) }, Failure_CODE_UNUSABLE, 0},
		{"it is confirmed", true, func(v *viewer) *RedeemReply { return v.arrive("console", "code") }, Failure_OK, 1},
		{"another one when it is confirmed", true, func(v *viewer) *RedeemReply { return v.arrive("tablet", "code") }, Failure_CODE_UNUSABLE, 0},
		{"the own network when it is confirmed", true, func(v *viewer) *RedeemReply { return v.redeem("tablet", "code") }, Failure_OK, 1},
		{"it is confirmed at the last instant", true, func(v *viewer) *RedeemReply {
			return v.after(ttl-time.Millisecond).arrive("console", "code")
		}, Failure_OK, 1},
		{"it is confirmed and too late", true, func(v *viewer) *RedeemReply { return v.after(ttl).arrive("console", "code") }, Failure_CODE_UNUSABLE, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, phone := pending(t)
			if tt.confirm {
				if r := v.confirm(phone, "code", true); r.Status != CodeStatus_PENDING || !r.Decided {
					t.Fatalf("confirm: %v", r)
				}
			}
			v.commits = 0
			got := tt.again(v)
			if got.Failure != tt.want || got.Asked || v.commits != tt.commits {
				t.Errorf("got %v, asked %v, %d commits; want %v, asked once before, %d commits", got.Failure, got.Asked, v.commits, tt.want, tt.commits)
			}
			if joined := v.state.member(Did([]byte("console"))) != nil || v.state.member(Did([]byte("tablet"))) != nil; joined != (tt.want == Failure_OK) {
				t.Errorf("somebody joined: %v", joined)
			}
		})
	}
}

// TestTheConfirmedDeviceRepeats: its answer may be lost like any other.
func TestTheConfirmedDeviceRepeats(t *testing.T) {
	v, phone := pending(t)
	v.confirm(phone, "code", true)
	first := v.arrive("console", "code")
	if again := v.after(time.Second).arrive("console", "code"); again.Failure != Failure_OK || again.Membership != first.Membership {
		t.Errorf("again: got %v, want the membership %d", again, first.Membership)
	}
}

// TestNothingIsConfirmedBeforehand: the word is about a device that waits.
func TestNothingIsConfirmedBeforehand(t *testing.T) {
	v := newViewer(t)
	phone := v.joined("phone")
	v.link(phone, "code")
	v.commits = 0
	if r := v.confirm(phone, "code", true); r.Status != CodeStatus_OPEN || r.Decided || v.commits != 0 {
		t.Errorf("confirm nobody: got %v and %d commits, want nothing changed", r, v.commits)
	}
	if got := v.arrive("console", "code"); got.Failure != Failure_PENDING_CODE || !got.Asked {
		t.Errorf("the device that comes: got %v, want a question", got)
	}
}

// TestTheOriginRefuses: the code ends for everybody, and only the guesser pays.
func TestTheOriginRefuses(t *testing.T) {
	for _, confirmed := range []bool{false, true} {
		t.Run(fmt.Sprint("confirmed before ", confirmed), func(t *testing.T) {
			v, phone := pending(t)
			if confirmed {
				v.confirm(phone, "code", true)
			}
			got := v.confirm(phone, "code", false)
			want := &CodeReply{
				Status: CodeStatus_EXPIRED, NotAfterMs: start.Add(ttl).UnixMilli(),
				Decided: true, Freed: [][]byte{[]byte("code")}, Guess: []byte("guess of console"),
			}
			if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
				t.Fatal(diff)
			}
			for _, again := range []*RedeemReply{v.arrive("console", "code"), v.redeem("tablet", "code")} {
				if again.Failure != Failure_CODE_UNUSABLE {
					t.Errorf("redeem: got %v, want %v", again.Failure, Failure_CODE_UNUSABLE)
				}
			}
			v.commits = 0
			for _, join := range []bool{false, true} {
				if r := v.confirm(phone, "code", join); r.Status != CodeStatus_EXPIRED || r.Decided || len(r.Guess)+len(r.Freed)+v.commits > 0 {
					t.Errorf("the word after that: got %v and %d commits", r, v.commits)
				}
			}
		})
	}
}

// TestTheOriginEndsACode that nobody came with: nobody is charged.
func TestTheOriginEndsACode(t *testing.T) {
	v := newViewer(t)
	phone := v.joined("phone")
	v.link(phone, "code")
	got := v.confirm(phone, "code", false)
	if got.Status != CodeStatus_EXPIRED || got.Decided || len(got.Guess) > 0 || len(got.Freed) != 1 {
		t.Errorf("got %v, want the code freed and nobody charged", got)
	}
	if got := v.redeem("tv", "code").Failure; got != Failure_CODE_UNUSABLE {
		t.Errorf("redeem: got %v", got)
	}
}

// TestWhoeverJoinedStays: the word comes too late; there is unlink.
func TestWhoeverJoinedStays(t *testing.T) {
	v := newViewer(t)
	phone := v.joined("phone")
	v.link(phone, "code")
	v.redeem("tv", "code")
	v.commits = 0
	if r := v.confirm(phone, "code", false); r.Status != CodeStatus_REDEEMED || r.Decided || v.commits != 0 {
		t.Errorf("got %v and %d commits, want REDEEMED and nothing changed", r, v.commits)
	}
}

// TestWhatTheOriginIsTold in each state of a code, until nothing is known of it.
func TestWhatTheOriginIsTold(t *testing.T) {
	tests := []struct {
		name   string
		play   func(v *viewer, phone *Caller)
		status CodeStatus
		device string // its attributes
		other  bool
		ended  time.Duration // after the code was made; it is known for one lifetime more
	}{
		{"nobody came", func(*viewer, *Caller) {}, CodeStatus_OPEN, "", false, ttl},
		{"expired", func(v *viewer, _ *Caller) { v.after(ttl) }, CodeStatus_EXPIRED, "", false, ttl},
		{"pending", func(v *viewer, _ *Caller) { v.arrive("console", "code") }, CodeStatus_PENDING, "about console", true, ttl},
		{"confirmed", func(v *viewer, phone *Caller) {
			v.arrive("console", "code")
			v.confirm(phone, "code", true)
		}, CodeStatus_PENDING, "about console", true, ttl},
		{"pending when it expired", func(v *viewer, _ *Caller) {
			v.arrive("console", "code")
			v.after(ttl)
		}, CodeStatus_EXPIRED, "", false, ttl},
		{"joined from another network", func(v *viewer, _ *Caller) { v.redeemAs("console", "code", OtherNetwork_ALLOW) }, CodeStatus_REDEEMED, "about console", true, 0},
		{"joined from the own network", func(v *viewer, _ *Caller) {
			v.arrive("console", "code")
			v.after(time.Minute).redeem("tv", "code")
		}, CodeStatus_REDEEMED, "", false, time.Minute},
		{"joined and left", func(v *viewer, phone *Caller) {
			v.redeemAs("console", "code", OtherNetwork_ALLOW)
			v.unlink(phone, []string{"console"})
		}, CodeStatus_REDEEMED, "none", true, 0},
		{"replaced", func(v *viewer, phone *Caller) { v.after(time.Minute).link(phone, "newer") }, CodeStatus_EXPIRED, "", false, time.Minute},
		{"refused", func(v *viewer, phone *Caller) {
			v.arrive("console", "code")
			v.after(time.Minute).confirm(phone, "code", false)
		}, CodeStatus_EXPIRED, "", false, time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := newViewer(t)
			phone := v.joined("phone")
			v.link(phone, "code")
			tt.play(v, phone)
			v.commits = 0
			got := v.read(phone, "code")
			has := tt.status == CodeStatus_PENDING || tt.status == CodeStatus_REDEEMED && tt.device != "none"
			if got.Status != tt.status || got.OtherNetwork != tt.other || (got.Device != nil) != has || got.NotAfterMs != start.Add(ttl).UnixMilli() {
				t.Fatalf("got %v, want %v, other %v, device %v", got, tt.status, tt.other, has)
			}
			if has && string(got.Device.Attributes) != tt.device || got.Device.GetType() == MemberType_REGULAR || len(got.Device.GetDevice()) > 0 {
				t.Errorf("device: %v", got.Device)
			}
			end := start.Add(tt.ended + ttl)
			v.now = end.Add(-time.Millisecond)
			if got := v.read(phone, "code").Failure; got != Failure_OK {
				t.Errorf("a lifetime later: %v", got)
			}
			v.now = end
			if got := v.read(phone, "code").Failure; got != Failure_CODE_UNUSABLE {
				t.Errorf("after that: got %v, want %v", got, Failure_CODE_UNUSABLE)
			}
			if v.commits != 0 {
				t.Errorf("%d commits to read", v.commits)
			}
		})
	}
}

// TestOthersAreToldNothing: for all but the device that created a code it is one
// that never was.
func TestOthersAreToldNothing(t *testing.T) {
	v, phone := pending(t)
	tv := v.joined("tv")
	for _, tt := range []struct {
		name   string
		caller *Caller
		hash   string
		want   Failure
	}{
		{"another member", tv, "code", Failure_CODE_UNUSABLE},
		{"the device that waits, as if it had joined", external("console"), "code", Failure_CODE_UNUSABLE},
		{"a stranger", token("console", 7), "code", Failure_NOT_MEMBER},
		{"no such code", phone, "other", Failure_CODE_UNUSABLE},
		{"no code", phone, "", Failure_CODE_UNUSABLE},
		{"an old membership", token("phone", phone.Membership-1), "code", Failure_NOT_MEMBER},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v.commits = 0
			if got := v.read(tt.caller, tt.hash); got.Failure != tt.want || got.Status != 0 {
				t.Errorf("read: got %v, want %v", got, tt.want)
			}
			for _, join := range []bool{false, true} {
				if got := v.confirm(tt.caller, tt.hash, join); got.Failure != tt.want || v.commits != 0 {
					t.Errorf("confirm %v: got %v and %d commits, want %v", join, got, v.commits, tt.want)
				}
			}
		})
	}
	if got := v.read(phone, "code").Status; got != CodeStatus_PENDING {
		t.Errorf("the origin is told %v", got)
	}
}

// TestAnotherMembershipIsNotTheOrigin: a device that left and joined again did
// not make what it made before, not even the codes that others may repeat.
func TestAnotherMembershipIsNotTheOrigin(t *testing.T) {
	v := newViewer(t)
	tv, phone := v.joined("tv"), v.joined("phone")
	v.link(phone, "used")
	v.redeem("tablet", "used")
	v.link(phone, "open")
	v.unlink(tv, []string{"phone"})
	phone = v.joined("phone")
	for _, hash := range []string{"used", "open"} {
		if got := v.read(phone, hash).Failure; got != Failure_CODE_UNUSABLE {
			t.Errorf("%s: got %v, want %v", hash, got, Failure_CODE_UNUSABLE)
		}
	}
	if got := v.redeem("tablet", "used").Failure; got != Failure_OK {
		t.Errorf("the device that joined repeats: %v", got)
	}
}

// TestAnExternalIdentityIsTheOrigin of what its device made.
func TestAnExternalIdentityIsTheOrigin(t *testing.T) {
	v := newViewer(t)
	v.link(external("phone"), "code")
	v.arrive("console", "code")
	if got := v.read(external("tv"), "code").Failure; got != Failure_CODE_UNUSABLE {
		t.Errorf("another device reads: %v", got)
	}
	if got := v.confirm(external("phone"), "code", true); got.Failure != Failure_OK || !got.Decided {
		t.Errorf("confirm: %v", got)
	}
	if got := v.arrive("console", "code").Failure; got != Failure_OK {
		t.Errorf("the confirmed device: %v", got)
	}
}

// TestNobodyWaitsForAPlaceThatIsNotThere: a full profile says so before anybody
// is asked.
func TestNobodyWaitsForAPlaceThatIsNotThere(t *testing.T) {
	v := newViewer(t)
	phone := v.joined("phone")
	for i := range maxDevices - 1 {
		v.joined(fmt.Sprint("device ", i))
	}
	v.link(phone, "code")
	if got := v.arrive("console", "code").Failure; got != Failure_TOO_MANY_DEVICES {
		t.Errorf("got %v, want %v", got, Failure_TOO_MANY_DEVICES)
	}
	if got := v.read(phone, "code").Status; got != CodeStatus_OPEN {
		t.Errorf("the code is %v", got)
	}
}

// TestStrangersAreForgotten: the sweep drops what a device said about itself that
// came with a code and never joined.
func TestStrangersAreForgotten(t *testing.T) {
	v, _ := pending(t)
	m := &Expire{RetentionMs: (400 * 24 * time.Hour).Milliseconds()}
	v.after(2*ttl - time.Millisecond)
	if d := v.state.expire(m, tombstone, actors.Times{Now: v.now, Confirmed: v.now}); d.next != nil {
		t.Error("forgotten too early")
	}
	do[*ExpireReply](v, v.after(time.Millisecond).state.expire(m, tombstone, actors.Times{Now: v.now, Confirmed: v.now}))
	if n := len(v.state.codes); n != 0 {
		t.Errorf("%d codes are left", n)
	}
}

// TestHistoryIsBounded whatever maxIssued allows; repeats are still answered.
func TestHistoryIsBounded(t *testing.T) {
	v := newViewer(t)
	phone := v.joined("phone")
	add := func(hash string) { v.addOf(phone, hash, 1000, v.next()) }
	for i := range 100 {
		add(fmt.Sprint("code ", i))
	}
	if n := len(v.state.codes); n != history+1 {
		t.Errorf("%d codes are kept, want %d and the live one", n, history)
	}
	if got := v.read(phone, "code 98").Status; got != CodeStatus_EXPIRED {
		t.Errorf("the last but one: %v", got)
	}
	v.redeem("tv", "code 99")
	for i := range 100 {
		add(fmt.Sprint("later ", i))
	}
	if got := v.redeem("tv", "code 99").Failure; got != Failure_OK {
		t.Errorf("repeat of the device that joined: %v", got)
	}
}

// TestAnErasedDeviceDoesNotWait: what it said about itself goes, too, and its code is
// there for others.
func TestAnErasedDeviceDoesNotWait(t *testing.T) {
	v, phone := pending(t)
	stored := func() cluster.Head {
		encoded, err := v.state.encode()
		if err != nil {
			t.Fatal(err)
		}
		return cluster.Head{Schema: schema, State: encoded}
	}
	if !HasDevice(stored(), []byte("console")) || HasDevice(stored(), []byte("tablet")) {
		t.Error("want the profile found by the device that waits, and not by another one")
	}
	erase := &Erase{Device: []byte("console")}
	if got := do[*EraseReply](v, v.state.erase(erase, tombstone, v.promises())); got.Members != 0 || len(got.Freed) != 0 {
		t.Errorf("got %v, want no member and no code", got)
	}
	if head := stored(); HasDevice(head, []byte("console")) || bytes.Contains(head.State, []byte("about console")) {
		t.Error("the device is still there")
	}
	if got := v.read(phone, "code").Status; got != CodeStatus_OPEN {
		t.Errorf("the code is %v", got)
	}
	if got := v.redeem("tablet", "code").Failure; got != Failure_OK {
		t.Errorf("another device: %v", got)
	}
}

// TestAGuestOfTheFutureIsCut like everything else when time was set back.
func TestAGuestOfTheFutureIsCut(t *testing.T) {
	v, _ := pending(t)
	at := actors.Times{Now: v.now.Add(-actors.Skew / 2), Confirmed: v.now.Add(-actors.Skew / 2)}
	if !v.state.cut(at) || v.state.cut(at) {
		t.Error("cut once and no more")
	}
	if got := v.state.codes[0].guest.seen; got != at.Now.UnixMilli() {
		t.Errorf("the guest was seen at %v", time.UnixMilli(got))
	}
}
