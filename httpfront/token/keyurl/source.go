package keyurl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"ssod/httpfront/token/keyset"
)

// How often keys are fetched.
const (
	fetchEvery   = 10 * time.Minute
	fetchRetry   = 5 * time.Second  // after a failure, doubled each time
	fetchAgain   = 30 * time.Second // at most so often because of unknown kids
	fetchTimeout = 5 * time.Second
	waitForFetch = time.Second // a request waits so long for a key
	maxWaiting   = 128         // requests, per source
	maxDocument  = 256 << 10   // bytes
)

// MaxSilence is how long fetches may fail before an operator should look: keys that were
// revoked meanwhile are still accepted.
const MaxSilence = 24 * time.Hour

// plainClient takes what the configured URL gives and follows it nowhere.
func plainClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableKeepAlives = true
	return &http.Client{
		Transport:     transport,
		Timeout:       fetchTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Options is what a [Source] needs.
type Options struct {
	URL string
	// Issuer is whose keys these are, for the log.
	Issuer string
	// Take reads a document and makes its keys those that count, but for some that
	// are of no use. When it fails nothing changes.
	Take func(document []byte) (keyset.Unused, error)
	// Client fetches; nil means one that follows no redirect.
	Client *http.Client
	Now    func() time.Time // nil means time.Now
	Log    *slog.Logger     // nil means slog.Default
}

// Source keeps somebody's keys fresh. While the URL is down, the keys that it had
// last stay good. It is safe for concurrent use.
type Source struct {
	Options
	after func(time.Duration) <-chan time.Time

	unused string // of the last document, as it was logged

	cancel context.CancelFunc
	ended  chan struct{}
	wake   chan struct{}

	mu      sync.Mutex
	contact time.Time     // when keys were fetched last, or Start
	done    chan struct{} // closed when the fetch in progress is over
	pending bool          // a fetch is in progress or asked for
	asked   time.Time     // last because of an unknown kid
	waiting int
}

// New returns a source that does nothing yet.
func New(o Options) *Source {
	if o.Client == nil {
		o.Client = plainClient()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Source{Options: o, after: time.After, wake: make(chan struct{}, 1), done: make(chan struct{}), pending: true}
}

// Start begins to fetch, until Stop.
func (f *Source) Start() {
	f.touch()
	ctx, cancel := context.WithCancel(context.Background())
	f.cancel, f.ended = cancel, make(chan struct{})
	go func() {
		defer close(f.ended)
		f.run(ctx)
	}()
}

// Stop ends a source that was started.
func (f *Source) Stop() {
	f.cancel()
	<-f.ended
}

// run fetches until ctx ends: at once, then in regular intervals, sooner after
// a failure and when Again asks for it.
func (f *Source) run(ctx context.Context) {
	failures := 0
	for {
		failures++
		if err := f.Fetch(ctx); err == nil {
			failures = 0
		} else if ctx.Err() == nil {
			f.Log.Warn("keys of an issuer not fetched", "issuer", f.Issuer, "failures", failures, "error", err)
		}
		f.announce()
		select {
		case <-ctx.Done():
			return
		case <-f.after(pause(failures, rand.Float64())):
		case <-f.wake:
		}
	}
}

// pause is how long to wait after a number of failures, plus or minus a tenth, so that the
// nodes of a cluster do not fetch in step. jitter is in [0, 1).
func pause(failures int, jitter float64) time.Duration {
	wait := fetchEvery
	if failures > 0 && failures < 8 {
		wait = min(wait, fetchRetry<<(failures-1))
	}
	return time.Duration(float64(wait) * (0.9 + 0.2*jitter))
}

// announce wakes those that wait for a fetch.
func (f *Source) announce() {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.done)
	f.done, f.pending = make(chan struct{}), false
}

// Again has the keys fetched once more and waits a moment for them. It reports
// false at once when they were fetched for this reason just before, or when
// too many wait already.
func (f *Source) Again() bool {
	f.mu.Lock()
	now := f.Now()
	if !f.pending && now.Sub(f.asked) >= fetchAgain {
		f.asked, f.pending = now, true
		select {
		case f.wake <- struct{}{}:
		default: // the loop was asked before and did not come to it
		}
	}
	if !f.pending || f.waiting == maxWaiting {
		f.mu.Unlock()
		return false
	}
	f.waiting++
	done := f.done
	f.mu.Unlock()
	timer := time.NewTimer(waitForFetch)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
	f.mu.Lock()
	f.waiting--
	f.mu.Unlock()
	return true
}

// Fetch gets the keys once; a source that was started does it itself. What is
// wrong with a document changes nothing.
func (f *Source) Fetch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, f.URL, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "application/jwk-set+json, application/json")
	response, err := f.Client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, maxDocument+1))
	if err != nil {
		return err
	}
	if len(data) > maxDocument {
		return fmt.Errorf("more than %d bytes", maxDocument)
	}
	unused, err := f.Take(data)
	if err == nil {
		f.touch()
		f.tell(unused.String())
	}
	return err
}

func (f *Source) touch() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.contact = f.Now()
}

// Silent reports whether no keys could be fetched for longer than [MaxSilence].
func (f *Source) Silent() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.Now().Sub(f.contact) > MaxSilence
}

// tell logs the unusable keys of a document, once until they change.
func (f *Source) tell(unused string) {
	if unused != f.unused && unused != "" {
		f.Log.Warn("not all keys of an issuer are used", "issuer", f.Issuer, "unused", unused)
	}
	f.unused = unused
}

// CheckURL accepts https, and http to this machine.
func CheckURL(text string) error {
	u, err := url.Parse(text)
	if err != nil {
		return err
	}
	if u.Host == "" || u.User != nil {
		return errors.New("want an absolute URL without credentials")
	}
	address, err := netip.ParseAddr(u.Hostname())
	loopback := u.Hostname() == "localhost" || err == nil && address.IsLoopback()
	if u.Scheme == "https" || u.Scheme == "http" && loopback {
		return nil
	}
	return errors.New("want https (http only on a loopback address)")
}
