package webhook

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"ssod/actors/event"
	"ssod/httpfront/config"
)

// page is the page on events.
func page(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// fenced is the first block of a kind.
func fenced(t *testing.T, text, kind string) string {
	t.Helper()
	_, text, found := strings.Cut(text, "```"+kind+"\n")
	block, _, ends := strings.Cut(text, "\n```\n")
	if !found || !ends {
		t.Fatalf("the page has no block of kind %q", kind)
	}
	return block
}

// TestTheDocumentedEventIsSigned as we sign, and as Standard Webhooks has it.
func TestTheDocumentedEventIsSigned(t *testing.T) {
	text := page(t)
	secret := regexp.MustCompile("`(whsec_[A-Za-z0-9+/=]{32,})`").FindStringSubmatch(text)
	head, body, parts := strings.Cut(fenced(t, text, ""), "\n\n")
	if secret == nil || !parts {
		t.Fatal("the page has no secret, or no event")
	}
	header := http.Header{}
	for line := range strings.Lines(head) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			header.Set(name, value)
		}
	}
	file := t.TempDir() + "/secret"
	if err := os.WriteFile(file, []byte(secret[1]), 0o600); err != nil {
		t.Fatal(err)
	}
	secrets, err := config.Webhook{SecretFile: file}.Secrets()
	if err != nil {
		t.Fatal(err)
	}
	sent, err := strconv.ParseInt(header.Get("webhook-timestamp"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	if got := sign(secrets, header.Get("webhook-id"), time.Unix(sent, 0), []byte(body)); got != header.Get("webhook-signature") {
		t.Errorf("the signature is %s, the page has %s", got, header.Get("webhook-signature"))
	}
	foreign, err := webhooks.NewWebhook(secret[1])
	if err != nil {
		t.Fatal(err)
	}
	if err := foreign.VerifyIgnoringTimestamp([]byte(body), header); err != nil {
		t.Errorf("to a receiver: %v", err)
	}
	var e struct{ Timestamp time.Time }
	if err := json.Unmarshal([]byte(body), &e); err != nil || time.Unix(sent, 0).Sub(e.Timestamp).Abs() > time.Minute {
		t.Errorf("the event of %v is sent at %v (%v)", e.Timestamp, time.Unix(sent, 0).UTC(), err)
	}
}

// TestTheDocumentedSumsAreOurs in every member.
func TestTheDocumentedSumsAreOurs(t *testing.T) {
	until := time.Date(2026, 12, 1, 2, 1, 0, 0, time.UTC)
	facts := []event.Fact{
		{Type: event.DecisionDenied, Denials: []event.Denial{
			{ServiceProvider: "stream", MVPD: "cable", Call: "authorize", Code: "authorization_denied_by_mvpd", Count: 37},
			{ServiceProvider: "stream", MVPD: "dish", Call: "preauthorize", Code: "preauthorization_denied_by_mvpd", Count: 8},
		}},
		{Type: event.LinkCodeAttack, Attack: event.Attack{Own: 2, Other: 690, Refused: 118, Closed: []int{4, 5, 6, 7}, Meter: 0.691}},
	}
	documented := json.NewDecoder(strings.NewReader(fenced(t, page(t), "json")))
	for _, f := range facts {
		f.Realm, f.Since, f.Until = "acme", until.Add(-sumWindow), until
		var want, got map[string]any
		if err := documented.Decode(&want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(bodies(&config.Webhook{}, f, until.Add(4*time.Millisecond), nil)[0], &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-page +ours):\n%s", f.Type, diff)
		}
	}
}

// TestTheDocumentedTypesAreAll that can be asked for.
func TestTheDocumentedTypesAreAll(t *testing.T) {
	_, types, _ := strings.Cut(page(t), "\n## Types\n")
	types, _, _ = strings.Cut(types, "\n## ")
	documented := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z]+\\.[a-z]+)` \\|").FindAllStringSubmatch(types, -1) {
		documented[m[1]] = true
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(config.EventTypes)), slices.Sorted(maps.Keys(documented))); diff != "" {
		t.Errorf("(-configuration +page):\n%s", diff)
	}
}
