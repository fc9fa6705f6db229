package profile

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRedeem(t *testing.T) {
	tests := []struct {
		name  string
		code  string
		after time.Duration
		want  Failure
	}{
		{"right code", "code", time.Minute, Failure_OK},
		{"unknown code", "other", time.Minute, Failure_CODE_UNUSABLE},
		{"last instant", "code", ttl - time.Millisecond, Failure_OK},
		{"expired", "code", ttl, Failure_CODE_UNUSABLE},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := newViewer(t)
			phone := v.joined("phone")
			v.link(phone, "code")
			got := v.after(tt.after).redeem("tv", tt.code)
			if got.Failure != tt.want {
				t.Fatalf("redeem: got %v, want %v", got.Failure, tt.want)
			}
			if tt.want != Failure_OK {
				return
			}
			if f := v.refresh(token("tv", got.Membership)); f != Failure_OK {
				t.Errorf("refresh of the device that joined: %v", f)
			}
			if kind := v.list(phone).Members[1].Type; kind != MemberType_SSO {
				t.Errorf("type of the device that joined: got %v, want sso", kind)
			}
		})
	}
}

func TestRedeemAgain(t *testing.T) {
	tests := []struct {
		name   string
		device string
		after  time.Duration
		unlink bool
		want   Failure
	}{
		{"same device at once", "tv", 0, false, Failure_OK},
		{"same device at the last instant", "tv", time.Minute - time.Millisecond, false, Failure_OK},
		{"same device too late", "tv", time.Minute, false, Failure_CODE_UNUSABLE},
		{"same device after it was unlinked", "tv", time.Second, true, Failure_CODE_RACE_LOST},
		{"another device at once", "tablet", 0, false, Failure_CODE_RACE_LOST},
		{"another device later", "tablet", time.Minute, false, Failure_CODE_UNUSABLE},
		{"the device that created the code", "phone", 0, false, Failure_CODE_RACE_LOST},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := newViewer(t)
			phone := v.joined("phone")
			v.link(phone, "code")
			first := v.redeem("tv", "code")
			if tt.unlink {
				v.unlink(phone, []string{"tv"})
			}
			v.after(tt.after).commits = 0
			again := v.redeem(tt.device, "code")
			if again.Failure != tt.want {
				t.Fatalf("redeem again: got %v, want %v", again.Failure, tt.want)
			}
			if tt.want == Failure_OK && again.Membership != first.Membership {
				t.Errorf("membership: got %d, want %d as before", again.Membership, first.Membership)
			}
			if v.commits != 0 {
				t.Errorf("commits: got %d, want none", v.commits)
			}
		})
	}
}

func TestRepeatDoesNotOutliveTheMembership(t *testing.T) {
	v := newViewer(t)
	phone := v.joined("phone")
	v.link(phone, "code")
	v.redeem("tv", "code")
	v.unlink(phone, []string{"tv"})
	v.joined("tv") // joined again by X-SSO-ID: another membership
	if got := v.redeem("tv", "code").Failure; got != Failure_CODE_RACE_LOST {
		t.Errorf("redeem: got %v, want %v", got, Failure_CODE_RACE_LOST)
	}
}

func TestTheCreatorMayRedeemItsOwnCode(t *testing.T) {
	v := newViewer(t)
	phone := v.joined("phone")
	v.link(phone, "code")
	got := v.redeem("phone", "code")
	if got.Failure != Failure_OK || got.Membership != phone.Membership {
		t.Fatalf("redeem: got %v, want the membership %d", got, phone.Membership)
	}
	if got := v.redeem("tv", "code").Failure; got != Failure_CODE_RACE_LOST {
		t.Errorf("second redemption: got %v, want %v", got, Failure_CODE_RACE_LOST)
	}
}

func TestAFullProfileDoesNotConsumeTheCode(t *testing.T) {
	v := newViewer(t)
	phone := v.joined("phone")
	for i := range maxDevices - 1 {
		v.joined(fmt.Sprint("device ", i))
	}
	v.link(phone, "code")
	if got := v.redeem("tv", "code").Failure; got != Failure_TOO_MANY_DEVICES {
		t.Fatalf("redeem: got %v, want %v", got, Failure_TOO_MANY_DEVICES)
	}
	v.unlink(phone, []string{"device 0"})
	if got := v.redeem("tv", "code").Failure; got != Failure_OK {
		t.Errorf("redeem with room: %v", got)
	}
}

func TestANewCodeReplacesTheDevicesOlderOne(t *testing.T) {
	v := newViewer(t)
	phone := v.joined("phone")
	v.link(phone, "first")
	got := v.link(phone, "second")
	if diff := cmp.Diff([]string{"first"}, hashes(got.Freed)); diff != "" {
		t.Errorf("freed: %s", diff)
	}
	if got := v.redeem("tv", "first").Failure; got != Failure_CODE_UNUSABLE {
		t.Errorf("redeem the replaced code: got %v", got)
	}
	if got := v.redeem("tv", "second").Failure; got != Failure_OK {
		t.Errorf("redeem the new code: got %v", got)
	}
}

func TestOneCodeTooManyCancelsTheOldest(t *testing.T) {
	v := newViewer(t)
	var freed []string
	for i := range 4 { // one more than maxPerProfile
		freed = hashes(v.after(time.Second).link(v.joined(fmt.Sprint("device ", i)), fmt.Sprint("code ", i)).Freed)
	}
	if diff := cmp.Diff([]string{"code 0"}, freed); diff != "" {
		t.Errorf("freed: %s", diff)
	}
	if got := v.redeem("tv", "code 1").Failure; got != Failure_OK {
		t.Errorf("redeem of the next oldest: %v", got)
	}
}

func TestUsedCodesDoNotCountAsOutstanding(t *testing.T) {
	v := newViewer(t)
	for i := range 4 {
		c := v.joined("device")
		if freed := v.link(c, fmt.Sprint("code ", i)).Freed; len(freed) != 0 {
			t.Fatalf("code %d freed %q", i, freed)
		}
		if got := v.redeem("device", fmt.Sprint("code ", i)).Failure; got != Failure_OK {
			t.Fatal(got)
		}
	}
}

func TestMaxIssued(t *testing.T) {
	v := newViewer(t)
	phone := v.joined("phone")
	for i := range 10 {
		if got := v.after(time.Second).link(phone, fmt.Sprint("code ", i)).Failure; got != Failure_OK {
			t.Fatalf("code %d: %v", i, got)
		}
	}
	got := v.link(phone, "one too many")
	if want := (ttl - 9*time.Second).Milliseconds(); got.Failure != Failure_TOO_MANY_CODES || got.RetryAfterMs != want {
		t.Fatalf("11th code: got %v, want %v and %d ms", got, Failure_TOO_MANY_CODES, want)
	}
	v.after(time.Duration(got.RetryAfterMs) * time.Millisecond)
	if got := v.link(phone, "in time").Failure; got != Failure_OK {
		t.Errorf("after waiting as told: %v", got)
	}
}

func TestCodesBeingReservedCountAsIssued(t *testing.T) {
	v := newViewer(t)
	phone := v.joined("phone")
	may := func() *LinkReply { return v.mayLink(phone, 3, v.next()) }
	for i := range 3 {
		if got := may().Failure; got != Failure_OK {
			t.Fatalf("request %d: %v", i, got)
		}
	}
	if got := may(); got.Failure != Failure_TOO_MANY_CODES || got.RetryAfterMs <= 0 {
		t.Errorf("request beside them: got %v, want %v", got, Failure_TOO_MANY_CODES)
	}
	v.after(requestLife) // none of them came back
	if got := may().Failure; got != Failure_OK {
		t.Errorf("when they are over: %v", got)
	}
}

func TestAReservedCodeIsJudgedAgain(t *testing.T) {
	v := newViewer(t)
	phone, tv := v.joined("phone"), v.joined("tv")
	request := v.next()
	if got := v.mayLink(tv, 10, request); got.Failure != Failure_OK || got.Code != nil {
		t.Fatal(got)
	}
	v.unlink(phone, []string{"tv"})
	v.commits = 0
	got := v.add(tv, "code", request)
	if diff := cmp.Diff([]string{"code"}, hashes(got.Freed)); got.Failure != Failure_NOT_MEMBER || diff != "" {
		t.Errorf("add: got %v, want %v; freed: %s", got.Failure, Failure_NOT_MEMBER, diff)
	}
	if v.commits != 1 {
		t.Errorf("commits of the refusal: got %d, want 1, for the code is given up then", v.commits)
	}
}

// TestARefusalLeavesNothingOfAnErasedProfile: what is refused then is no reason to
// store anything.
func TestARefusalLeavesNothingOfAnErasedProfile(t *testing.T) {
	v := newViewer(t)
	if got := v.add(token("phone", 1), "code", v.next()); got.Failure != Failure_NOT_MEMBER || got.Freed != nil || v.commits != 0 {
		t.Errorf("add: got %v, %d commits; want %v and nothing stored or freed", got, v.commits, Failure_NOT_MEMBER)
	}
}

func TestExternalIdentity(t *testing.T) {
	v := newViewer(t)
	if got := v.list(external("phone")); got.Failure != Failure_OK || len(got.Members) != 0 {
		t.Errorf("list: got %v, want no members", got)
	}
	if got := v.unlink(external("phone"), []string{"phone"}); got.Failure != Failure_OK || len(got.Removed) != 0 {
		t.Errorf("unlink: got %v, want nothing removed", got)
	}
	if v.commits != 0 {
		t.Fatalf("list and unlink founded the profile")
	}
	if got := v.link(external("phone"), "first").Failure; got != Failure_OK {
		t.Fatal(got)
	}
	if got := v.link(external("tablet"), "second").Failure; got != Failure_OK {
		t.Fatal(got)
	}
	if got := v.redeem("tv", "first").Failure; got != Failure_OK {
		t.Fatal(got)
	}
	var got []string
	for _, m := range v.list(external("phone")).Members {
		got = append(got, fmt.Sprint(string(m.Device), " ", m.Type))
	}
	if diff := cmp.Diff([]string{"phone REGULAR", "tablet SSO", "tv SSO"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestExternalIdentityAtTheMemberLimit(t *testing.T) {
	v := newViewer(t)
	for i := range maxDevices {
		v.joined(fmt.Sprint("device ", i))
	}
	if got := v.link(external("new"), "code").Failure; got != Failure_TOO_MANY_DEVICES {
		t.Errorf("link of a new device: got %v, want %v", got, Failure_TOO_MANY_DEVICES)
	}
	if got := v.link(external("device 0"), "code").Failure; got != Failure_OK {
		t.Errorf("link of a member: %v", got)
	}
}

func hashes(freed [][]byte) (hashes []string) {
	for _, h := range freed {
		hashes = append(hashes, string(h))
	}
	return hashes
}
