package profile

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ssod/actors"
	"ssod/actors/intent"
)

func TestUnlinkMatchesSpellings(t *testing.T) {
	tests := []struct {
		name      string
		spellings [][]string
		removed   []int32
		left      []string
	}{
		{"one", [][]string{{"tv"}}, []int32{0}, []string{"phone", "tablet"}},
		{"unknown ones are left out", [][]string{{"x"}, {"tv"}, {"y"}}, []int32{1}, []string{"phone", "tablet"}},
		{"all unknown", [][]string{{"x"}, {}}, nil, []string{"phone", "tv", "tablet"}},
		{"twice the same", [][]string{{"tv"}, {"tv"}}, []int32{0}, []string{"phone", "tablet"}},
		{"two spellings of one device", [][]string{{"x", "tv"}, {"tv"}}, []int32{0}, []string{"phone", "tablet"}},
		{"the first candidate that is a member", [][]string{{"x", "tv", "tablet"}}, []int32{0}, []string{"phone", "tablet"}},
		{"a duplicate does not fall to its next candidate", [][]string{{"tv"}, {"tv", "tablet"}}, []int32{0}, []string{"phone", "tablet"}},
		{"request order", [][]string{{"tablet"}, {"tv"}}, []int32{0, 1}, []string{"phone"}},
		{"oneself", [][]string{{"phone"}}, []int32{0}, []string{"tv", "tablet"}},
		{"everybody", [][]string{{"phone"}, {"tv"}, {"tablet"}}, []int32{0, 1, 2}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := newViewer(t)
			phone := v.joined("phone")
			v.joined("tv")
			v.joined("tablet")
			v.commits = 0
			got := v.unlink(phone, tt.spellings...)
			if diff := cmp.Diff(tt.removed, got.Removed); diff != "" {
				t.Errorf("removed: %s", diff)
			}
			if diff := cmp.Diff(tt.left, names(v.list(external("phone")).Members)); diff != "" {
				t.Errorf("left: %s", diff)
			}
			if wrote := v.commits > 0; wrote != (len(tt.removed) > 0) {
				t.Errorf("wrote %v with %d removed", wrote, len(tt.removed))
			}
		})
	}
}

func TestUnlinkEndsTokensAndCancelsCodes(t *testing.T) {
	v := newViewer(t)
	phone, tv := v.joined("phone"), v.joined("tv")
	v.link(phone, "of phone")
	v.link(tv, "of tv")
	got := v.unlink(phone, []string{"tv"})
	if diff := cmp.Diff([]string{"of tv"}, hashes(got.Freed)); diff != "" {
		t.Errorf("freed: %s", diff)
	}
	if got := v.refresh(tv); got != Failure_NOT_MEMBER {
		t.Errorf("refresh of the unlinked device: got %v", got)
	}
	if got := v.redeem("tablet", "of tv").Failure; got != Failure_CODE_UNUSABLE {
		t.Errorf("redeem a code of the unlinked device: got %v", got)
	}
	if got := v.redeem("tablet", "of phone").Failure; got != Failure_OK {
		t.Errorf("redeem a code of another device: got %v", got)
	}
}

func TestUnlinkOfTheCreatorKeepsTheRepeat(t *testing.T) {
	v := newViewer(t)
	phone := v.joined("phone")
	v.link(phone, "code")
	first := v.redeem("tv", "code")
	v.unlink(phone, []string{"phone"})
	if again := v.redeem("tv", "code"); again.Failure != Failure_OK || again.Membership != first.Membership {
		t.Errorf("repeat: got %v, want membership %d", again, first.Membership)
	}
}

func TestLastMemberLeavesATombstone(t *testing.T) {
	v := newViewer(t)
	phone := v.joined("phone")
	v.link(phone, "code")
	v.unlink(phone, []string{"phone"})
	if got, want := v.state.keepUntil, v.now.Add(tombstone).UnixMilli(); got != want {
		t.Errorf("kept until: got %d, want %d", got, want)
	}
	if v.state.lastMembership != phone.Membership {
		t.Errorf("last membership: got %d, want %d", v.state.lastMembership, phone.Membership)
	}
	if got := v.redeem("tv", "code").Failure; got != Failure_CODE_UNUSABLE {
		t.Errorf("redeem into an empty profile: got %v", got)
	}
	v.joined("phone")
	if v.state.keepUntil != 0 {
		t.Error("a profile founded again is still a tombstone")
	}
}

func TestErase(t *testing.T) {
	v := newViewer(t)
	if got := do[*EraseReply](v, v.state.erase(&Erase{}, time.Millisecond, v.promises())); got.Members != 0 || v.commits != 0 {
		t.Errorf("erase of nobody: got %v and %d commits", got, v.commits)
	}
	phone := v.joined("phone")
	v.joined("tv")
	v.link(phone, "code")
	got := do[*EraseReply](v, v.state.erase(&Erase{}, tombstone, v.promises()))
	if got.Members != 2 {
		t.Errorf("members: got %d, want 2", got.Members)
	}
	if diff := cmp.Diff([]string{"code"}, hashes(got.Freed)); diff != "" {
		t.Errorf("freed: %s", diff)
	}
	if shown := do[*ShowReply](v, v.state.show()); shown.Exists {
		t.Errorf("still shown: %v", shown)
	}
	if got := v.refresh(phone); got != Failure_NOT_MEMBER {
		t.Errorf("old token: got %v", got)
	}
	again := v.after(-time.Hour).joined("phone")
	if again.Membership <= phone.Membership {
		t.Errorf("membership: got %d, want more than %d", again.Membership, phone.Membership)
	}
}

// A profile whose members were erased is forgotten altogether, unless it is in use
// again; a member that is erased leaves the others.
func TestErasedProfilesVanish(t *testing.T) {
	v := newViewer(t)
	vanish := func() bool {
		return !do[*intent.ForgetReply](v, v.state.vanish(actors.Times{Now: v.now, Confirmed: v.now})).Busy
	}
	phone := v.joined("phone")
	v.joined("tv")
	if vanish() {
		t.Error("a profile in use was forgotten")
	}
	if got := do[*EraseReply](v, v.state.erase(&Erase{Device: []byte("tv")}, tombstone, v.promises())); got.Members != 1 {
		t.Errorf("erase of a member: %v", got)
	}
	if got := do[*EraseReply](v, v.state.erase(&Erase{Device: []byte("nobody's")}, tombstone, v.promises())); got.Members != 0 {
		t.Errorf("erase of a stranger: %v", got)
	}
	if got := v.refresh(phone); got != Failure_OK {
		t.Errorf("the member that is left: %v", got)
	}
	do[*EraseReply](v, v.state.erase(&Erase{}, tombstone, v.promises()))
	if vanish() {
		t.Error("forgotten in the millisecond of its last membership: another one would have the same number")
	}
	v.after(time.Second)
	if !vanish() || !v.removed || !v.state.empty() {
		t.Errorf("not forgotten: %+v", v.state)
	}
	commits := v.commits
	if !vanish() || v.commits != commits {
		t.Error("what is not there was forgotten with a commit")
	}
	if again := v.joined("phone"); again.Membership <= phone.Membership {
		t.Errorf("membership: got %d, want more than %d", again.Membership, phone.Membership)
	}
}
