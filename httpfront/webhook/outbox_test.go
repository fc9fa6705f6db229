package webhook

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"ssod/actors/event"
	"ssod/cluster"
	"ssod/httpfront/config"
)

// TestNoChangeIsRefusedForItsEvents: what does not fit into the commit is counted, told in
// events.dropped, and left out.
func TestNoChangeIsRefusedForItsEvents(t *testing.T) {
	const receivers, devices = 16, 1000
	w := newStill(t)
	var urls []string
	for i := range receivers {
		urls = append(urls, fmt.Sprintf("https://hooks.example/%d", i))
	}
	w.receive(urls...)
	o := &Outbox{Settings: func() *config.Config { return w.cfg }, Key: func(string) []byte { return nil }, Dropped: w.Dropped}
	var facts []event.Fact
	for i := range devices {
		facts = append(facts, event.Fact{Type: event.DeviceUnlinked, Realm: "one", SSOID: "viewer", Device: fmt.Append(nil, "a device of a viewer, ", i)})
	}
	at := time.UnixMilli(1_700_000_000_000)
	of := cluster.Entity{Kind: "profile", Identity: strings.Repeat("i", 1024)}
	blob := make([]byte, 1<<20-1600)
	part := func(n int) string { return string(rune('a' + n)) }
	for _, tt := range []struct {
		name   string
		commit cluster.Commit
		facts  int
		unfit  bool
		notes  int
	}{
		{"few", cluster.Commit{Entity: of}, 5, false, 0},
		{"many", cluster.Commit{Entity: of}, devices, true, receivers},
		{"a large commit", cluster.Commit{Entity: of, State: blob, Puts: []cluster.Record{
			{Part: part(0), Value: blob}, {Part: part(1), Value: blob}, {Part: part(2), Value: blob[:700<<10]},
		}}, devices, true, receivers},
		{"a full commit", cluster.Commit{Entity: of, State: blob, Puts: []cluster.Record{
			{Part: part(0), Value: blob}, {Part: part(1), Value: blob}, {Part: part(2), Value: blob}, {Part: part(3), Value: make([]byte, 500)},
		}}, devices, true, 0},
	} {
		c := tt.commit
		o.Tell(&c, at, facts[:tt.facts])
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		notes, told := 0, 0
		ids := map[[16]byte]bool{}
		for _, e := range c.Events {
			l, err := parseLetter(e.Body)
			if err != nil {
				t.Fatal(err)
			}
			ids[l.ID] = true
			if n, tells := l.tells(); tells {
				notes, told = notes+1, told+n.Count
			} else {
				told++
			}
		}
		w.metrics.show(w.Dispatcher, at)
		dropped := 0.0
		values, _ := w.series("ssod_events_dropped_total")
		for _, n := range values {
			dropped += n
		}
		w.metrics.dropped.Reset()
		if notes != tt.notes || len(ids) != len(c.Events) || (dropped > 0) != tt.unfit {
			t.Errorf("%s: %d events with %d ids, %d of them tell of others; %v dropped", tt.name, len(c.Events), len(ids), notes, dropped)
		}
		if all := tt.facts * receivers; notes > 0 && told != all || notes == 0 && told+int(dropped) != all {
			t.Errorf("%s: %d are told of, want %d", tt.name, told, all)
		}
		again := tt.commit
		if o.Tell(&again, at, facts[:tt.facts]); len(again.Events) != len(c.Events) || len(c.Events) > 0 && !bytes.Equal(again.Events[0].Body, c.Events[0].Body) {
			t.Errorf("%s: who decides again tells something else", tt.name)
		}
		w.metrics.show(w.Dispatcher, at)
		w.metrics.dropped.Reset()
	}
}
