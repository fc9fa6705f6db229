package wallclock

import (
	"context"
	"sync"
	"time"
)

// Config is what a [Watch] needs.
type Config struct {
	// Clock is the wall clock; nil means time.Now.
	Clock func() time.Time
	// Up is how long the process has run, by a clock that cannot be set; nil means Go's
	// monotonic clock, which on Linux stops while the machine sleeps.
	Up func() time.Duration
	// Stored is what [Config.Store] was last given; nil: nothing.
	Stored []byte
	// Store keeps the state for a restart. If a crash loses it, less is confirmed.
	Store func([]byte) error
	// Trusted: with nothing stored the clock is right. Else nothing is confirmed until it
	// is learned or has stood.
	Trusted bool
	// Failed is called when Store fails; it may be nil.
	Failed func(error)
}

// Watch is the watch of one clock. It is safe for concurrent use.
type Watch struct {
	cfg  Config
	base time.Duration // uptime of earlier runs

	mu      sync.Mutex
	account account
	saved   time.Duration // pending when it was last stored
}

// New begins to watch.
func New(cfg Config) (*Watch, error) {
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Up == nil {
		began := time.Now()
		cfg.Up = func() time.Duration { return time.Since(began) }
	}
	if cfg.Failed == nil {
		cfg.Failed = func(error) {}
	}
	w := &Watch{cfg: cfg}
	var err error
	switch {
	case cfg.Stored != nil:
		w.account, err = decode(cfg.Stored)
	case cfg.Trusted:
		w.account.Confirmed = w.wall()
	default:
		w.account.Confirmed = time.Unix(0, 0)
	}
	w.base = w.account.Up - cfg.Up()
	w.observe()
	return w, err
}

// wall is the clock without its monotonic reading, which would be used in differences
// instead.
func (w *Watch) wall() time.Time { return w.cfg.Clock().Round(0) }

// observe looks at the clock and returns the account.
func (w *Watch) observe() account {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.account.observe(w.wall(), w.base+w.cfg.Up())
	return w.account
}

// Confirmed is the confirmed time now.
func (w *Watch) Confirmed() time.Time { return w.observe().Confirmed }

// Unconfirmed is how far the clock is ahead of the confirmed time, and the uptime after
// which all of it is confirmed.
func (w *Watch) Unconfirmed() (ahead, wait time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a := &w.account
	a.observe(w.wall(), w.base+w.cfg.Up())
	if n := len(a.Leaps); n > 0 {
		wait = a.Leaps[n-1].At + Stand - a.Up
	}
	return a.pending(), wait
}

// Learn takes over that a time was confirmed elsewhere, or by hand.
func (w *Watch) Learn(confirmed time.Time) {
	w.observe()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.account.learn(confirmed)
}

// SetBack goes back to the clock if the confirmed time is ahead of it, once for
// the operator's decision that was made at a time.
func (w *Watch) SetBack(at time.Time) {
	w.observe()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.account.setBack(w.wall(), at)
}

// Run looks at the clock every second and stores the account every minute, when leaps have
// come or gone, and at the end. So a crash loses at most a second in which a clock was set.
func (w *Watch) Run(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for n := 0; ; n++ {
		w.observe()
		if n%60 == 0 || w.leapt() {
			w.Save()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			w.Save()
			return
		}
	}
}

// leapt reports whether leaps have come or gone since the account was stored.
func (w *Watch) leapt() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return (w.account.pending() - w.saved).Abs() > noise
}

// Save stores the account.
func (w *Watch) Save() {
	w.mu.Lock()
	b := w.account.encode()
	w.saved = w.account.pending()
	w.mu.Unlock()
	if err := w.cfg.Store(b); err != nil {
		w.cfg.Failed(err)
	}
}
