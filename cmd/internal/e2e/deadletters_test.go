package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ssod/cmd/internal/ssodtest"
)

// deadLetters is what ssoctl events list says of those.
func (n *node) deadLetters() (ids []string) {
	n.Helper()
	said, err := n.Ctl("--output", "json", "events", "list", "--failed")
	if err != nil {
		n.Fatalf("events list: %v: %s", err, said)
	}
	var l struct {
		DeadLetters []struct{ ID, Type, Realm, Receiver, Error string }
	}
	must(n, json.Unmarshal([]byte(said), &l))
	for _, d := range l.DeadLetters {
		if ids = append(ids, d.ID); d.Type != "device.joined" || d.Realm != "one" || d.Receiver == "" || d.Error != "answered 500" {
			n.Errorf("a dead letter is %+v", d)
		}
	}
	return ids
}

// TestDeadLettersOfADay: a receiver fails for longer than a day, by a clock that is set. What
// was given up outlives the process and the clock, and an operator has it sent again.
func TestDeadLettersOfADay(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	r.answers(http.StatusInternalServerError)
	n := newNode(t, eventsConfig(fmt.Sprintf("{url: %q, secretFile: %q}", r.URL+"/s3cret", r.secretFile)))
	clock := filepath.Join(n.Dir, "clock")
	n.Program, n.Env = ssodtest.Settable, append(n.Env, "SHIFTED_CLOCK_FILE="+clock)
	n.Start()
	a, ctx := n.mustApp("one"), t.Context()
	for i := range 3 {
		must(t, a.mint(ctx, newDevice(fmt.Sprint("phone-", i)), fmt.Sprint("viewer-", i)))
	}
	until(t, "a delivery that fails", func() bool { return r.tried() > 0 })
	if ids := n.deadLetters(); len(ids) != 0 {
		t.Errorf("dead letters on the first day: %v", ids)
	}
	must(t, os.WriteFile(clock, []byte("25h"), 0o600))
	until(t, "dead letters", func() bool { return len(n.deadLetters()) == 3 })
	n.Kill()
	must(t, os.Remove(clock)) // the time of the shards stays
	n.Start()
	ids := n.deadLetters()
	said, err := n.Ctl("events", "list")
	if err != nil || len(ids) != 3 || !has(said, ids[0], "device.joined", "answered 500") || strings.Contains(said, "s3cret") {
		t.Errorf("after a restart there are %v: %v\n%s", ids, err, said)
	}
	if said, err := n.Ctl("events", "replay", "msg_none"); err == nil {
		t.Errorf("a letter that is not there waits again: %s", said)
	}

	r.answers(http.StatusNoContent)
	for _, step := range []struct {
		args []string
		sent []string
	}{
		{[]string{"events", "replay", ids[1]}, ids[1:2]},
		{[]string{"events", "replay", "--all", "--realm", "one", "--url", r.URL + "/s3cret"}, ids},
	} {
		if said, err := n.Ctl(step.args...); err != nil {
			t.Fatalf("%v: %v: %s", step.args, err, said)
		}
		until(t, "events are sent again", func() bool { return r.joined() == len(step.sent) })
		for _, id := range step.sent {
			if !r.has(id) {
				t.Errorf("%v: %s did not come", step.args, id)
			}
		}
	}
	until(t, "no dead letter is left", func() bool { return len(n.deadLetters()) == 0 })
	until(t, "it is told that they were given up", func() bool {
		return slices.ContainsFunc(r.taken(), func(e received) bool { return e.Type == "events.dropped" })
	})
	n.noSecret("s3cret")
}

// joined is how many events of devices that joined were taken.
func (r *receiver) joined() (events int) {
	for _, e := range r.taken() {
		if e.Type == "device.joined" {
			events++
		}
	}
	return events
}

func (r *receiver) has(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, has := r.known[id]
	return has
}
