package actors

import (
	"fmt"
	"slices"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
)

// inline is a dispatcher whose work the test does itself.
type inline struct{ work []func() }

func (d *inline) Schedule(f func()) { d.work = append(d.work, f) }
func (d *inline) Throughput() int   { return 2 }

// invoked notes what a mailbox delivers.
type invoked struct {
	got      []string
	on       map[any]func() // what else happens at a message
	failures int
}

func (i *invoked) InvokeUserMessage(m any)   { i.invoke(fmt.Sprint(m), m) }
func (i *invoked) InvokeSystemMessage(m any) { i.invoke(fmt.Sprintf("%T", m), m) }
func (i *invoked) EscalateFailure(any, any)  { i.failures++ }

func (i *invoked) invoke(name string, m any) {
	i.got = append(i.got, name)
	if f := i.on[m]; f != nil {
		f()
	}
}

func newMailbox() (*mailbox, *invoked, *inline) {
	m, i, d := &mailbox{}, &invoked{on: map[any]func(){}}, &inline{}
	m.RegisterHandlers(i, d)
	m.PostSystemMessage(&actor.Started{})
	m.Start()
	return m, i, d
}

func (d *inline) run(t *testing.T, times int) {
	t.Helper()
	if len(d.work) != times {
		t.Fatalf("scheduled %d times, want %d", len(d.work), times)
	}
	for _, f := range d.work {
		f()
	}
	d.work = nil
}

func check(t *testing.T, i *invoked, want ...string) {
	t.Helper()
	if !slices.Equal(i.got, want) {
		t.Errorf("delivered %q, want %q", i.got, want)
	}
	i.got = nil
}

func TestMailboxDeliversInOrder(t *testing.T) {
	m, i, d := newMailbox()
	i.on[1] = func() { m.PostSystemMessage(&actor.Stop{}) }
	for n := range 5 {
		m.PostUserMessage(n)
	}
	d.run(t, 1)
	check(t, i, "*actor.Started", "0", "1", "*actor.Stop", "2", "3", "4")
	if m.UserMessageCount() != 0 || m.users != nil || m.running {
		t.Error("an empty mailbox keeps memory or is running")
	}
}

func TestClaimedMailbox(t *testing.T) {
	m, i, d := newMailbox()
	if !m.claim() || m.claim() {
		t.Fatal("an idle mailbox is claimed once")
	}
	m.PostUserMessage("later")
	m.handle("now")
	d.run(t, 0)
	check(t, i, "*actor.Started", "now")
	m.release()
	if m.claim() {
		t.Error("claimed while a message waits for a worker")
	}
	d.run(t, 1)
	check(t, i, "later")
	if !m.claim() {
		t.Error("not claimed although it is idle again")
	}
}

func TestSuspendedMailboxKeepsUsersWaiting(t *testing.T) {
	m, i, d := newMailbox()
	i.on["bad"] = func() { m.PostSystemMessage(&actor.SuspendMailbox{}); panic("bad") }
	m.PostUserMessage("bad")
	m.PostUserMessage("good")
	d.run(t, 1)
	check(t, i, "*actor.Started", "bad")
	m.PostUserMessage("better")
	d.run(t, 0)
	if i.failures != 1 || m.claim() {
		t.Errorf("%d failures, want 1, and no claim while suspended", i.failures)
	}
	m.PostSystemMessage(&actor.ResumeMailbox{})
	d.run(t, 1)
	check(t, i, "good", "better")
}
