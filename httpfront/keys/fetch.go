package keys

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"ssod/httpfront/config"
)

// How often an issuer's keys are fetched.
const (
	fetchEvery   = 10 * time.Minute
	fetchRetry   = 5 * time.Second  // after a failure, doubled each time
	fetchAgain   = 30 * time.Second // at most so often because of unknown kids
	fetchTimeout = 5 * time.Second
	waitForFetch = time.Second // a request waits so long for a key
	maxWaiting   = 128         // requests, per issuer
)

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

// fetcher keeps one issuer's keys fresh. While the URL is down, the keys that
// it had last stay good.
type fetcher struct {
	url    string
	issuer string
	owner  *issuers
	set    *keySet
	after  func(time.Duration) <-chan time.Time

	cancel context.CancelFunc
	ended  chan struct{}
	wake   chan struct{}

	mu      sync.Mutex
	done    chan struct{} // closed when the fetch in progress is over
	pending bool          // a fetch is in progress or asked for
	asked   time.Time     // last because of an unknown kid
	waiting int
}

func newRemoteSet(owner *issuers, t config.TrustedIssuer) *keySet {
	set := &keySet{}
	set.keys.Store(new([]issuerKey))
	set.fetcher = &fetcher{
		url: t.JWKSURL, issuer: t.Issuer, owner: owner, set: set, after: time.After,
		wake: make(chan struct{}, 1), done: make(chan struct{}), pending: true,
	}
	return set
}

func (f *fetcher) start() {
	ctx, cancel := context.WithCancel(context.Background())
	f.cancel, f.ended = cancel, make(chan struct{})
	go func() {
		defer close(f.ended)
		f.run(ctx)
	}()
}

func (f *fetcher) stop() {
	f.cancel()
	<-f.ended
}

// run fetches until ctx ends: at once, then in regular intervals, sooner after
// a failure and when again asks for it.
func (f *fetcher) run(ctx context.Context) {
	failures := 0
	for {
		failures++
		if err := f.fetch(ctx); err == nil {
			failures = 0
		} else if ctx.Err() == nil {
			f.owner.log.Warn("keys of an issuer not fetched", "issuer", f.issuer, "failures", failures, "error", err)
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

// pause is how long to wait after so many failures, give or take a tenth: the
// nodes of a cluster shall not fetch in step. jitter is in [0, 1).
func pause(failures int, jitter float64) time.Duration {
	wait := fetchEvery
	if failures > 0 && failures < 8 {
		wait = min(wait, fetchRetry<<(failures-1))
	}
	return time.Duration(float64(wait) * (0.9 + 0.2*jitter))
}

// announce tells those who wait that a fetch is over.
func (f *fetcher) announce() {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.done)
	f.done, f.pending = make(chan struct{}), false
}

// again has the keys fetched once more and waits a moment for them. It reports
// false at once when they were fetched for this reason just before, or when
// too many wait already.
func (f *fetcher) again() bool {
	f.mu.Lock()
	now := f.owner.now()
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

// fetch gets the keys once. What is wrong with a document changes nothing.
func (f *fetcher) fetch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, f.url, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "application/jwk-set+json, application/json")
	response, err := f.owner.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, maxKeySet+1))
	if err != nil {
		return err
	}
	if len(data) > maxKeySet {
		return fmt.Errorf("more than %d bytes", maxKeySet)
	}
	keys, err := parseJWKS(data)
	if err != nil {
		return err
	}
	if !slices.EqualFunc(*f.set.keys.Load(), keys, issuerKey.equal) {
		f.set.keys.Store(&keys)
		f.owner.version.Add(1)
	}
	return nil
}

// CheckIssuer finds the mistakes that can be seen in an external issuer before
// it is used: a file that does not hold keys, a URL that is not safe, a name
// that belongs to somebody else.
func CheckIssuer(t config.TrustedIssuer) error {
	if t.Issuer == "" || t.Issuer == OwnIssuer || t.Issuer == NamespaceSSO || strings.HasPrefix(t.Issuer, "platform:") {
		return fmt.Errorf("trusted issuer %q: the name is reserved", t.Issuer)
	}
	if t.JWKSURL == "" {
		_, err := readKeys(t)
		return err
	}
	if err := checkURL(t.JWKSURL); err != nil {
		return fmt.Errorf("trusted issuer %q: jwksURL: %w", t.Issuer, err)
	}
	return nil
}

// checkURL accepts https, and http to this machine.
func checkURL(text string) error {
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
