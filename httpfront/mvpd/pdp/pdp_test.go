package pdp_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
	"ssod/httpfront/mvpd/pdp"
)

// connector has nothing but a decider.
type connector struct {
	mvpd.Connector
	decider mvpd.Decider
}

// Decide implements [mvpd.Connector].
func (c connector) Decide(ctx context.Context, q mvpd.Question) ([]mvpd.Decision, error) {
	return c.decider.Decide(ctx, q)
}

// provider is a provider with a decision point.
func provider(t *testing.T, keys string) *mvpd.Provider {
	t.Helper()
	cfg, err := config.Parse([]byte(`realms: [{id: acme, serviceProviders: [ONE], mvpds: [{id: A, kind: oidc, issuer: "https://a.example", clientId: c, `+keys+`}]}]`), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	r := mvpd.NewRegistry(map[string]mvpd.Maker{"oidc": func(_ *config.Config, _ *config.Realm, m *config.MVPD) (mvpd.Connector, error) {
		d, err := pdp.New(m, pdp.Options{Issuer: m.ClientID, Now: time.Now, Log: log})
		return connector{decider: d}, err
	}}, log)
	p, err := r.Find(cfg, cfg.Realms[0], "ONE", "A")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func verdict(t *testing.T, p *mvpd.Provider) mvpd.Verdict {
	return p.Decide(t.Context(), mvpd.Question{Subject: "viewer-1", Resources: []string{"news"}})[0].Verdict
}

// faults are what decision points do wrong; cmd/ssod/docs/operating.md#decision-points-that-fail.
var faults = map[string]struct {
	serve http.HandlerFunc
	want  mvpd.Verdict
}{
	"401":        {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }, mvpd.Unreadable},
	"500":        {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, mvpd.Unreadable},
	"a redirect": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) }, mvpd.Unreadable},
	"a page":     {func(w http.ResponseWriter, _ *http.Request) { answer(w, "text/html", "<html>") }, mvpd.Unreadable},
	"garbage":    {func(w http.ResponseWriter, r *http.Request) { answer(w, typeOf(r), "\x00garbage") }, mvpd.Unreadable},
	"too much":   {func(w http.ResponseWriter, r *http.Request) { answer(w, typeOf(r), strings.Repeat(" ", 1<<20)) }, mvpd.Unreadable},
	"a reset":    {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, mvpd.Unreadable},
	"no head in time": {func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // else its end is not noticed
		<-r.Context().Done()
	}, mvpd.TimedOut},
	"no body in time": {func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		answer(w, typeOf(r), " ")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}, mvpd.TimedOut},
}

func answer(w http.ResponseWriter, kind, text string) {
	w.Header().Set("Content-Type", kind)
	_, _ = io.WriteString(w, text)
}

// typeOf is the type of an answer to a question of this type.
func typeOf(r *http.Request) string { return r.Header.Get("Content-Type") }

// TestAPointThatFails: the fault is an error of each resource, and after five of them in
// a row the point is left alone.
func TestAPointThatFails(t *testing.T) {
	for name, fault := range faults {
		for _, key := range []string{"authzURL", "xacmlURL"} {
			var asked atomic.Int64
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				fault.serve(w, r)
			}))
			within := "9s"
			if fault.want == mvpd.TimedOut {
				within = "200ms"
			}
			p := provider(t, "decisionTimeout: "+within+", "+key+`: "`+s.URL+`"`)
			for range 5 {
				if got := verdict(t, p); got != fault.want {
					t.Errorf("%s, %s: got %s, want %s", name, key, got.Code(false), fault.want.Code(false))
				}
			}
			before := asked.Load()
			if got := verdict(t, p); got != mvpd.Unreadable || asked.Load() != before {
				t.Errorf("%s, %s: after five faults %s, and it was asked %d times more", name, key, got.Code(false), asked.Load()-before)
			}
			s.Close()
		}
	}
}

func TestAPointThatIsDown(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + l.Addr().String()
	l.Close()
	if got := verdict(t, provider(t, `authzURL: "`+url+`"`)); got != mvpd.Unreadable {
		t.Errorf("got %s", got.Code(false))
	}
}

// TestDenialsAreNoFaults: a point that decides is asked on.
func TestDenialsAreNoFaults(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		answer(w, "application/json", `{"decision": false}`)
	}))
	t.Cleanup(s.Close)
	p := provider(t, `authzURL: "`+s.URL+`"`)
	for range 20 {
		if got := verdict(t, p); got != mvpd.Denied {
			t.Fatalf("got %s", got.Code(false))
		}
	}
}

func TestWithoutAPoint(t *testing.T) {
	for keys, want := range map[string]mvpd.Verdict{
		"decision: pdp":           mvpd.Unreadable,
		"decision: authenticated": mvpd.Permit,
	} {
		if got := verdict(t, provider(t, keys)); got != want {
			t.Errorf("%s: got %s, want %s", keys, got.Code(false), want.Code(false))
		}
	}
}
