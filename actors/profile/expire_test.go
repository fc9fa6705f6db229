package profile

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ssod/actors"
	"ssod/cluster"
)

func TestSweep(t *testing.T) {
	const retention = 400 * 24 * time.Hour
	founded := func(v *viewer) { v.joined("phone") }
	empty := func(v *viewer) { v.unlink(v.joined("phone"), []string{"phone"}) }
	tests := []struct {
		name  string
		story func(*viewer)
		after time.Duration
		want  bool
	}{
		{"member seen", founded, retention - time.Millisecond, false},
		{"member unseen", founded, retention, true},
		{"tombstone needed", empty, tombstone - time.Millisecond, false},
		{"tombstone over", empty, tombstone, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := newViewer(t)
			tt.story(v)
			encoded, err := v.state.encode()
			if err != nil {
				t.Fatal(err)
			}
			command := sweep(cluster.Head{Rev: 1, Schema: schema, State: encoded}, retention, actors.Times{Now: v.now.Add(tt.after), Confirmed: v.now.Add(tt.after)})
			if got := command != nil; got != tt.want {
				t.Errorf("sweep sends a command: got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestExpireDropsWhoWasNotSeen(t *testing.T) {
	v := newViewer(t)
	phone, tv := v.joined("phone"), v.joined("tv")
	expire := func() int32 {
		return do[*ExpireReply](v, v.state.expire(&Expire{RetentionMs: time.Hour.Milliseconds()}, tombstone, actors.Times{Now: v.now, Confirmed: v.now})).Members
	}
	v.after(time.Hour)
	v.refresh(tv) // in memory only: the stored lastSeen is an hour old
	if got := expire(); got != 1 {
		t.Fatalf("dropped: got %d, want 1", got)
	}
	if diff := cmp.Diff([]string{"tv"}, names(v.list(tv).Members)); diff != "" {
		t.Error(diff)
	}
	if got := v.refresh(phone); got != Failure_NOT_MEMBER {
		t.Errorf("refresh of who was dropped: %v", got)
	}
	v.after(time.Hour)
	expire()
	if len(v.state.members) != 0 || v.state.keepUntil != v.now.Add(tombstone).UnixMilli() {
		t.Errorf("without members: got %+v, want a tombstone", v.state)
	}
	v.after(tombstone)
	expire()
	if !v.removed {
		t.Error("the record was not removed after its tombstone")
	}
}

func TestExpireDecidesAgain(t *testing.T) {
	v := newViewer(t)
	phone := v.joined("phone")
	v.after(time.Hour)
	v.refresh(phone) // after the sweep looked
	v.commits = 0
	got := do[*ExpireReply](v, v.state.expire(&Expire{RetentionMs: time.Hour.Milliseconds()}, tombstone, actors.Times{Now: v.now, Confirmed: v.now}))
	if got.Members != 0 || v.commits != 0 {
		t.Errorf("got %d members dropped and %d commits, want none", got.Members, v.commits)
	}
}
