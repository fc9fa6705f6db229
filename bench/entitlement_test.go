package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeProvider answers the calls for logins as the service and its sandbox do. A
// decision needs a login.
type fakeProvider struct {
	mu     sync.Mutex
	logins map[string]bool // devices
}

func startFakeProvider(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(&fakeProvider{logins: map[string]bool{}})
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func (f *fakeProvider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	device := strings.TrimPrefix(r.Header.Get("AP-Device-Identifier"), "fingerprint ")
	login := map[string]any{"type": "regular"}
	switch path := r.URL.Path; {
	case strings.HasSuffix(path, "/sessions"):
		http.SetCookie(w, &http.Cookie{Name: "device", Value: device, Quoted: true})
		answer(w, map[string]any{"url": "/open"})
	case path == "/open":
		w.Header().Set("Location", "http://"+r.Host+"/choose")
		w.WriteHeader(http.StatusFound)
	case path == "/choose" && r.FormValue("viewer") == "ada":
		w.Header().Set("Location", "http://"+r.Host+"/callback")
		w.WriteHeader(http.StatusSeeOther)
	case path == "/callback":
		if cookie, err := r.Cookie("device"); err == nil {
			f.logins[cookie.Value] = true
		}
		w.Header().Set("Location", back)
		w.WriteHeader(http.StatusFound)
	case !f.logins[device]:
		w.WriteHeader(http.StatusForbidden)
	case strings.HasSuffix(path, "/list"):
		answer(w, map[string]any{"devices": device})
	case strings.HasSuffix(path, "/profiles"):
		answer(w, login)
	case strings.Contains(path, "/preauthorize/"):
		answer(w, map[string]any{"authorized": true})
	default:
		answer(w, map[string]any{"authorized": true, "serializedToken": "token"})
	}
}

func answer(w http.ResponseWriter, body any) {
	_ = json.NewEncoder(w).Encode(body) // a broken answer fails the test's client
}

// TestEntitlementRowsAreMeasured logs members in at a fake and fills every row.
func TestEntitlementRowsAreMeasured(t *testing.T) {
	addr := startFakeProvider(t)
	c := &entitlementCommand{Slice: 50 * time.Millisecond, Warm: time.Millisecond, Beside: 2000}
	b := &bench{runCommand: smallRun(), rows: newEntitlementRows(), service: single(addr, nil)}
	for i := range 5 {
		b.members = append(b.members, member{provider: "tv", bearer: "a", device: deviceID("d", i), service: "s"})
	}
	if _, err := b.closed(b.service, &profileFinder{members: b.members}); err == nil {
		t.Error("profiles before a login: got no error")
	}
	if err := logAllIn(t.Context(), addr, b.members); err != nil {
		t.Fatal(err)
	}
	if err := c.round(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	for _, r := range b.report().Rows {
		if r.hasHoles() {
			t.Errorf("row %s has holes: %+v", r.Operation, r)
		}
	}
}

func TestTheLatencyOfOthersHasAMark(t *testing.T) {
	b := &bench{runCommand: smallRun(), rows: newEntitlementRows()}
	for _, tt := range []struct {
		beside time.Duration
		passes bool
	}{{3900 * time.Microsecond, true}, {4100 * time.Microsecond, false}} {
		b.row(listAlone).samples = []sample{slice(100)} // of 2 ms
		beside := slice(0)
		_ = beside.Latency.RecordValues(int64(tt.beside), 100) // in range
		b.row(listBeside).samples = []sample{beside}
		if got := b.reportRow(b.row(listBeside)); got.Passed != tt.passes {
			t.Errorf("%v beside 2 ms: passed %v, mark %q", tt.beside, got.Passed, got.Mark)
		}
	}
}

func TestNamesOfRowsHaveNoCommas(t *testing.T) {
	for _, r := range newEntitlementRows() { // --only separates them by commas
		if strings.Contains(r.name, ",") {
			t.Errorf("row %q", r.name)
		}
	}
}

func TestBareSignaturesAreCounted(t *testing.T) {
	got, err := signatures(20 * time.Millisecond)
	if err != nil || got.Requests < least || !got.rate().measured() {
		t.Errorf("got %d signatures, %v", got.Requests, err)
	}
}
