package keys

import (
	"bytes"
	"context"
	"crypto/rsa"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"ssod/httpfront/config"
)

// keyServer publishes a key set, or fails, as the test likes.
type keyServer struct {
	*httptest.Server
	document atomic.Pointer[[]byte] // nil: 500
	hits     atomic.Int64
}

func newKeyServer(t *testing.T) *keyServer {
	s := &keyServer{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.hits.Add(1)
		if document := s.document.Load(); document != nil {
			w.Write(*document)
			return
		}
		w.WriteHeader(http.StatusInternalServerError)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *keyServer) publish(keys map[string]*rsa.PrivateKey) {
	document := jwksOf(keys)
	s.document.Store(&document)
}

// waitFor polls until the condition holds.
func waitFor(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !condition(); {
		if time.Now().After(deadline) {
			t.Fatalf("timed out: %s", what)
		}
		<-time.After(time.Millisecond)
	}
}

func TestIssuerKeysFromURL(t *testing.T) {
	a, b := issuerPair(0), issuerPair(1)
	server := newKeyServer(t)
	server.publish(map[string]*rsa.PrivateKey{"a": a})
	acme := realm("acme", HS256)
	acme.TrustedIssuers = []config.TrustedIssuer{{Issuer: issuerName, JWKSURL: server.URL}}
	f := newFixture(t, configuration(acme))
	old, young := signRS256(t, a, kid("a"), externalClaims()), signRS256(t, b, kid("b"), externalClaims())

	// The first token waits for the first fetch.
	if err := f.verify(f.realm(), old); err != nil {
		t.Fatalf("first token: %v", err)
	}
	// The URL goes down: what is known stays good, and a restart of nothing
	// but the configuration keeps it.
	server.document.Store(nil)
	if err := f.verify(f.realm(), young); !errors.Is(err, ErrParse) {
		t.Errorf("unknown kid while the URL is down: got %v, want ErrParse", err)
	}
	f.reload(f.cfg.Load())
	if err := f.verify(f.realm(), old); err != nil {
		t.Errorf("known kid while the URL is down: %v", err)
	}
	// It comes back with a new key. Unknown kids were tried a moment ago, so
	// nobody asks again ...
	server.publish(map[string]*rsa.PrivateKey{"b": b})
	asked := server.hits.Load()
	for range 50 {
		if err := f.verify(f.realm(), young); !errors.Is(err, ErrParse) {
			t.Fatalf("within the limit: got %v, want ErrParse", err)
		}
	}
	if got := server.hits.Load(); got != asked {
		t.Errorf("%d fetches for unknown kids within the limit", got-asked)
	}
	// ... until the limit is over; then the first token brings the key.
	f.at(begin.Add(fetchAgain))
	if err := f.verify(f.realm(), young); err != nil {
		t.Errorf("after the limit: %v", err)
	}
	if err := f.verify(f.realm(), old); !errors.Is(err, ErrParse) {
		t.Errorf("a key that is no longer published: got %v, want ErrParse", err)
	}
}

func TestBadDocumentsChangeNothing(t *testing.T) {
	a := issuerPair(0)
	server := newKeyServer(t)
	server.publish(map[string]*rsa.PrivateKey{"a": a})
	set := &keySet{}
	set.keys.Store(new([]issuerKey))
	owner := newIssuers(nil, time.Now, slog.New(slog.NewTextHandler(io.Discard, nil)))
	f := &fetcher{url: server.URL, owner: owner, set: set}
	if err := f.fetch(t.Context()); err != nil || len(*set.keys.Load()) != 1 {
		t.Fatalf("good document: %v", err)
	}
	version := owner.version.Load()
	if err := f.fetch(t.Context()); err != nil || owner.version.Load() != version {
		t.Errorf("the same document again: %v, or it counts as a change", err)
	}
	redirect := httptest.NewServer(http.RedirectHandler(server.URL, http.StatusFound))
	defer redirect.Close()
	for name, document := range map[string][]byte{
		"nothing": {}, "no JSON": []byte("<html>"), "no keys": []byte(`{"keys":[]}`),
		"duplicates": []byte(`{"keys":[],"keys":[]}`),
		"too large":  append(jwksOf(map[string]*rsa.PrivateKey{"x": a}), bytes.Repeat([]byte(" "), maxKeySet)...),
	} {
		server.document.Store(&document)
		if err := f.fetch(t.Context()); err == nil || len(*set.keys.Load()) != 1 || (*set.keys.Load())[0].kid != "a" {
			t.Errorf("%s: %v, or the keys are gone", name, err)
		}
	}
	f.url = redirect.URL
	if err := f.fetch(t.Context()); err == nil {
		t.Error("a redirect is followed")
	}
	f.url = "http://127.0.0.1:1/"
	if err := f.fetch(t.Context()); err == nil {
		t.Error("nobody listens, but there is no error")
	}
}

// The pauses between fetches, on a clock of the test's own.
func TestFetchesGoOnForEver(t *testing.T) {
	server := newKeyServer(t)
	set := newRemoteSet(newIssuers(nil, time.Now, slog.New(slog.NewTextHandler(io.Discard, nil))), config.TrustedIssuer{JWKSURL: server.URL})
	pauses, wakes := make(chan time.Duration), make(chan time.Time)
	set.fetcher.after = func(d time.Duration) <-chan time.Time { pauses <- d; return wakes }
	set.fetcher.start()
	around := func(want time.Duration) {
		t.Helper()
		if got := <-pauses; got < want*9/10 || got > want*11/10 {
			t.Errorf("pause: got %v, want about %v", got, want)
		}
	}
	for _, want := range []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second} {
		around(want)
		wakes <- time.Time{}
	}
	around(40 * time.Second)
	server.publish(map[string]*rsa.PrivateKey{"a": issuerPair(0)})
	wakes <- time.Time{}
	around(fetchEvery)
	if len(*set.keys.Load()) != 1 {
		t.Error("no keys after the URL came back")
	}
	set.fetcher.stop()
}

func TestPauseIsBounded(t *testing.T) {
	for failures := range 100 {
		for _, jitter := range []float64{0, 0.5, 0.999} {
			if got := pause(failures, jitter); got < fetchRetry*9/10 || got > fetchEvery*11/10 {
				t.Errorf("pause(%d, %v) = %v", failures, jitter, got)
			}
		}
	}
}

// A URL that never answers holds up nobody for long, and only a few.
func TestSilentURL(t *testing.T) {
	hold := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hold }))
	defer silent.Close()
	defer close(hold)
	acme := realm("acme", HS256)
	acme.TrustedIssuers = []config.TrustedIssuer{{Issuer: issuerName, JWKSURL: silent.URL}}
	f := newFixture(t, configuration(acme))
	token := signRS256(t, issuerPair(0), kid("a"), externalClaims())
	fetcher := (*f.issuers.sets.Load())[acme.TrustedIssuers[0]].fetcher
	results := make(chan error)
	for range maxWaiting {
		go func() { results <- f.verify(f.realm(), token) }()
	}
	waitFor(t, "all wait", func() bool {
		fetcher.mu.Lock()
		defer fetcher.mu.Unlock()
		return fetcher.waiting == maxWaiting
	})
	start := time.Now()
	if err := f.verify(f.realm(), token); !errors.Is(err, ErrParse) || time.Since(start) > waitForFetch/2 {
		t.Errorf("one too many: got %v after %v, want ErrParse at once", err, time.Since(start))
	}
	for range maxWaiting {
		if err := <-results; !errors.Is(err, ErrParse) {
			t.Errorf("got %v, want ErrParse", err)
		}
	}
}

// Issuers that are gone from the configuration are not fetched any more.
func TestRemovedIssuerIsForgotten(t *testing.T) {
	server := newKeyServer(t)
	server.publish(map[string]*rsa.PrivateKey{"a": issuerPair(0)})
	acme := realm("acme", HS256)
	acme.TrustedIssuers = []config.TrustedIssuer{{Issuer: issuerName, JWKSURL: server.URL}}
	f := newFixture(t, configuration(acme))
	token := signRS256(t, issuerPair(0), kid("a"), externalClaims())
	if err := f.verify(f.realm(), token); err != nil {
		t.Fatal(err)
	}
	fetcher := (*f.issuers.sets.Load())[acme.TrustedIssuers[0]].fetcher
	f.reload(configuration(realm("acme", HS256)))
	<-fetcher.ended
	if err := f.verify(f.realm(), token); !errors.Is(err, ErrParse) {
		t.Errorf("got %v, want ErrParse", err)
	}
	if err := f.Sync(context.Background(), f.cfg.Load()); err != nil {
		t.Fatal(err)
	}
}
