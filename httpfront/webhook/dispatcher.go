package webhook

import (
	"context"
	"crypto/rand"
	"log/slog"
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
	// overWindow is the window while too much waits.
	overWindow = 4096
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

	// Only the dispatcher's goroutine uses what follows.
	cfg       *config.Config
	receivers map[uint64]*receiver
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
		receivers: map[uint64]*receiver{}, lanes: map[cluster.ShardID]*lane{},
	}
	d.ctx, d.stop = context.WithCancel(context.Background())
	d.done.Go(d.run)
	return d
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
	for _, l := range d.lanes {
		d.heard(l, l.look(d.room()))
		d.dispatch(l, now)
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
		for _, w := range realm.Webhooks {
			r := newReceiver(realm.ID, w)
			if was := before[r.id]; was != nil { // a receiver that was gone gets another chance
				r.busy, r.failures, r.since, r.why = was.busy, was.failures, was.since, was.why
			}
			if r.broken != "" {
				d.options.Log.Error("webhooks: a receiver cannot be used", "realm", r.realm, "receiver", r.host(), "error", r.broken)
			}
			d.receivers[r.id] = r
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

// dispatch begins the deliveries that may begin.
func (d *Dispatcher) dispatch(l *lane, now time.Time) {
	shard := l.handle.Now() // a clock of this node's that leaps gives nothing up
	for _, s := range l.streams {
		r := d.receivers[s.receiver]
		for _, it := range s.next(now, shard, r != nil) {
			if r == nil || !r.free(now) {
				break
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
}

// begin begins one delivery.
func (d *Dispatcher) begin(l *lane, s *stream, r *receiver, it *item, now time.Time) {
	it.busy = true
	r.busy++
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
	if current := d.receivers[r.id]; current != nil {
		r = current // it was configured anew
	}
	r.busy--
	it.attempts++
	switch {
	case v.delivered:
		it.fate = delivered
		d.metrics.delivered.WithLabelValues(r.realm, r.host()).Inc()
		if r.took() {
			d.options.Log.Info("webhooks: a receiver takes events again", "realm", r.realm, "receiver", r.host())
			d.retry(r.id)
		}
	default:
		d.metrics.failed.WithLabelValues(r.realm, r.host()).Inc()
		r.failed(v, now)
		if r.failures == failing || v.gone {
			d.options.Log.Warn("webhooks: a receiver fails; its events wait", "realm", r.realm, "receiver", r.host(), "error", v.why)
		}
		it.next = now.Add(backoff(it.attempts))
	}
	if d.lanes[l.shard] == l {
		d.dispatch(l, now)
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
			if d.lanes[l.shard] == l {
				d.heard(l, l.settled(c, d.room()))
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

func (d *Dispatcher) room() int {
	if d.waiting() > d.options.Limit {
		return overWindow
	}
	return window
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
	for over := waiting - d.options.Limit + d.options.Limit/slack; over > 0; {
		var longest *stream
		for _, l := range d.lanes {
			for _, s := range l.streams {
				if (longest == nil || s.bytes > longest.bytes) && s.droppable() {
					longest = s
				}
			}
		}
		if longest == nil {
			return // what is being dropped has to be committed first
		}
		over -= longest.dropOldest(over)
	}
}

func (s *stream) droppable() bool {
	for _, it := range s.items {
		if it.fate == waits && !it.busy {
			return true
		}
	}
	return false
}

// dropOldest drops events of so many bytes, as far as they are in memory.
func (s *stream) dropOldest(bytes int64) (gone int64) {
	for _, it := range s.items {
		if gone >= bytes {
			break
		}
		if it.fate == waits && !it.busy {
			it.fate = dropped
			s.lose(it)
			gone += it.size
		}
	}
	return gone
}

// drawID is the id of an event that tells of no commit but its own.
func drawID() (id [16]byte) {
	rand.Read(id[:]) // never fails
	return id
}
