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
			"arrive":  m.arrive,
			"confirm": m.confirm,
			"read":    m.read,
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
	creator   string
	maker     int64 // membership of the creator
	notAfter  time.Time
	gone      bool // replaced, cancelled or refused
	goneAt    time.Time
	forgotten bool   // with the last member
	guest     string // who waits for the creator's word
	confirmed bool
	usedBy    string
	usedAt    time.Time
	number    int64
}

// live reports whether somebody can redeem the code.
func (c *modelCode) live(now time.Time) bool {
	return c.usedBy == "" && !c.gone && now.Before(c.notAfter)
}

// status is what the creator must be told; 0 when nothing is known any more.
func (c *modelCode) status(now time.Time) CodeStatus {
	s, end := CodeStatus_EXPIRED, c.notAfter
	switch {
	case c.usedBy != "":
		s, end = CodeStatus_REDEEMED, c.usedAt
	case c.gone:
		end = c.goneAt
	case c.guest != "" && c.live(now):
		s = CodeStatus_PENDING
	case c.live(now):
		s = CodeStatus_OPEN
	}
	if now.Sub(end) >= ttl {
		return 0
	}
	return s
}

func (c *modelCode) goes(now time.Time) {
	if c.live(now) {
		c.gone, c.goneAt = true, now
	}
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
		if c.creator == device {
			c.goes(m.v.now)
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
		m.codes[string(freed)].goes(m.v.now)
	}
	for other, x := range m.codes {
		if x.creator == device && x.usedBy == "" && x.notAfter.After(m.v.now) && !x.gone {
			t.Fatalf("%s has the codes %s and %s at once", device, other, hash)
		}
	}
	m.codes[hash] = &modelCode{creator: device, maker: c.Membership, notAfter: m.v.now.Add(ttl)}
}

func (m *model) redeem(t *rapid.T) {
	if len(m.codes) == 0 {
		return
	}
	hash := rapid.SampledFrom(slices.Sorted(maps.Keys(m.codes))).Draw(t, "code")
	device, c := m.device(t), m.codes[hash]
	_, member := m.alive[device]
	fresh, repeat := c.live(m.v.now), m.repeats(c, device)
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

func (m *model) repeats(c *modelCode, device string) bool {
	return c.usedBy == device && m.v.now.Sub(c.usedAt) < time.Minute && m.alive[device] == c.number
}

// arrive redeems from another network: whoever comes first waits for the
// creator's word, and nobody joins without it.
func (m *model) arrive(t *rapid.T) {
	if len(m.codes) == 0 {
		return
	}
	hash := rapid.SampledFrom(slices.Sorted(maps.Keys(m.codes))).Draw(t, "code")
	device, c := m.device(t), m.codes[hash]
	_, member := m.alive[device]
	fresh, repeat := c.live(m.v.now), m.repeats(c, device)
	r := m.v.arrive(device, hash)
	var want Failure
	switch {
	case repeat || fresh && c.guest == device && c.confirmed:
	case fresh && (c.guest == "" || c.guest == device):
		want = Failure_PENDING_CODE
	case c.usedBy != "" && !c.forgotten && m.v.now.Sub(c.usedAt) < time.Minute:
		want = Failure_CODE_RACE_LOST
	default:
		want = Failure_CODE_UNUSABLE
	}
	if r.Failure == Failure_TOO_MANY_DEVICES && fresh && !member && len(m.alive) >= maxDevices && (want == Failure_OK || c.guest == "") {
		return
	}
	if r.Failure != want || r.Asked != (want == Failure_PENDING_CODE && c.guest == "") {
		t.Fatalf("%s from another network: %v, asked %v; want %v, the code waits for %q", device, r.Failure, r.Asked, want, c.guest)
	}
	switch want {
	case Failure_PENDING_CODE:
		c.guest = device
	case Failure_OK:
		m.evicted(t)
		m.joined(t, device, r.Membership)
		if fresh {
			c.usedBy, c.usedAt, c.number = device, m.v.now, r.Membership
		}
	}
}

// origin draws a code and a token, and says what the token's device must be told
// of the code.
func (m *model) origin(t *rapid.T) (hash string, caller *Caller, c *modelCode, want CodeStatus, f Failure) {
	hash = rapid.SampledFrom(slices.Sorted(maps.Keys(m.codes))).Draw(t, "code")
	caller, c = rapid.SampledFrom(m.tokens).Draw(t, "token"), m.codes[hash]
	switch {
	case m.alive[string(caller.Device)] != caller.Membership:
		return hash, caller, c, 0, Failure_NOT_MEMBER
	case c.maker != caller.Membership || c.status(m.v.now) == 0:
		return hash, caller, c, 0, Failure_CODE_UNUSABLE
	}
	m.seen[string(caller.Device)] = m.v.now
	return hash, caller, c, c.status(m.v.now), Failure_OK
}

func (m *model) read(t *rapid.T) {
	if len(m.codes) == 0 {
		return
	}
	hash, caller, c, want, f := m.origin(t)
	r := m.v.read(caller, hash)
	m.told(t, r, c, want, f)
}

func (m *model) told(t *rapid.T, r *CodeReply, c *modelCode, want CodeStatus, f Failure) {
	if r.Failure != f || r.Status != want {
		t.Fatalf("told %v, %v; want %v, %v", r.Failure, r.Status, f, want)
	}
	shown := want == CodeStatus_PENDING || want == CodeStatus_REDEEMED && m.alive[c.usedBy] == c.number
	if (r.Device != nil) != shown {
		t.Fatalf("told of the device %v in status %v", r.Device, want)
	}
}

func (m *model) confirm(t *rapid.T) {
	if len(m.codes) == 0 {
		return
	}
	hash, caller, c, _, f := m.origin(t)
	join := rapid.Bool().Draw(t, "join")
	r := m.v.confirm(caller, hash, join)
	decided, charged := false, ""
	if f == Failure_OK && c.live(m.v.now) {
		decided = c.guest != "" && (!join || !c.confirmed)
		if !join {
			charged = c.guest
			c.goes(m.v.now)
		} else if c.guest != "" {
			c.confirmed = true
		}
	}
	want := CodeStatus(0)
	if f == Failure_OK {
		want = c.status(m.v.now)
	}
	m.told(t, r, c, want, f)
	if guess := string(r.Guess); r.Decided != decided || guess != "" && guess != "guess of "+charged || (guess == "") != (charged == "") {
		t.Fatalf("confirm %v: decided %v, charged %q; want %v, %q", join, r.Decided, guess, decided, charged)
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
		c.goes(m.v.now)
		c.forgotten = true
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
	do[*EraseReply](m.v, m.v.state.erase(&Erase{}, tombstone, m.v.promises()))
	for device := range m.alive {
		m.leaves(device)
	}
	m.cleared()
}

func (m *model) expire(t *rapid.T) {
	do[*ExpireReply](m.v, m.v.state.expire(&Expire{RetentionMs: (400 * 24 * time.Hour).Milliseconds()}, tombstone, actors.Times{Now: m.v.now, Confirmed: m.v.now}))
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
	disk.requests = nil
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
	if n := m.v.state.outstanding(actors.Times{Now: m.v.now, Confirmed: m.v.now}); n > 3 {
		t.Fatalf("%d outstanding codes", n)
	}
}
