package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ssod/actors/event"
	"ssod/cluster"
	"ssod/cluster/faulty"
	"ssod/httpfront/config"
)

// scene is a cluster of two nodes, whose clock the test sets, and a receiver.
type scene struct {
	*testing.T
	truth  *faulty.Truth
	nodes  []*faulty.Node
	here   []*Dispatcher // of the nodes
	cfg    *config.Config
	outbox *Outbox

	mu     sync.Mutex
	ahead  time.Duration
	slow   time.Duration // by which the clocks of the nodes are behind the time of the shards
	status int           // of the receiver's answers
	tries  int
	taken  []string // ids, and types behind a blank
	bodies map[string]string
}

// newScene has a receiver that answers with a status, and a store with faults, or without.
func newScene(t *testing.T, status int, limit int64, faults faulty.Plan) *scene {
	w := &scene{T: t, status: status, bodies: map[string]string{}}
	w.truth = faulty.New(faulty.Options{Shards: 2, Clock: w.now, Commits: faults})
	server := httptest.NewServer(http.HandlerFunc(w.take))
	t.Cleanup(server.Close)
	cfg, err := config.Parse(fmt.Appendf(nil, `realms: [{id: one, serviceProviders: [tv], webhooks: [{url: %q, secretFile: %q}]}, {id: two, serviceProviders: [radio]}]`,
		server.URL+"/hidden", secretFile(t)), config.Options{})
	w.must(err)
	w.cfg = cfg
	w.outbox = &Outbox{Settings: w.settings, Cluster: "c", Key: func(string) []byte { return []byte("a key of the realm") }}
	for _, name := range []string{"a", "b"} {
		w.nodes = append(w.nodes, w.truth.Node(name))
	}
	w.truth.Move(2, w.nodes[1])
	for _, n := range w.nodes {
		d := Start(Options{Shards: n, Settings: w.settings, Now: w.clock, Limit: limit, Log: slog.New(slog.DiscardHandler)})
		t.Cleanup(d.Close)
		w.here = append(w.here, d)
	}
	return w
}

func (w *scene) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *scene) settings() *config.Config { return w.cfg }

func (w *scene) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Unix(1_700_000_000, 0).Add(w.ahead)
}

// clock is that of the nodes.
func (w *scene) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Unix(1_700_000_000, 0).Add(w.ahead - w.slow)
}

func (w *scene) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ahead += d
}

// flow lets the time pass until something has happened: a second in each look.
func (w *scene) flow(what string, ok func() bool) {
	w.Helper()
	w.until(what, func() bool { w.pass(time.Second); return ok() })
}

func (w *scene) until(what string, ok func() bool) {
	w.Helper()
	pace := time.NewTicker(20 * time.Millisecond)
	defer pace.Stop()
	for patience := time.After(30 * time.Second); !ok(); {
		select {
		case <-pace.C:
		case <-patience:
			w.Fatalf("never: %s; taken %d, dropped %d", what, len(w.got(event.DeviceJoined)), len(w.got(event.EventsDropped)))
		}
	}
}

func (w *scene) take(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.Error(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tries++
	rw.WriteHeader(w.status)
	if w.status != http.StatusNoContent {
		return
	}
	var e struct{ Type string }
	if err := json.Unmarshal(body, &e); err != nil {
		w.Error(err)
	}
	id := r.Header.Get("webhook-id")
	w.taken = append(w.taken, id+" "+e.Type)
	w.bodies[id] = string(body)
}

func (w *scene) answers(status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status, w.tries = status, 0
}

func (w *scene) tried() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.tries
}

// got are the ids of the events of a type that were taken.
func (w *scene) got(t event.Type) (ids []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, one := range w.taken {
		if id, found := strings.CutSuffix(one, " "+string(t)); found {
			ids = append(ids, id)
		}
	}
	return ids
}

// post has a shard tell of so many devices.
func (w *scene) post(id cluster.ShardID, n int) {
	w.Helper()
	for i := range n {
		h, leads := w.nodes[max(0, int(id)-1)].Lead(id)
		if !leads {
			w.Fatal("the shard has no leader")
		}
		f := event.Fact{Type: event.DeviceJoined, Realm: "one", SSOID: "viewer", Device: []byte("tv")}
		w.must(h.Commit(w.Context(), cluster.Commit{Events: w.outbox.Named(f, w.now(), fmt.Sprint(id, "/", i))}))
	}
}

// queued reports whether an event of a type waits in a shard.
func (w *scene) queued(id cluster.ShardID, t event.Type) (found bool) {
	w.Helper()
	h, _ := w.nodes[max(0, int(id)-1)].Lead(id)
	w.must(h.Events(cluster.EventQueue, ReceiverOf("one", w.cfg.Realms[0].Webhooks[0]), 0, func(_ cluster.EventKey, body []byte) bool {
		found = found || strings.Contains(string(body), string(t))
		return true
	}))
	return found
}

// others are the other nodes, for the first.
type others struct{ *scene }

func (o others) Leaders() (map[string][]cluster.ShardID, error) {
	return map[string][]cluster.ShardID{"": {0, 1}, "b": {2}}, nil
}

func (o others) Ask(ctx context.Context, node string, request []byte) ([]byte, error) {
	if node != "b" {
		return nil, fmt.Errorf("no node %s", node)
	}
	return o.here[1].Serve(ctx, request)
}

func (w *scene) everywhere() Everywhere { return Everywhere{Here: w.here[0], Others: others{w}} }

// list reads all pages of a size.
func (w *scene) list(realm string, page int) (all Listing) {
	w.Helper()
	for {
		l, err := w.everywhere().List(w.Context(), realm, all.Next, page)
		w.must(err)
		all.Receivers = append(all.Receivers, l.Receivers...)
		all.Letters = append(all.Letters, l.Letters...)
		if all.Next = l.Next; l.Next == "" {
			return all
		}
	}
}

// TestDeadLettersAreSentAgain: what a receiver does not take for a day is given up, listed on
// all nodes, and sent again with the same ids when an operator says so.
func TestDeadLettersAreSentAgain(t *testing.T) {
	w := newScene(t, http.StatusGone, 0, nil)
	w.post(1, 3)
	w.post(2, 2)
	w.until("a delivery", func() bool { return w.tried() > 0 })
	w.until("what waits is counted", func() bool { return w.list("one", 10).Receivers[0].Waiting == 5 })
	waits := w.list("one", 10).Receivers[0]
	if len(w.list("", 10).Letters) != 0 || waits.Dead != 0 || waits.Oldest == nil || !strings.Contains(waits.Why, "410") || strings.Contains(waits.Receiver, "hidden") {
		t.Errorf("while it waits: %+v", waits)
	}
	w.pass(Life)
	w.flow("dead letters", func() bool { return len(w.list("one", 10).Letters) == 5 })
	var ids []string
	for _, l := range w.list("one", 2).Letters {
		if ids = append(ids, l.ID); l.Type != "device.joined" || l.Realm != "one" || l.Receiver == "" || l.Died.Sub(l.Happened) < Life {
			t.Errorf("a dead letter is shown as %+v", l)
		}
	}
	if slices.Sort(ids); len(slices.Compact(slices.Clone(ids))) != 5 {
		t.Errorf("pages of two have %v", ids)
	}
	if l := w.list("two", 10); len(l.Receivers)+len(l.Letters) != 0 {
		t.Errorf("another realm has %+v", l)
	}

	w.answers(http.StatusNoContent)
	w.mu.Lock()
	w.slow = 2 * Life // the clocks are set right, and the time of the shards stays
	w.mu.Unlock()
	ctx := t.Context()
	if err := w.everywhere().Replay(ctx, "msg_none"); !errors.Is(err, ErrNoLetter) {
		t.Errorf("replay of none: %v", err)
	}
	w.must(w.everywhere().Replay(ctx, ids[0]))
	w.flow("one event", func() bool { return len(w.got(event.DeviceJoined)) == 1 })
	if got := w.got(event.DeviceJoined); got[0] != ids[0] {
		t.Errorf("sent again: %v, want %v", got, ids[0])
	}
	if _, err := w.everywhere().ReplayAll(ctx, "one", "http://127.0.0.1/another"); !errors.Is(err, ErrNoLetter) {
		t.Errorf("replay for another receiver: %v", err)
	}
	n, err := w.everywhere().ReplayAll(ctx, "one", w.cfg.Realms[0].Webhooks[0].URL)
	if err != nil || n != 4 {
		t.Errorf("replay of all: %d, %v", n, err)
	}
	w.flow("all events", func() bool { return len(w.got(event.DeviceJoined)) == 5 })
	got := w.got(event.DeviceJoined)
	if slices.Sort(got); !slices.Equal(got, ids) {
		t.Errorf("sent again: %v, want %v", got, ids)
	}
	w.flow("nothing is left", func() bool { l := w.list("", 10); return len(l.Letters) == 0 && l.Receivers[0].Waiting == 0 })
}

// told sums up what events.dropped says.
func (w *scene) told() (count int, since string) {
	for _, id := range w.got(event.EventsDropped) {
		var e struct {
			Data struct {
				Count int
				Since string
			}
		}
		w.mu.Lock()
		body := w.bodies[id]
		w.mu.Unlock()
		w.must(json.Unmarshal([]byte(body), &e))
		if count += e.Data.Count; since == "" {
			since = e.Data.Since
		}
	}
	return count, since
}

// TestTheOldestGoWhenTooMuchWaits, the receiver is told how many, and gets the others.
func TestTheOldestGoWhenTooMuchWaits(t *testing.T) {
	const posted, limit = 60, 10 << 10
	w := newScene(t, http.StatusServiceUnavailable, limit, nil)
	w.post(1, posted)
	w.flow("the oldest go", func() bool { return w.queued(1, event.EventsDropped) })
	w.answers(http.StatusNoContent)
	w.flow("all others", func() bool {
		count, _ := w.told()
		return count > 0 && count+len(w.got(event.DeviceJoined)) == posted
	})
	got := w.got(event.DeviceJoined)
	if len(w.list("", 10).Letters) != 0 {
		t.Error("what goes for want of room is kept")
	}
	all := w.outbox.Named(event.Fact{Type: event.DeviceJoined, Realm: "one"}, w.now(), fmt.Sprint(1, "/", posted-1))
	if last, err := parseLetter(all[0].Body); err != nil || got[len(got)-1] != last.name() {
		t.Errorf("the newest is not among the %d that are left", len(got))
	}
}

// TestADayIsTheLimit: what is older is given up, and the receiver is told how many and since
// when.
func TestADayIsTheLimit(t *testing.T) {
	w := newScene(t, http.StatusInternalServerError, 0, nil)
	happened := w.now()
	w.post(1, 4)
	w.until("a delivery", func() bool { return w.tried() > 0 })
	w.pass(Life - time.Minute)
	w.post(2, 1)
	w.pass(time.Minute)
	w.flow("dead letters", func() bool { return len(w.list("one", 10).Letters) == 4 })
	w.answers(http.StatusNoContent)
	w.flow("it is told", func() bool { count, _ := w.told(); return count == 4 && len(w.got(event.DeviceJoined)) == 1 })
	if _, since := w.told(); since != stamp(happened) {
		t.Errorf("told since %s, want %s", since, stamp(happened))
	}
}

// TestWhatIsGivenUpIsToldOnce, also if nobody knows whether the commit that tells it was
// applied, and if another term has begun.
func TestWhatIsGivenUpIsToldOnce(t *testing.T) {
	for _, fault := range []faulty.Fault{faulty.UnknownDone, faulty.UnknownNotDone, faulty.FlapDone, faulty.Flap, faulty.Refuse} {
		t.Run(fault.String(), func(t *testing.T) {
			const posted = 5
			faults := 2 // of the first commits of marks
			w := newScene(t, http.StatusInternalServerError, 0, func(op faulty.Op) faulty.Fault {
				if len(op.Commit.Marks) == 0 || faults == 0 {
					return faulty.None
				}
				faults--
				return fault
			})
			w.post(1, posted)
			w.until("a delivery", func() bool { return w.tried() > 0 })
			w.pass(Life)
			w.flow("dead letters", func() bool { return len(w.list("one", 10).Letters) == posted })
			w.answers(http.StatusNoContent)
			w.flow("nothing is left", func() bool { return len(w.got(event.EventsDropped)) > 0 && w.list("", 10).Receivers[0].Waiting == 0 })
			if count, _ := w.told(); count != posted {
				t.Errorf("told of %d that were given up, want %d", count, posted)
			}
		})
	}
}
