package webhook

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ssod/cluster"
	"ssod/httpfront/config"
)

const (
	// pace is how often shards are looked at, while anybody wants events.
	pace = 100 * time.Millisecond
	// idle is how often otherwise.
	idle = time.Second
	// markPace is how often a shard commits what was delivered.
	markPace = time.Second
	// prunePace is how often dead letters are looked through.
	prunePace = time.Minute
	// DefaultLimit bounds the bytes that wait in the shards that a node leads.
	DefaultLimit = 1 << 30
	// countPace is how many events a turn counts, so that deliveries do not wait for long after
	// this node has begun to lead shards in which much waits.
	countPace = 16 << 10
	// inMemory is how many events are in memory, about, while there are few streams.
	inMemory = 32 << 10
)

// Options are what a dispatcher needs. All but Limit and Metrics are required.
type Options struct {
	Shards   cluster.Shards
	Settings func() *config.Config
	Now      func() time.Time
	// Limit bounds the bytes that wait in the shards that this node leads: above it the
	// oldest go (default [DefaultLimit]).
	Limit   int64
	Metrics prometheus.Registerer
	Log     *slog.Logger
}

// Dispatcher delivers the events of the shards that this node leads.
type Dispatcher struct {
	options Options
	metrics *metrics
	stop    context.CancelFunc
	ctx     context.Context
	done    sync.WaitGroup
	results chan func()
	calls   chan func()

	troubles atomic.Pointer[[]string]

	mu    sync.Mutex
	unfit map[uint64]int // events that did not fit into commits and are not counted yet, by receiver

	// Only the dispatcher's goroutine uses what follows.
	cfg       *config.Config
	receivers map[uint64]*receiver
	busy      map[uint64]int // deliveries under way, also to receivers that are not configured any more
	lanes     map[cluster.ShardID]*lane
	marked    time.Time
	deaf      bool // the store cannot be read, and that was said
}

// Start begins to deliver.
func Start(o Options) *Dispatcher {
	if o.Limit == 0 {
		o.Limit = DefaultLimit
	}
	d := &Dispatcher{
		options: o, metrics: newMetrics(o.Metrics), results: make(chan func(), 64), calls: make(chan func()),
		receivers: map[uint64]*receiver{}, busy: map[uint64]int{}, unfit: map[uint64]int{}, lanes: map[cluster.ShardID]*lane{},
	}
	d.ctx, d.stop = context.WithCancel(context.Background())
	d.done.Go(d.run)
	return d
}

// Dropped counts events for a receiver that did not fit into the commit that they tell of.
func (d *Dispatcher) Dropped(receiver uint64, n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.unfit[receiver] += n
}

// Close ends deliveries under way: their events are sent again by the next leader.
func (d *Dispatcher) Close() {
	d.stop()
	d.done.Wait()
}

func (d *Dispatcher) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-d.ctx.Done():
			return
		case f := <-d.results:
			f()
		case f := <-d.calls:
			f()
		case <-timer.C:
			timer.Reset(d.turn(d.options.Now()))
		}
	}
}

// turn looks at everything once and returns when to do so again.
func (d *Dispatcher) turn(now time.Time) time.Duration {
	d.configure()
	d.follow()
	marks := now.Sub(d.marked) >= markPace || now.Before(d.marked)
	if marks {
		d.marked = now
		d.bound()
	}
	room, budget := d.room(), countPace
	for _, l := range d.lanes {
		d.heard(l, l.look(room, &budget))
		for _, s := range l.streams {
			if marks || d.free(s.receiver, now) { // the others only to give up what is too old
				d.dispatch(l, s, now)
			}
		}
		if marks {
			d.prune(l, now)
			d.commit(l)
		}
	}
	d.metrics.show(d, now)
	d.note(now)
	if len(d.receivers) == 0 {
		return idle
	}
	return pace
}

// heard reports the first of errors of the store.
func (d *Dispatcher) heard(l *lane, err error) {
	if err != nil && !d.deaf {
		d.options.Log.Error("webhooks: events cannot be read", "shard", l.shard, "error", err)
	}
	d.deaf = err != nil
}

// configure follows the configuration. A receiver that stays keeps what is known of it.
func (d *Dispatcher) configure() {
	cfg := d.options.Settings()
	if cfg == d.cfg {
		return
	}
	d.cfg = cfg
	before := d.receivers
	d.receivers = map[uint64]*receiver{}
	for _, realm := range cfg.Realms {
		all := names(realm.Webhooks)
		for i, w := range realm.Webhooks {
			r := newReceiver(realm.ID, all[i], w)
			if was := before[r.id]; was != nil { // a receiver that was gone gets another chance
				r.failures, r.since, r.why = was.failures, was.since, was.why
			}
			if r.broken != "" {
				d.options.Log.Error("webhooks: a receiver cannot be used", "realm", r.realm, "receiver", r.name, "error", r.broken)
			}
			d.receivers[r.id] = r
		}
	}
	for id, was := range before {
		if r := d.receivers[id]; r == nil || r.name != was.name {
			d.metrics.forget(was)
		}
	}
}

// follow follows the leads of this node.
func (d *Dispatcher) follow() {
	for id := range cluster.ShardID(d.options.Shards.Count() + 1) {
		h, leads := d.options.Shards.Lead(id)
		l := d.lanes[id]
		switch {
		case !leads:
			delete(d.lanes, id)
		case l == nil || l.handle.Term() != h.Term():
			d.lanes[id] = newLane(id, h)
		default:
			l.handle = h
		}
	}
}

// free reports whether one more delivery to a receiver may begin.
func (d *Dispatcher) free(receiver uint64, now time.Time) bool {
	r := d.receivers[receiver]
	return r != nil && r.free(d.busy[receiver], now)
}

// dispatch begins the deliveries of a stream that may begin.
func (d *Dispatcher) dispatch(l *lane, s *stream, now time.Time) {
	shard := l.handle.Now() // a clock of this node's that leaps gives nothing up
	r := d.receivers[s.receiver]
	for _, it := range s.next(now, shard, r != nil) {
		if !d.free(s.receiver, now) {
			return
		}
		exists, err := s.exists(l.handle, it)
		d.heard(l, err)
		switch {
		case err != nil:
			return
		case !exists:
			it.fate = dropped
		default:
			d.begin(l, s, r, it, now)
		}
	}
}

// begin begins one delivery.
func (d *Dispatcher) begin(l *lane, s *stream, r *receiver, it *item, now time.Time) {
	it.busy = true
	d.busy[r.id]++
	d.done.Go(func() {
		v := r.post(d.ctx, it.letter, now)
		d.report(func() { d.ended(l, s, r, it, v) })
	})
}

// report has the dispatcher's goroutine call f.
func (d *Dispatcher) report(f func()) {
	select {
	case d.results <- f:
	case <-d.ctx.Done():
	}
}

// ended takes the end of a delivery.
func (d *Dispatcher) ended(l *lane, s *stream, r *receiver, it *item, v verdict) {
	now := d.options.Now()
	it.busy = false
	if d.busy[r.id]--; d.busy[r.id] == 0 {
		delete(d.busy, r.id)
	}
	it.attempts++
	if v.delivered {
		it.fate, it.letter.JSON = delivered, nil
	} else {
		it.next = now.Add(backoff(it.attempts))
	}
	if r = d.receivers[r.id]; r != nil { // it may be configured anew, or no longer
		d.judged(r, v, now)
	}
	if d.lanes[l.shard] == l && d.free(s.receiver, now) {
		d.dispatch(l, s, now)
	}
}

// judged notes what a receiver made of an event.
func (d *Dispatcher) judged(r *receiver, v verdict, now time.Time) {
	if v.delivered {
		d.metrics.delivered.WithLabelValues(r.labels()...).Inc()
		if r.took() {
			d.options.Log.Info("webhooks: a receiver takes events again", "realm", r.realm, "receiver", r.name)
			d.retry(r.id)
		}
		return
	}
	d.metrics.failed.WithLabelValues(r.labels()...).Inc()
	r.failed(v, now)
	if r.failures == failing || v.gone {
		d.options.Log.Warn("webhooks: a receiver fails; its events wait", "realm", r.realm, "receiver", r.name, "error", v.why)
	}
}

// retry lets what waits for a receiver be sent at once.
func (d *Dispatcher) retry(receiver uint64) {
	for _, l := range d.lanes {
		if s := l.streams[receiver]; s != nil {
			for _, it := range s.items {
				it.next = time.Time{}
			}
		}
	}
}

// commit begins the commit of what has become of events.
func (d *Dispatcher) commit(l *lane) {
	if l.committing {
		return
	}
	c := l.settle(d, l.handle.Now())
	if c == nil {
		return
	}
	l.committing = true
	d.done.Go(func() {
		c.run(d.ctx)
		d.report(func() {
			switch {
			case d.lanes[l.shard] != l:
			case errors.Is(c.err, cluster.ErrUnknown):
				delete(d.lanes, l.shard) // what has become of the events is read again
			default:
				l.settled(c)
				d.metrics.settled(d, c)
			}
		})
	})
}

// why is why a receiver does not get its events.
func (d *Dispatcher) why(receiver uint64) string {
	switch r := d.receivers[receiver]; {
	case r == nil:
		return "no such receiver is configured"
	case r.broken != "":
		return r.broken
	default:
		return r.why
	}
}

// waiting are the bytes that wait in all shards that this node leads.
func (d *Dispatcher) waiting() (bytes int64) {
	for _, l := range d.lanes {
		for _, s := range l.streams {
			bytes += s.bytes
		}
	}
	return bytes
}

// going are the bytes of those of them that only wait for the commit of what has become of
// them.
func (d *Dispatcher) going() (bytes int64) {
	for _, l := range d.lanes {
		for _, s := range l.streams {
			for _, it := range s.items {
				if it.fate != waits {
					bytes += it.size
				}
			}
		}
	}
	return bytes
}

// room is how many events of a stream are in memory.
func (d *Dispatcher) room() int {
	streams, most := 1, window
	for _, l := range d.lanes {
		for _, s := range l.streams {
			if s.count > 0 {
				streams++
			}
		}
	}
	if d.waiting() > d.options.Limit {
		most = overWindow
	}
	return min(most, max(leastWindow, inMemory/streams))
}

// slack is the part of the limit that becomes free when the oldest go: what tells of them
// needs room, too, and must not drive out others.
const slack = 16

// bound drops the oldest of the longest streams when too much waits.
func (d *Dispatcher) bound() {
	waiting := d.waiting() - d.going()
	if waiting <= d.options.Limit {
		return
	}
	var all []*stream
	for _, l := range d.lanes {
		all = slices.AppendSeq(all, maps.Values(l.streams))
	}
	slices.SortFunc(all, func(a, b *stream) int { return cmp.Compare(b.bytes, a.bytes) })
	over := waiting - d.options.Limit + d.options.Limit/slack
	for _, s := range all {
		over -= s.dropOldest(over)
	}
}

// dropOldest drops events of so many bytes, as far as they are in memory.
func (s *stream) dropOldest(bytes int64) (gone int64) {
	for _, it := range s.items {
		if gone >= bytes {
			break
		}
		if it.fate == waits && !it.busy {
			it.fate = dropped
			it.lose()
			gone += it.size
		}
	}
	return gone
}
