package authzen_test

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"ssod/httpfront/mvpd"
	"ssod/httpfront/mvpd/authzen"
)

// point is a decision point that answers by resource and keeps what it was asked.
type point struct {
	answers map[string]string
	header  string // Cache-Control
	kind    string // Content-Type; empty: JSON

	mu    sync.Mutex
	asked map[string]map[string]any // by resource
}

func (p *point) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var q map[string]any
	if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" || json.NewDecoder(r.Body).Decode(&q) != nil {
		http.Error(w, "no evaluation", http.StatusBadRequest)
		return
	}
	resource := q["resource"].(map[string]any)["id"].(string)
	p.mu.Lock()
	p.asked[resource] = q
	p.mu.Unlock()
	w.Header().Set("Content-Type", cmp.Or(p.kind, "application/json; charset=utf-8"))
	w.Header().Set("Cache-Control", p.header)
	_, _ = w.Write([]byte(p.answers[resource]))
}

func start(t *testing.T, p *point) *authzen.Client {
	p.asked = map[string]map[string]any{}
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	client, err := mvpd.NewClient("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	return authzen.New(s.URL+"/access/v1/evaluation", client)
}

func TestDecide(t *testing.T) {
	answers := map[string]string{
		"news":   `{"decision": true}`,
		"sports": `{"decision": false, "context": {"reason_user": {"de": "Nicht im Paket", "en": "Not in your package"}, "upgrade": "https://cable.example/more"}}`,
		"late":   `{"decision": false, "context": {"reason": "parental_controls", "reason_user": "Not at this hour"}}`,
		"home":   `{"decision": false, "context": {"reason": "home_only", "reason_user": {"fr": "À la maison", "es": "En casa"}}}`,
		"void":   `{"decision": false, "context": {"reason": "reauthenticate"}}`,
		"who":    `{"decision": false, "context": {"reason": "unknown_user"}}`,
		"why":    `{"decision": false, "context": {"reason": "something new", "reason_user": 7}}`,
	}
	want := map[string]mvpd.Decision{
		"news":   {Verdict: mvpd.Permit},
		"sports": {Verdict: mvpd.Denied, Message: "Not in your package", Upgrade: "https://cable.example/more"},
		"late":   {Verdict: mvpd.ParentalControls, Message: "Not at this hour"},
		"home":   {Verdict: mvpd.HomeOnly, Message: "À la maison"},
		"void":   {Verdict: mvpd.SessionInvalidated},
		"who":    {Verdict: mvpd.UnknownIdentity},
		"why":    {Verdict: mvpd.Denied},
	}
	c := start(t, &point{answers: answers})
	q := mvpd.Question{Subject: "viewer-1", Languages: "it, en;q=0.5"}
	var in []mvpd.Decision
	for resource, d := range want {
		q.Resources, in = append(q.Resources, resource), append(in, d)
	}
	got, err := c.Decide(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(in, got); diff != "" {
		t.Errorf("decisions on %q (-want +got):\n%s", q.Resources, diff)
	}
}

func TestWhatTheDecisionPointIsTold(t *testing.T) {
	p := &point{answers: map[string]string{"news": `{"decision": true}`}}
	c := start(t, p)
	_, err := c.Decide(t.Context(), mvpd.Question{
		Requester: mvpd.Requester{
			Device: mvpd.Device{ID: "d-1", Type: "smartTV", Name: "Living room"}, Address: netip.MustParseAddr("192.0.2.7"),
		},
		Subject: "viewer-1", ServiceProvider: "STREAM1", Resources: []string{"news"}, Preauthorize: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"subject":  map[string]any{"type": "user", "id": "viewer-1"},
		"action":   map[string]any{"name": "view"},
		"resource": map[string]any{"type": "channel", "id": "news"},
		"context": map[string]any{
			"device":        map[string]any{"id": "d-1", "type": "smartTV", "name": "Living room"},
			"clientAddress": "192.0.2.7", "serviceProvider": "STREAM1", "preauthorize": true,
		},
	}
	if diff := gocmp.Diff(want, p.asked["news"]); diff != "" {
		t.Errorf("the question (-want +got):\n%s", diff)
	}
}

func TestHowLongAPermitLasts(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"": 0, "private, max-age=90": 90 * time.Second, "max-age=0": time.Second, "no-store": time.Second, "max-age=soon": 0,
		"Max-Age=99999999999": 10 * 365 * 24 * time.Hour,
	} {
		c := start(t, &point{answers: map[string]string{"news": `{"decision": true}`}, header: header})
		got, err := c.Decide(t.Context(), mvpd.Question{Resources: []string{"news"}})
		if err != nil || got[0].TTL != want {
			t.Errorf("%q: got %v, %v; want %v", header, got, err, want)
		}
	}
}

// TestAnswersThatDecideNothing: one of them spoils the whole question, since a
// decision point that talks nonsense is not to be trusted about the rest.
func TestAnswersThatDecideNothing(t *testing.T) {
	for _, answer := range []string{``, `{}`, `{"decision": true, "decision": true}`, `{"Decision": true}`, `{"decision": true} {}`, `{"decision": "true"}`, `{"decision": null}`, `[true]`, `<html>`} {
		c := start(t, &point{answers: map[string]string{"news": `{"decision": true}`, "odd": answer}})
		if got, err := c.Decide(t.Context(), mvpd.Question{Resources: []string{"news", "odd"}}); err == nil {
			t.Errorf("%s: got %v", answer, got)
		}
	}
}

// TestAnswersOfOtherTypes: a page that a proxy shows with 200 is no answer, whatever is in it.
func TestAnswersOfOtherTypes(t *testing.T) {
	for kind, want := range map[string]bool{"application/json": true, "application/authzen+json": true, "text/html": false, "text/plain": false, "json": false} {
		c := start(t, &point{answers: map[string]string{"news": `{"decision": true}`}, kind: kind})
		if _, err := c.Decide(t.Context(), mvpd.Question{Resources: []string{"news"}}); (err == nil) != want {
			t.Errorf("%s: got %v", kind, err)
		}
	}
}
