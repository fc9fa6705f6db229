package actors

import (
	"fmt"
	"slices"
	"testing"
)

// reader is whose mailbox the test looks into; what workers would do the test does
// itself.
type reader struct {
	work     []func()
	got      []string
	on       map[any]func() // what else happens at a message
	failures []string
}

func (r *reader) schedule(f func()) { r.work = append(r.work, f) }

func (r *reader) receive(m any) {
	r.got = append(r.got, fmt.Sprint(m))
	if f := r.on[m]; f != nil {
		f()
	}
}

func (r *reader) panicked(m, cause any) {
	r.failures = append(r.failures, fmt.Sprint(m, ": ", cause))
}

func newMailbox() (*mailbox, *reader) {
	r := &reader{on: map[any]func(){}}
	return &mailbox{owner: r}, r
}

func (r *reader) run(t *testing.T, times int) {
	t.Helper()
	if len(r.work) != times {
		t.Fatalf("scheduled %d times, want %d", len(r.work), times)
	}
	for _, f := range r.work {
		f()
	}
	r.work = nil
}

func (r *reader) check(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(r.got, want) {
		t.Errorf("delivered %q, want %q", r.got, want)
	}
	r.got = nil
}

func TestMailboxDeliversInOrder(t *testing.T) {
	m, r := newMailbox()
	r.on[1] = func() { m.post("last") }
	for n := range 5 {
		m.post(n)
	}
	r.run(t, 1)
	r.check(t, "0", "1", "2", "3", "4", "last")
	if m.messages != nil || m.running {
		t.Error("an empty mailbox keeps memory or is running")
	}
}

func TestClaimedMailbox(t *testing.T) {
	m, r := newMailbox()
	if !m.acquire() || m.acquire() {
		t.Fatal("an idle mailbox is claimed once")
	}
	m.post("later")
	m.handle("now")
	r.run(t, 0)
	r.check(t, "now")
	m.release()
	if m.acquire() {
		t.Error("claimed while a message waits for a worker")
	}
	r.run(t, 1)
	r.check(t, "later")
	if !m.acquire() {
		t.Error("not claimed although it is idle again")
	}
}

// TestMailboxGoesOnAfterAPanic: whose it is hears of it, and gets the next message.
func TestMailboxGoesOnAfterAPanic(t *testing.T) {
	m, r := newMailbox()
	r.on["bad"] = func() { panic("why") }
	m.post("bad")
	m.post("good")
	r.run(t, 1)
	r.check(t, "bad", "good")
	if !slices.Equal(r.failures, []string{"bad: why"}) {
		t.Errorf("heard of %q", r.failures)
	}
	if !m.acquire() {
		t.Error("not idle afterwards")
	}
	m.handle("bad")
	m.release()
	if len(r.failures) != 2 || !m.acquire() {
		t.Errorf("%d panics heard of, want 2, and idle when it is given back", len(r.failures))
	}
}
