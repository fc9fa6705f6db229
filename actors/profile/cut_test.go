package profile

import (
	"testing"
	"time"

	"ssod/actors"
)

// A leap of the clock that is not confirmed drops nobody: not by the sweep, and
// not to make room.
func TestAnUnconfirmedLeapDropsNobody(t *testing.T) {
	v := newViewer(t)
	phone := v.joined("phone")
	leapt := actors.Times{Now: v.now.Add(410 * 24 * time.Hour), Confirmed: v.now.Add(time.Hour)}
	retention := (365 * 24 * time.Hour).Milliseconds()
	if d := v.state.expire(&Expire{RetentionMs: retention}, tombstone, leapt); d.next != nil {
		t.Error("the sweep drops a member")
	}
	d := v.state.mint(&Mint{Device: &Device{Id: []byte("tv")}, MaxDevices: 1}, leapt)
	if got := d.reply.(*MintReply).Failure; got != Failure_TOO_MANY_DEVICES {
		t.Errorf("a member makes room: %v", got)
	}
	v.unlink(phone, []string{"phone"})
	v.state.keepUntil = v.now.Add(tombstone).UnixMilli()
	if v.state.over(leapt) {
		t.Error("the record of a profile that was founded and left is dropped")
	}
	leapt.Confirmed = leapt.Now
	if !v.state.over(leapt) {
		t.Error("it is kept although the leap is confirmed")
	}
}

// A member that is seen while the clock is behind is as young as it is.
func TestAMemberSeenByAClockThatIsBehindIsYoung(t *testing.T) {
	v := newViewer(t)
	phone, year := v.joined("phone"), 365*24*time.Hour
	behind := actors.Times{Now: v.now.Add(-year), Confirmed: v.now.Add(time.Hour)}
	d := v.state.refresh(&Refresh{Caller: phone}, behind)
	d.soft(v.state)
	if got := v.state.members[0].lastSeen; got != v.now.Add(time.Hour).UnixMilli() {
		t.Errorf("seen at %v", time.UnixMilli(got))
	}
}

// When the time of the shard was set back, what is stored of its future counts as
// of now: nobody is lost, no link code lives on, and nothing lasts for longer.
func TestAProfileOfTheFutureIsCut(t *testing.T) {
	v := newViewer(t)
	right := v.now
	v.joined("phone")
	v.now = right.Add(410 * 24 * time.Hour)
	phone := v.joined("phone")
	v.link(phone, "123456")
	encoded, err := v.state.encode()
	if err != nil {
		t.Fatal(err)
	}
	s, err := decode(encoded)
	if err != nil {
		t.Fatal(err)
	}
	at := actors.Times{Now: right.Add(time.Minute), Confirmed: right.Add(time.Minute)}
	if !s.cut(at) || s.cut(at) || s.cut(actors.Times{Now: right.Add(time.Hour), Confirmed: right.Add(time.Hour)}) {
		t.Error("cut once and no more")
	}
	now := at.Now.UnixMilli()
	if len(s.members) != 1 || s.members[0].lastSeen != now {
		t.Errorf("members: %+v, want one seen now", s.members)
	}
	if len(s.codes) != 0 || len(s.issued) != 1 || s.issued[0] != now {
		t.Errorf("%d codes, issued %v; want none, and one issued now", len(s.codes), s.issued)
	}
	if d := s.link(&Link{Caller: phone, TtlMs: time.Minute.Milliseconds(), MaxIssued: 1}, v.next(), actors.Times{Now: at.Now.Add(time.Minute), Confirmed: at.Now.Add(time.Minute)}); d.reply.(*LinkReply).Failure != Failure_OK {
		t.Error("no link code is allowed after the lifetime of one")
	}
}
