package webhook

import (
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ssod/cluster"
	"ssod/cluster/faulty"
	"ssod/httpfront/config"
	"ssod/persistence"
)

// world is a dispatcher with one shard and one receiver.
type world struct {
	shard    cluster.Shard
	receiver uint64
	taken    chan string // ids of events
}

func newWorld(t *testing.T, truth *faulty.Truth, now func() time.Time) *world {
	t.Helper()
	w := &world{taken: make(chan string, 16)}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) { w.taken <- q.Header.Get("webhook-id") }))
	t.Cleanup(server.Close)
	hook := config.Webhook{URL: server.URL, SecretFile: secretFile(t)}
	w.receiver = ReceiverOf("one", hook)
	cfg := &config.Config{Realms: []*config.Realm{{ID: "one", Webhooks: []config.Webhook{hook}}}}
	node := truth.Node("n1")
	w.shard, _ = node.Lead(1)
	d := Start(Options{Shards: node, Settings: func() *config.Config { return cfg }, Now: now, Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(d.Close)
	return w
}

// secretFile has what signs events.
func secretFile(t testing.TB) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("whsec_"+base64.StdEncoding.EncodeToString(make([]byte, 32))), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// settled waits until no event waits, and counts the dead letters.
func (w *world) settled(t *testing.T) (dead int) {
	t.Helper()
	tick, late := time.NewTicker(5*time.Millisecond), time.After(time.Minute)
	defer tick.Stop()
	for w.count(t, cluster.EventQueue) > 0 {
		select {
		case <-tick.C:
		case <-late:
			t.Fatal("events wait still")
		}
	}
	return w.count(t, cluster.EventDead)
}

func (w *world) count(t *testing.T, space byte) (n int) {
	t.Helper()
	if err := w.shard.Events(space, w.receiver, 0, func(cluster.EventKey, []byte) bool { n++; return true }); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestAClockThatLeapsGivesNothingUp: what a node's own clock says does not age an event. The
// marks take longer than the next look at who leads.
func TestAClockThatLeapsGivesNothingUp(t *testing.T) {
	truth := faulty.New(faulty.Options{Shards: 1, Commits: faulty.Always(faulty.Delay), Delay: 3 * pace})
	w := newWorld(t, truth, func() time.Time { return time.Now().Add(2 * Life) })
	l := letter{Created: time.Now(), ID: [16]byte{1}, JSON: []byte("{}")}
	err := w.shard.Commit(t.Context(), cluster.Commit{
		Entity: cluster.Entity{Kind: "profile", Identity: "alice"},
		Events: []cluster.Event{{Receiver: w.receiver, Body: l.encode()}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if dead := w.settled(t); dead > 0 || len(w.taken) != 1 {
		t.Errorf("%d dead letters, %d were delivered", dead, len(w.taken))
	}
}

// TestMarksFitIntoACommit, however much is given up at once: nothing would be marked ever.
func TestMarksFitIntoACommit(t *testing.T) {
	node := faulty.New(faulty.Options{Shards: 1}).Node("n1")
	shard, _ := node.Lead(1)
	l, d := newLane(1, shard), &Dispatcher{}
	const receivers, each = 12, window
	for r := range uint64(receivers) {
		s := &stream{receiver: r}
		for n := range uint64(each) {
			key := persistence.NewEventKey(cluster.EventQueue, r, n, "alice")
			s.items = append(s.items, &item{key: key, letter: letter{JSON: make([]byte, MaxBody)}, fate: died})
		}
		l.streams[r] = s
	}
	marked := 0
	for c := l.settle(d, time.Now()); c != nil; c = l.settle(d, time.Now()) {
		if err := c.commit.Validate(); err != nil {
			t.Fatal(err)
		}
		marked += len(c.commit.Marks)
		l.settled(c)
	}
	if marked != receivers*each {
		t.Errorf("%d are marked, of %d", marked, receivers*each)
	}
}
