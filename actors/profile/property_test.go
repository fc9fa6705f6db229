package profile

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ssod/actors"
)

// TestWhateverHappens plays random commands against a profile and what it must
// be as devices and viewers see it: M1 to M3 of the reliability models.
func TestWhateverHappens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{
			v: newViewer(t), alive: map[string]int64{}, seen: map[string]time.Time{},
			numbers: map[int64]string{}, codes: map[string]*modelCode{},
		}
		t.Repeat(map[string]func(*rapid.T){
			"mint":    m.mint,
			"link":    m.link,
			"redeem":  m.redeem,
			"unlink":  m.unlink,
			"refresh": m.refresh,
			"erase":   m.erase,
			"expire":  m.expire,
			"wait":    m.wait,
			"restart": func(t *rapid.T) { m.wait(t); m.restart(t) },
			"":        m.check,
		})
	})
}

type model struct {
	v       *viewer
	alive   map[string]int64     // device: its membership
	seen    map[string]time.Time // device: its last successful call
	numbers map[int64]string     // every number ever given
	tokens  []*Caller            // every token ever minted
	codes   map[string]*modelCode
}

type modelCode struct {
	creator  string
	notAfter time.Time
	gone     bool // replaced or cancelled
	usedBy   string
	usedAt   time.Time
	number   int64
}

var devices = []string{"phone", "tv", "tablet", "laptop", "console", "projector", "watch"}

func (m *model) device(t *rapid.T) string { return rapid.SampledFrom(devices).Draw(t, "device") }

// joined checks the number of a membership that a command answered with.
func (m *model) joined(t *rapid.T, device string, number int64) {
	m.seen[device] = m.v.now
	if old, member := m.alive[device]; member {
		if old != number {
			t.Fatalf("%s is member %d and was told %d", device, old, number)
		}
		return
	}
	if who, given := m.numbers[number]; given {
		t.Fatalf("membership %d was given to %s and again to %s", number, who, device)
	}
	m.alive[device], m.numbers[number] = number, device
	m.tokens = append(m.tokens, token(device, number))
}

func (m *model) mint(t *rapid.T) {
	device := m.device(t)
	_, member := m.alive[device]
	r := m.v.mint(device)
	if r.Failure == Failure_TOO_MANY_DEVICES && !member && len(m.alive) >= maxDevices {
		return
	}
	if r.Failure != Failure_OK {
		t.Fatalf("mint: %v with %d members", r.Failure, len(m.alive))
	}
	m.evicted(t)
	m.joined(t, device, r.Membership)
}

// evicted forgets members that nobody had seen for long.
func (m *model) evicted(t *rapid.T) {
	for device := range m.alive {
		if m.v.state.member(Did([]byte(device))) != nil {
			continue
		}
		if unseen := m.v.now.Sub(m.seen[device]); unseen < evictAfter {
			t.Fatalf("%s was dropped although it was seen %v ago", device, unseen)
		}
		m.leaves(device)
	}
}

func (m *model) leaves(device string) {
	delete(m.alive, device)
	for _, c := range m.codes {
		if c.creator == device && c.usedBy == "" {
			c.gone = true
		}
	}
}

func (m *model) link(t *rapid.T) {
	if len(m.tokens) == 0 {
		return
	}
	c := rapid.SampledFrom(m.tokens).Draw(t, "token")
	device := string(c.Device)
	hash := rapid.StringMatching(`[a-z]{8}`).Filter(func(s string) bool { return m.codes[s] == nil }).Draw(t, "code")
	r := m.v.link(c, hash)
	if good := m.alive[device] == c.Membership; !good != (r.Failure == Failure_NOT_MEMBER) {
		t.Fatalf("link: %v for a token that is good: %v", r.Failure, good)
	}
	if r.Failure != Failure_OK {
		return
	}
	m.seen[device] = m.v.now
	for _, freed := range r.Freed {
		m.codes[string(freed)].gone = true
	}
	for other, x := range m.codes {
		if x.creator == device && x.usedBy == "" && x.notAfter.After(m.v.now) && !x.gone {
			t.Fatalf("%s has the codes %s and %s at once", device, other, hash)
		}
	}
	m.codes[hash] = &modelCode{creator: device, notAfter: m.v.now.Add(ttl)}
}

func (m *model) redeem(t *rapid.T) {
	if len(m.codes) == 0 {
		return
	}
	hash := rapid.SampledFrom(slices.Sorted(maps.Keys(m.codes))).Draw(t, "code")
	device, c := m.device(t), m.codes[hash]
	_, member := m.alive[device]
	fresh := c.usedBy == "" && !c.gone && m.v.now.Before(c.notAfter)
	repeat := c.usedBy == device && m.v.now.Sub(c.usedAt) < time.Minute && m.alive[device] == c.number
	r := m.v.redeem(device, hash)
	if r.Failure == Failure_TOO_MANY_DEVICES && fresh && !member && len(m.alive) >= maxDevices {
		return
	}
	if got := r.Failure == Failure_OK; got != (fresh || repeat) {
		t.Fatalf("redeem %s: %v; fresh %v, repeat %v", hash, r.Failure, fresh, repeat)
	}
	if r.Failure != Failure_OK {
		return
	}
	m.evicted(t)
	m.joined(t, device, r.Membership)
	if fresh {
		c.usedBy, c.usedAt, c.number = device, m.v.now, r.Membership
	}
}

func (m *model) unlink(t *rapid.T) {
	if len(m.tokens) == 0 {
		return
	}
	c := rapid.SampledFrom(m.tokens).Draw(t, "token")
	targets := rapid.SliceOfN(rapid.SampledFrom(devices), 1, 3).Draw(t, "targets")
	var spellings [][]string
	for _, target := range targets {
		spellings = append(spellings, []string{target})
	}
	r := m.v.unlink(c, spellings...)
	good := m.alive[string(c.Device)] == c.Membership
	if !good != (r.Failure == Failure_NOT_MEMBER) {
		t.Fatalf("unlink: %v for a token that is good: %v", r.Failure, good)
	}
	if !good {
		return
	}
	m.seen[string(c.Device)] = m.v.now
	var want []int32
	for i, target := range targets {
		if _, member := m.alive[target]; member {
			want = append(want, int32(i))
			m.leaves(target)
		}
	}
	if diff := cmp.Diff(want, r.Removed); diff != "" {
		t.Fatalf("removed: %s", diff)
	}
	m.cleared()
}

// cleared: a profile without members has no codes.
func (m *model) cleared() {
	if len(m.alive) > 0 {
		return
	}
	for _, c := range m.codes {
		c.gone = true
	}
}

func (m *model) refresh(t *rapid.T) {
	if len(m.tokens) == 0 {
		return
	}
	c := rapid.SampledFrom(m.tokens).Draw(t, "token")
	good := m.alive[string(c.Device)] == c.Membership
	if got := m.v.refresh(c); (got == Failure_OK) != good {
		t.Fatalf("refresh: %v for a token that is good: %v", got, good)
	}
	if good {
		m.seen[string(c.Device)] = m.v.now
	}
}

func (m *model) erase(t *rapid.T) {
	if rapid.IntRange(0, 9).Draw(t, "seldom") > 0 {
		return
	}
	do[*EraseReply](m.v, m.v.state.erase(&Erase{TombstoneMs: tombstone.Milliseconds()}, m.v.promises()))
	for device := range m.alive {
		m.leaves(device)
	}
	m.cleared()
}

func (m *model) expire(t *rapid.T) {
	do[*ExpireReply](m.v, m.v.state.expire(&Expire{RetentionMs: (400 * 24 * time.Hour).Milliseconds()}, tombstone, actors.At(m.v.now)))
	m.evicted(t)
	m.cleared()
}

// wait lets time pass, after the tick that follows every command.
func (m *model) wait(t *rapid.T) {
	if _, overdue := m.v.state.dirty(); overdue {
		do[*MintReply](m.v, decision{reply: &MintReply{}, next: m.v.state.clone()})
	}
	m.v.after(rapid.SampledFrom([]time.Duration{
		0, time.Millisecond, time.Second, 59 * time.Second, time.Minute, ttl - time.Second, time.Hour + time.Millisecond, tombstone, 180 * 24 * time.Hour,
	}).Draw(t, "time"))
}

// restart loses what was only in memory: at most an hour of lastSeen.
func (m *model) restart(t *rapid.T) {
	m.v.state = reload(m.v, m.v.state.onDisk())
	for i := range m.v.state.members {
		x := &m.v.state.members[i]
		stored := time.UnixMilli(x.lastSeen)
		if lag := m.seen[x.device].Sub(stored); lag > seenLag {
			t.Fatalf("lastSeen of %s lags by %v", x.device, lag)
		}
		m.seen[x.device] = stored
	}
}

// onDisk is the state as it was last written.
func (s *state) onDisk() *state {
	disk := s.clone()
	disk.intents = nil
	for i := range disk.members {
		disk.members[i].lastSeen = disk.members[i].storedSeen
	}
	return disk
}

// check: every token that was ever minted is good exactly while its membership
// is alive, and the members are those that joined and did not leave.
func (m *model) check(t *rapid.T) {
	var want, got []string
	for device := range m.alive {
		want = append(want, device)
	}
	got = names(m.v.list(external("nobody")).Members)
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("members: %s", diff)
	}
	for _, c := range m.tokens {
		good := m.alive[string(c.Device)] == c.Membership
		if judged := m.v.state.judge(c) == Failure_OK; judged != good {
			t.Fatalf("token of %s, membership %d: judged %v, want %v", c.Device, c.Membership, judged, good)
		}
	}
	if n := m.v.state.outstanding(); n > 3 {
		t.Fatalf("%d outstanding codes", n)
	}
}
