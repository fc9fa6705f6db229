package profile

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ssod/actors"
)

func TestFirstMemberIsRegularAndLaterOnesAreSSO(t *testing.T) {
	v := newViewer(t)
	phone := v.joined("phone")
	v.joined("tv")
	var types []MemberType
	for _, m := range v.list(phone).Members {
		types = append(types, m.Type)
	}
	if diff := cmp.Diff([]MemberType{MemberType_REGULAR, MemberType_SSO}, types); diff != "" {
		t.Error(diff)
	}
}

func TestMembershipNumber(t *testing.T) {
	tests := []struct {
		name string
		last int64
		want int64
	}{
		{"new profile: the clock", 0, start.UnixMilli()},
		{"clock ahead of the last number", start.UnixMilli() - 1, start.UnixMilli()},
		{"same millisecond", start.UnixMilli(), start.UnixMilli() + 1},
		{"clock that stepped back", start.UnixMilli() + 5000, start.UnixMilli() + 5001},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := newViewer(t)
			v.state.lastMembership = tt.last
			if got := v.mint("phone").Membership; got != tt.want {
				t.Errorf("membership: got %d, want %d", got, tt.want)
			}
		})
	}
}

func TestMintAgain(t *testing.T) {
	told, other := EncodeAttributes(&Attributes{Model: "A"}), EncodeAttributes(&Attributes{Model: "B"})
	tests := []struct {
		name   string
		after  time.Duration
		says   []byte
		writes int
	}{
		{"at once, saying the same", 0, told, 0},
		{"saying nothing", time.Minute, nil, 0},
		{"saying something else", time.Minute, other, 1},
		{"an hour later", time.Hour, told, 0},
		{"more than an hour later", time.Hour + time.Millisecond, told, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := newViewer(t)
			mint := func(attributes []byte) *MintReply {
				return do[*MintReply](v, v.state.mint(&Mint{Device: &Device{Id: []byte("phone"), Attributes: attributes}, MaxDevices: maxDevices}, actors.Times{Now: v.now, Confirmed: v.now}))
			}
			first := mint(told)
			v.after(tt.after).commits = 0
			again := mint(tt.says)
			if again.Membership != first.Membership {
				t.Errorf("membership: got %d, want %d as before", again.Membership, first.Membership)
			}
			if v.commits != tt.writes {
				t.Errorf("commits: got %d, want %d", v.commits, tt.writes)
			}
			m := v.list(token("phone", first.Membership)).Members[0]
			if m.LastSeenMs != v.now.UnixMilli() {
				t.Errorf("lastSeen: got %d, want now, %d", m.LastSeenMs, v.now.UnixMilli())
			}
			if want := cmpOr(tt.says, told); string(m.Attributes) != string(want) {
				t.Errorf("attributes: got %q, want %q", m.Attributes, want)
			}
		})
	}
}

func cmpOr(a, b []byte) []byte {
	if len(a) > 0 {
		return a
	}
	return b
}

func TestWhatARequestGivesAway(t *testing.T) {
	said, guessed, guess2 := EncodeAttributes(&Attributes{Model: "said"}), EncodeAttributes(&Attributes{Os: "guessed"}), EncodeAttributes(&Attributes{Os: "guessed later"})
	type touch struct {
		attributes []byte
		implied    bool
	}
	tests := []struct {
		name    string
		touches []touch
		want    []byte
		writes  int
	}{
		{"does not replace what was said", []touch{{said, false}, {guessed, true}}, said, 1},
		{"is better than nothing", []touch{{nil, true}, {guessed, true}}, guessed, 2},
		{"replaces an older guess", []touch{{guessed, true}, {guess2, true}}, guess2, 2},
		{"gives way to what is said", []touch{{guessed, true}, {said, false}, {guess2, true}}, said, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := newViewer(t)
			writes := 0
			for _, touch := range tt.touches {
				d := v.state.mint(&Mint{Device: &Device{Id: []byte("tv"), Attributes: touch.attributes, Implied: touch.implied}, MaxDevices: 5}, actors.Times{Now: v.now, Confirmed: v.now})
				if d.next != nil {
					writes++
					v.state = reload(t, d.next)
				}
			}
			if got := v.state.members[0].attributes; got != string(tt.want) || writes != tt.writes {
				t.Errorf("got %q after %d writes, want %q after %d", got, writes, tt.want, tt.writes)
			}
		})
	}
}

func TestMemberLimit(t *testing.T) {
	tests := []struct {
		name  string
		after time.Duration // since the members joined
		want  Failure
	}{
		{"full", 0, Failure_TOO_MANY_DEVICES},
		{"full of members unseen for almost 180 days", 180*24*time.Hour - time.Millisecond, Failure_TOO_MANY_DEVICES},
		{"a member was unseen for 180 days", 180 * 24 * time.Hour, Failure_OK},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := newViewer(t)
			var callers []*Caller
			for i := range maxDevices {
				callers = append(callers, v.joined(fmt.Sprint("device ", i)))
			}
			v.after(tt.after)
			for _, c := range callers[1:] {
				v.refresh(c) // all but the first are seen today
			}
			if got := v.mint("new").Failure; got != tt.want {
				t.Fatalf("mint: got %v, want %v", got, tt.want)
			}
			wantFirst := tt.want != Failure_OK
			if got := v.refresh(callers[0]) == Failure_OK; got != wantFirst {
				t.Errorf("least recent member still there: got %v, want %v", got, wantFirst)
			}
			if got := v.refresh(callers[1]); got != Failure_OK {
				t.Errorf("refresh of another member: %v", got)
			}
		})
	}
}

func TestAKnownDeviceMintsAtTheLimit(t *testing.T) {
	v := newViewer(t)
	for i := range maxDevices {
		v.joined(fmt.Sprint("device ", i))
	}
	if got := v.mint("device 0").Failure; got != Failure_OK {
		t.Errorf("mint: %v", got)
	}
}

func TestFoundedAgainNeverRevivesOldTokens(t *testing.T) {
	v := newViewer(t)
	old := v.joined("phone")
	v.unlink(old, []string{"phone"})
	v.now = v.now.Add(-time.Hour) // a clock that stepped back
	again := v.joined("phone")
	if again.Membership <= old.Membership {
		t.Errorf("membership: got %d, want more than %d", again.Membership, old.Membership)
	}
	if got := v.refresh(old); got != Failure_NOT_MEMBER {
		t.Errorf("refresh with the old token: got %v, want %v", got, Failure_NOT_MEMBER)
	}
	if got := v.list(again).Members[0].Type; got != MemberType_REGULAR {
		t.Errorf("type of who founded the profile again: got %v, want regular", got)
	}
}

func TestSoftDecisionsChangeNothingByThemselves(t *testing.T) {
	v := newViewer(t)
	phone := v.joined("phone")
	before := v.state.message()
	v.after(time.Minute)
	v.state.refresh(&Refresh{Caller: phone}, actors.Times{Now: v.now, Confirmed: v.now})
	v.state.mint(&Mint{Device: &Device{Id: []byte("tv")}, MaxDevices: maxDevices}, actors.Times{Now: v.now, Confirmed: v.now})
	v.state.redeem(&Redeem{Device: &Device{Id: []byte("tv")}}, actors.Times{Now: v.now, Confirmed: v.now})
	v.state.unlink(&Unlink{Caller: phone, Devices: []*Candidates{{Id: [][]byte{[]byte("phone")}}}}, actors.Times{Now: v.now, Confirmed: v.now})
	v.state.erase(&Erase{}, tombstone, v.promises())
	if diff := cmp.Diff(before.String(), v.state.message().String()); diff != "" {
		t.Errorf("a decision changed the state: %s", diff)
	}
}
