package linking_test

import (
	"errors"
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"ssod/actors/profile"
)

// span is when something happened, as closely as a test knows that runs in real
// time.
type span struct{ from, to time.Time }

// goes ends a code that nobody used and that has not expired.
func (c *shown) goes(when span) {
	if c.by == "" && !c.gone && when.from.Before(c.NotAfter) {
		c.gone, c.end = true, when
	}
}

// anyCode draws a code that was shown; nil when there is none.
func (m *household) anyCode(t *rapid.T) *shown {
	if len(m.codes) == 0 {
		return nil
	}
	return m.codes[rapid.SampledFrom(slices.Sorted(maps.Keys(m.codes))).Draw(t, "code")]
}

// arrive comes with a code from another network: the first one waits, and joins
// when the creator has said so. Whoever else comes from there is told nothing.
func (m *household) arrive(t *rapid.T) {
	c := m.anyCode(t)
	if c == nil {
		return
	}
	device, request := rapid.SampledFrom(devices).Draw(t, "device"), m.r.request()
	begun := m.now()
	number, err := m.r.arrive(c.Text, device, request)
	fresh := c.by == "" && !c.gone
	repeat := c.by == device && m.alive[device] == c.number && begun.Sub(c.used) < time.Minute
	joins := fresh && c.guest == device && c.confirmed
	waits := fresh && (c.guest == "" || c.guest == device) && !c.confirmed
	pending, waiting := errors.AsType[*profile.PendingError](err)
	inTime, late := m.now().Before(c.NotAfter), !begun.Before(c.NotAfter)
	switch {
	case err == nil && !repeat && (!joins || late):
		t.Fatalf("%s joined from another network; the code waits for %q, confirmed %v", device, c.guest, c.confirmed)
	case waiting && (!waits || late):
		t.Fatalf("%s is to wait; the code waits for %q, confirmed %v, fresh %v", device, c.guest, c.confirmed, fresh)
	case err != nil && joins && inTime, !waiting && waits && inTime:
		t.Fatalf("%s from another network: %v; the code waits for %q, confirmed %v", device, err, c.guest, c.confirmed)
	case waiting && pending.Asked != (c.guest == ""):
		t.Fatalf("asked: %v, waits for %q", pending.Asked, c.guest)
	}
	if waiting {
		c.guest = device
	}
	if err == nil {
		m.joined(t, device, number)
		if !repeat {
			c.by, c.used, c.number = device, m.now(), number
			c.end = span{begun, c.used}
		}
	}
	m.answered(number, err, func() (int64, error) { return m.r.arrive(c.Text, device, request) })
}

// confirm gives the word of a token about a code. Only that of the membership
// that made it counts.
func (m *household) confirm(t *rapid.T) {
	c := m.anyCode(t)
	if c == nil {
		return
	}
	caller, request := rapid.SampledFrom(m.tokens).Draw(t, "token"), m.r.request()
	join, begun := rapid.Bool().Draw(t, "join"), m.now()
	reply, err := m.r.confirm(caller, c.Text, join, request)
	mine, open := m.owns(caller, c), c.by == "" && !c.gone
	inTime, late := m.now().Before(c.NotAfter), !begun.Before(c.NotAfter)
	would := mine && open && (c.guest != "" && (!join || !c.confirmed))
	switch decided := reply.GetDecided(); {
	case decided && (!would || late), !decided && would && inTime:
		t.Fatalf("confirm %v: decided %v, %v; the code waits for %q, confirmed %v, mine %v, open %v", join, decided, err, c.guest, c.confirmed, mine, open)
	case err == nil && !mine:
		t.Fatal("the word of another device counts")
	}
	switch {
	case err != nil || !mine || !open || !inTime:
	case join:
		c.confirmed = c.confirmed || c.guest != ""
	default:
		c.goes(span{begun, m.now()})
	}
	m.answered(0, err, func() (int64, error) {
		again, err := m.r.confirm(caller, c.Text, join, request)
		if again.GetDecided() != reply.GetDecided() || again.GetStatus() != reply.GetStatus() {
			t.Fatalf("a repeated word has another answer: %v, and first %v", again, reply)
		}
		return 0, err
	})
}

// owns reports whether a token is of the membership that made a code.
func (m *household) owns(caller *profile.Caller, c *shown) bool {
	device := string(caller.Device)
	return m.alive[device] == caller.Membership && c.creator == device && c.maker == caller.Membership
}

// read asks what became of a code, with any token.
func (m *household) read(t *rapid.T) {
	c := m.anyCode(t)
	if c == nil {
		return
	}
	caller, begun := rapid.SampledFrom(m.tokens).Draw(t, "token"), m.now()
	reply, err := m.r.read(caller, c.Text)
	good := m.alive[string(caller.Device)] == caller.Membership
	switch {
	case !good && !errors.Is(err, profile.ErrNotMember):
		t.Fatalf("read with a void token: %v", err)
	case !good:
	case !m.owns(caller, c) && !errors.Is(err, profile.ErrCode):
		t.Fatalf("read a code of another: %v", err)
	case !m.owns(caller, c):
	case !slices.Contains(c.states(span{begun, m.now()}), reply.GetStatus()):
		t.Fatalf("the creator is told %v, %v; want one of %v", reply, err, c.states(span{begun, m.now()}))
	}
}

// states are what the creator may be told; 0 stands for nothing.
func (c *shown) states(now span) (all []profile.CodeStatus) {
	for _, at := range []time.Time{now.from, now.to} {
		for _, end := range []time.Time{c.end.from, c.end.to} {
			all = append(all, c.state(at, end))
		}
	}
	return all
}

func (c *shown) state(now, end time.Time) profile.CodeStatus {
	state := profile.CodeStatus_EXPIRED
	switch {
	case c.by != "":
		state = profile.CodeStatus_REDEEMED
	case c.gone:
	case !now.Before(c.NotAfter):
		end = c.NotAfter
	case c.guest != "":
		return profile.CodeStatus_PENDING
	default:
		return profile.CodeStatus_OPEN
	}
	if now.Sub(end) >= codeLife {
		return 0
	}
	return state
}
