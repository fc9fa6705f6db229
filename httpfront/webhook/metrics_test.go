package webhook

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ssod/cluster"
	"ssod/cluster/faulty"
	"ssod/httpfront/config"
)

// still is a dispatcher that does nothing by itself, with a shard that it leads.
type still struct {
	*Dispatcher
	testing.TB
	registry *prometheus.Registry
	cfg      *config.Config
	secret   string
	lane     *lane
}

func newStill(t testing.TB) *still {
	w := &still{TB: t, registry: prometheus.NewRegistry(), secret: secretFile(t)}
	node := faulty.New(faulty.Options{Shards: 1}).Node("n1")
	shard, _ := node.Lead(1)
	w.lane = newLane(1, shard)
	w.Dispatcher = &Dispatcher{
		options: Options{Shards: node, Settings: func() *config.Config { return w.cfg }, Now: time.Now, Limit: DefaultLimit, Log: slog.New(slog.DiscardHandler)},
		metrics: newMetrics(w.registry), results: make(chan func(), 64),
		receivers: map[uint64]*receiver{}, busy: map[uint64]int{}, unfit: map[uint64]int{}, lanes: map[cluster.ShardID]*lane{1: w.lane},
	}
	w.ctx, w.stop = context.WithCancel(t.Context())
	return w
}

// receive configures receivers and returns their digests.
func (w *still) receive(urls ...string) (ids []uint64) {
	r := &config.Realm{ID: "one"}
	for _, u := range urls {
		hook := config.Webhook{URL: u, SecretFile: w.secret}
		r.Webhooks, ids = append(r.Webhooks, hook), append(ids, ReceiverOf(r.ID, hook))
	}
	w.cfg = &config.Config{Realms: []*config.Realm{r}}
	w.configure()
	return ids
}

// series are the values of a metric by receiver, and the receivers that have any series.
func (w *still) series(name string) (values map[string]float64, all []string) {
	w.Helper()
	families, err := w.registry.Gather()
	if err != nil {
		w.Fatal(err)
	}
	values, named := map[string]float64{}, map[string]bool{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == "receiver" {
					if named[l.GetValue()] = true; f.GetName() == name {
						values[l.GetValue()] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
					}
				}
			}
		}
	}
	return values, slices.Sorted(maps.Keys(named))
}

// TestReceiversHaveSeriesOfTheirOwn, also two of them on one host, without what may be secret
// in their URLs, and as long as they are configured.
func TestReceiversHaveSeriesOfTheirOwn(t *testing.T) {
	w, now := newStill(t), time.Now()
	const one, other = "https://hooks.example/s3cret", "https://hooks.example/0ther"
	for i, id := range w.receive(one, other) {
		w.lane.streams[id] = &stream{receiver: id, count: 3 + i}
	}
	w.metrics.show(w.Dispatcher, now)
	if got, _ := w.series("ssod_events_queued"); got["hooks.example"] != 3 || got["hooks.example#2"] != 4 || len(got) != 2 {
		t.Errorf("two on one host: %v", got)
	}
	gone := w.receivers[w.receive(other, one)[1]]
	w.receive(other)
	w.metrics.show(w.Dispatcher, now)
	if got, all := w.series("ssod_events_queued"); got["hooks.example"] != 4 || len(all) != 1 {
		t.Errorf("one is left: %v, series of %v", got, all)
	}
	it := &item{busy: true}
	w.busy[gone.id] = 1
	w.ended(w.lane, w.lane.streams[gone.id], gone, it, verdict{delivered: true})
	w.receive()
	w.metrics.show(w.Dispatcher, now)
	if _, all := w.series(""); len(all) != 0 || it.fate != delivered {
		t.Errorf("without receivers there are series of %v", all)
	}
}

// TestDeliveriesAreCountedWhateverIsConfigured: a receiver may be taken out while some are
// under way, and come back before they end.
func TestDeliveriesAreCountedWhateverIsConfigured(t *testing.T) {
	const deliveries = 3
	w := newStill(t)
	answer := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-answer }))
	defer server.Close()
	id := w.receive(server.URL)[0]
	s := &stream{receiver: id}
	for n := range deliveries {
		w.begin(w.lane, s, w.receivers[id], &item{letter: letter{ID: [16]byte{byte(n)}, JSON: []byte("{}")}}, time.Now())
	}
	w.receive()
	w.receive(server.URL)
	if w.busy[id] != deliveries {
		t.Errorf("%d deliveries are under way, want %d", w.busy[id], deliveries)
	}
	close(answer)
	for range deliveries {
		(<-w.results)()
	}
	w.done.Wait()
	if len(w.busy) != 0 {
		t.Errorf("none is under way, and counted are %v", w.busy)
	}
}
