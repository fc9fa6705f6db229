package profile

import (
	"testing"
	"time"
)

func TestReadsWriteNothingAndKeepLastSeenExact(t *testing.T) {
	v := newViewer(t)
	phone, tv := v.joined("phone"), v.joined("tv")
	v.commits = 0
	v.after(2 * time.Hour)
	v.refresh(tv)
	v.after(time.Minute)
	members := v.list(phone).Members
	if got, want := members[0].LastSeenMs, v.now.UnixMilli(); got != want {
		t.Errorf("lastSeen of the caller: got %d, want now, %d", got, want)
	}
	if got, want := members[1].LastSeenMs, v.now.Add(-time.Minute).UnixMilli(); got != want {
		t.Errorf("lastSeen of the other: got %d, want its refresh, %d", got, want)
	}
	if v.commits != 0 {
		t.Errorf("reads wrote %d times", v.commits)
	}
	if dirty, overdue := v.state.dirty(); !dirty || !overdue {
		t.Errorf("dirty, overdue: got %v, %v, want both", dirty, overdue)
	}
}

func TestLastSeenNeverGoesBack(t *testing.T) {
	v := newViewer(t)
	phone := v.joined("phone")
	v.after(-time.Hour)
	v.refresh(phone)
	if got := v.state.members[0].lastSeen; got != start.UnixMilli() {
		t.Errorf("lastSeen: got %d, want %d", got, start.UnixMilli())
	}
}

func TestAnyChangeWritesLastSeenOfAll(t *testing.T) {
	v := newViewer(t)
	phone := v.joined("phone")
	v.after(time.Minute)
	v.refresh(phone)
	v.joined("tv")
	if dirty, _ := v.state.dirty(); dirty {
		t.Error("lastSeen was not written with another change")
	}
}

func TestShowLeavesSecretsOut(t *testing.T) {
	v := newViewer(t)
	v.link(v.joined("phone"), "hash of a code")
	v.arrive("console", "hash of a code")
	shown := do[*ShowReply](v, v.state.show())
	if !shown.Exists || len(shown.State.Members) != 1 || len(shown.State.Codes) != 1 {
		t.Fatalf("shown: %v", shown)
	}
	if shown.State.Codes[0].Hash != nil {
		t.Error("the hash of a link code is shown")
	}
	if g := shown.State.Codes[0].Guest; g == nil || len(g.Guess)+len(g.Did)+len(g.Attributes) > 0 {
		t.Errorf("who waits with a link code is shown as %v, want only that somebody does", g)
	}
	if got := v.redeem("tv", "hash of a code").Failure; got != Failure_OK {
		t.Errorf("showing broke the code: %v", got)
	}
}
