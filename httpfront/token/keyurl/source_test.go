package keyurl

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ssod/httpfront/token/keyset"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// publisher publishes a document, or fails, as the test likes.
type publisher struct {
	*httptest.Server
	document atomic.Pointer[[]byte] // nil: 500
}

func newPublisher(t *testing.T) *publisher {
	p := &publisher{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if document := p.document.Load(); document != nil {
			_, _ = w.Write(*document)
			return
		}
		w.WriteHeader(http.StatusInternalServerError)
	}))
	t.Cleanup(p.Close)
	return p
}

var errDocument = errors.New("not the document that was expected")

// newSource takes the document "keys" only.
func newSource(t *testing.T, url string) (s *Source, taken *atomic.Int64) {
	t.Helper()
	taken = &atomic.Int64{}
	return New(Options{URL: url, Log: slog.New(slog.DiscardHandler), Take: func(document []byte) (none keyset.Unused, err error) {
		if string(document) != "keys" {
			return none, errDocument
		}
		taken.Add(1)
		return none, nil
	}}), taken
}

// TestUnusedKeysAreToldOnce: what is of no use in a set stands in the log when it
// is new, and not again with every fetch.
func TestUnusedKeysAreToldOnce(t *testing.T) {
	var log bytes.Buffer
	s := New(Options{Issuer: "https://idp.example", Log: slog.New(slog.NewTextHandler(&log, nil))})
	one, two := unused(t, `{"keys":[{"kty":"AKP","kid":"pq"}]}`), unused(t, `{"keys":[{"kty":"AKP","kid":"pq"},{"kty":"RSA"}]}`)
	for _, told := range []struct {
		unused string
		lines  int
	}{{one, 1}, {one, 1}, {two, 2}, {two, 2}, {"", 2}, {one, 3}} {
		s.tell(told.unused)
		if got := strings.Count(log.String(), "not all keys of an issuer are used"); got != told.lines {
			t.Errorf("after %q: %d lines, want %d", told.unused, got, told.lines)
		}
	}
	if text := log.String(); !strings.Contains(text, "issuer=https://idp.example") || !strings.Contains(text, `(\"pq\"): kty \"AKP\" is not known`) {
		t.Errorf("the log says %s", text)
	}
}

// unused is what a set without a key of use says.
func unused(t *testing.T, document string) string {
	t.Helper()
	_, err := keyset.Parse([]byte(document), keyset.Wanted{})
	if err == nil {
		t.Fatal("a key was used")
	}
	return err.Error()
}

// The pauses between fetches, on a clock of the test's own.
func TestFetchesGoOnForEver(t *testing.T) {
	server := newPublisher(t)
	s, taken := newSource(t, server.URL)
	pauses, wakes := make(chan time.Duration), make(chan time.Time)
	s.after = func(d time.Duration) <-chan time.Time { pauses <- d; return wakes }
	s.Start()
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
	server.document.Store(new([]byte("keys")))
	wakes <- time.Time{}
	around(fetchEvery)
	if taken.Load() != 1 {
		t.Error("no keys after the URL came back")
	}
	s.Stop()
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

func TestWhatIsNotTheDocumentIsNotTaken(t *testing.T) {
	server := newPublisher(t)
	redirect := httptest.NewServer(http.RedirectHandler(server.URL, http.StatusFound))
	defer redirect.Close()
	large := bytes.Repeat([]byte(" "), maxDocument+1)
	for _, tt := range []struct {
		name, url string
		document  *[]byte
	}{
		{"refused by who reads it", server.URL, new([]byte("<html>"))},
		{"too large", server.URL, &large},
		{"an error", server.URL, nil},
		{"a redirect", redirect.URL, new([]byte("keys"))},
		{"nobody listens", "http://127.0.0.1:1/", nil},
	} {
		server.document.Store(tt.document)
		s, taken := newSource(t, tt.url)
		if err := s.Fetch(t.Context()); err == nil || taken.Load() != 0 {
			t.Errorf("%s: got %v, %d documents taken", tt.name, err, taken.Load())
		}
	}
}

// A URL that never answers holds up nobody for long, and only a few.
func TestSilentURL(t *testing.T) {
	hold := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hold }))
	defer silent.Close()
	defer close(hold)
	s, _ := newSource(t, silent.URL)
	s.Start()
	defer s.Stop()
	results := make(chan bool)
	for range maxWaiting {
		go func() { results <- s.Again() }()
	}
	for deadline := time.Now().Add(2 * time.Minute); ; {
		s.mu.Lock()
		all := s.waiting == maxWaiting
		s.mu.Unlock()
		if all {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("not all of them wait")
		}
	}
	if s.Again() {
		t.Error("one too many waited")
	}
	for range maxWaiting {
		<-results
	}
}

func TestCheckURL(t *testing.T) {
	for url, good := range map[string]bool{
		"https://id.example/keys": true, "http://127.0.0.1:1/keys": true, "http://localhost/keys": true,
		"http://id.example/keys": false, "https://user@id.example/": false, "/keys": false, "ftp://127.0.0.1/": false, "": false,
	} {
		if err := CheckURL(url); (err == nil) != good {
			t.Errorf("%q: got %v", url, err)
		}
	}
}

// TestSilence: whose keys could not be fetched for a day is told of, until they are
// again.
func TestSilence(t *testing.T) {
	p := newPublisher(t)
	s, _ := newSource(t, p.URL)
	now := time.Date(2026, 1, 2, 20, 0, 0, 0, time.UTC)
	s.Now = func() time.Time { return now }
	s.touch() // as Start does
	expect := func(when string, want bool) {
		t.Helper()
		if got := s.Silent(); got != want {
			t.Errorf("%s: got %v, want %v", when, got, want)
		}
	}
	keys, nonsense := []byte("keys"), []byte("nonsense")
	for _, step := range []struct {
		when   string
		after  time.Duration
		answer *[]byte
		want   bool
	}{
		{"never fetched", MaxSilence, nil, false},
		{"never fetched, for over a day", time.Second, nil, true},
		{"fetched", 0, &keys, false},
		{"a day later", MaxSilence, nil, false},
		{"and a second", time.Second, &nonsense, true},
		{"again", 0, &keys, false},
	} {
		now = now.Add(step.after)
		p.document.Store(step.answer)
		if err := s.Fetch(t.Context()); (err == nil) != (step.answer == &keys) {
			t.Errorf("%s: fetch: %v", step.when, err)
		}
		expect(step.when, step.want)
	}
}
