package e2e

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"ssod/cmd/internal/ssodtest"
)

// receiver takes events as the receiver of a customer does, with a library that is not ours.
type receiver struct {
	testing.TB
	*httptest.Server
	secretFile string
	verifier   *webhooks.Webhook

	mu     sync.Mutex
	status int // of all answers
	tries  int
	all    []received
	known  map[string]string // bodies by id
}

// received is an event that was taken.
type received struct {
	Type      string
	Timestamp string
	Data      map[string]any
	body      string
}

func newReceiver(t testing.TB) *receiver {
	t.Helper()
	secret := "whsec_" + base64.StdEncoding.EncodeToString([]byte("a secret of thirty-two bytes ..."))
	r := &receiver{TB: t, secretFile: filepath.Join(t.TempDir(), "secret"), status: http.StatusNoContent, known: map[string]string{}}
	must(t, os.WriteFile(r.secretFile, []byte(secret+"\n"), 0o600))
	var err error
	r.verifier, err = webhooks.NewWebhook(secret)
	must(t, err)
	r.Server = httptest.NewServer(http.HandlerFunc(r.take))
	t.Cleanup(r.Server.Close)
	return r
}

func (r *receiver) take(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	body, err := io.ReadAll(q.Body)
	verify := r.verifier.Verify
	if r.status != http.StatusNoContent {
		verify = r.verifier.VerifyIgnoringTimestamp // the node's clock may be set meanwhile
	}
	if err == nil {
		err = verify(body, q.Header)
	}
	if err != nil {
		r.Errorf("an event that is not signed: %v", err)
	}
	r.tries++
	w.WriteHeader(r.status)
	if r.status != http.StatusNoContent {
		return
	}
	id := q.Header.Get("webhook-id")
	if before, again := r.known[id]; again {
		if before != string(body) {
			r.Errorf("event %s has two bodies: %s and %s", id, before, body)
		}
		return
	}
	r.known[id] = string(body)
	e := received{body: string(body)}
	if err := json.Unmarshal(body, &e); err != nil {
		r.Errorf("event %s: %v", body, err)
	}
	r.all = append(r.all, e)
}

// answers sets how the receiver answers from now on.
func (r *receiver) answers(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status, r.tries = status, 0
}

func (r *receiver) tried() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tries
}

// taken are the events so far, each once.
func (r *receiver) taken() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all)
}

// of are the types of events of which a member of the data has a value.
func (r *receiver) of(key, value string) (types []string) {
	for _, e := range r.taken() {
		if e.Data[key] == value {
			types = append(types, e.Type)
		}
	}
	return types
}

func (r *receiver) config(more string) string {
	return fmt.Sprintf("{url: %q, secretFile: %q%s}", r.URL, r.secretFile, more)
}

// eventsConfig has receivers in one realm.
func eventsConfig(receivers ...string) string {
	return "publicURL: " + publicURL + `
throttle: {enabled: false}
realms:
  - id: one
    serviceProviders: [{id: one, domains: [stream.example]}]
    mvpds: [{id: AcmeTV, kind: sandbox}, {id: OtherTV, kind: sandbox}]
    webhooks: [` + strings.Join(receivers, ", ") + "]\n"
}

// TestReceiversAreTold plays the life of a viewer: the brand is told of all of it in order,
// the TV provider of its own viewer only, by the viewer's id there.
func TestReceiversAreTold(t *testing.T) {
	t.Parallel()
	brand, provider, some := newReceiver(t), newReceiver(t), newReceiver(t)
	n := startNode(t, eventsConfig(brand.config(""), provider.config(", mvpd: AcmeTV"), some.config(", events: [device.unlinked]")))
	a := n.mustApp("one")
	ctx := t.Context()
	phone, tv := newDevice("phone"), newDevice("tv")
	must(t, a.mint(ctx, phone, "viewer-4711"))
	_, err := a.logIn(ctx, phone, "AcmeTV", "ada", "AD-Service-Token", phone.token)
	must(t, err)
	code, err := a.link(ctx, phone)
	must(t, err)
	must(t, a.redeem(ctx, tv, code))
	_, err = a.unlink(ctx, phone, tv.id)
	must(t, err)
	want := []string{"device.joined", "device.linked", "device.unlinked"}
	until(t, "events of devices", func() bool {
		return len(brand.of("ssoId", "viewer-4711")) == 4 && len(some.taken()) == 1 && len(provider.taken()) == 3
	})
	devices := slices.DeleteFunc(brand.of("ssoId", "viewer-4711"), func(t string) bool { return t == "login.completed" })
	if !slices.Equal(devices, want) {
		t.Errorf("the brand was told of %v, want %v", devices, want)
	}
	for _, e := range brand.taken() {
		if strings.Contains(e.body, "userID") || e.Data["realm"] != "one" {
			t.Errorf("the brand was told %s", e.body)
		}
	}
	for _, e := range provider.taken() {
		if strings.Contains(e.body, "viewer-4711") || strings.Contains(e.body, phone.id) || strings.Contains(e.body, tv.id) || e.Data["userID"] == nil || e.Data["mvpd"] != "AcmeTV" {
			t.Errorf("the TV provider was told %s", e.body)
		}
	}
	if got := some.taken()[0]; got.Type != "device.unlinked" || got.Data["device"] != tv.id || got.Data["reason"] != "app" {
		t.Errorf("a receiver of some types was told %s", got.body)
	}
	n.noSecret("a secret of thirty-two bytes", base64.StdEncoding.EncodeToString([]byte("a secret of thirty-two bytes ...")))
}

// sumsConfig has receivers in a realm that accepts few wrong hits.
func sumsConfig(receivers ...string) string {
	return "publicURL: " + publicURL + `
throttle: {enabled: false}
realms:
  - id: one
    serviceProviders: [{id: one, domains: [stream.example]}, {id: two, domains: [stream.example]}]
    guessing: {wrongHitsPerDay: 0.001}
    mvpds: [{id: AcmeTV, kind: sandbox}, {id: OtherTV, kind: sandbox}]
    webhooks: [` + strings.Join(receivers, ", ") + "]\n"
}

// TestSumsAreTold: denied decisions and an attack on link codes come as sums, each receiver
// gets what concerns it, and a node that is stopped tells of what it has counted so far. In
// long runs the minute passes.
func TestSumsAreTold(t *testing.T) {
	t.Parallel()
	brand, acme, other, two, attacks := newReceiver(t), newReceiver(t), newReceiver(t), newReceiver(t), newReceiver(t)
	const sums = ", events: [decision.denied, linkcode.attack]"
	n := startNode(t, sumsConfig(
		brand.config(sums), acme.config(sums+", mvpd: AcmeTV"), other.config(sums+", mvpd: OtherTV"),
		two.config(sums+", serviceProviders: [two]"), attacks.config(", events: [linkcode.attack]"),
	))
	a := n.mustApp("one", "two")
	second := *a
	second.provider = "two"
	ctx := t.Context()
	tv := newDevice("tv")
	_, err := a.logIn(ctx, tv, "AcmeTV", "cleo") // who has no subscription
	must(t, err)
	deny := func(a *app, mvpd, want string) {
		answer, err := a.v2(ctx, "POST", "decisions/authorize/"+mvpd, tv, `{"resources":["channel-2"]}`)
		must(t, err)
		if !strings.Contains(string(answer.Body), `"code":"`+want+`"`) {
			t.Fatalf("got %s, want %s", answer.Body, want)
		}
	}
	deny(a, "AcmeTV", "authorization_denied_by_mvpd")
	deny(a, "AcmeTV", "authorization_denied_by_mvpd")
	deny(a, "OtherTV", "authenticated_profile_missing")
	deny(&second, "AcmeTV", "authenticated_profile_missing")
	_, code := a.hostWithCode("host")
	guessAtOnce(t, a, 750, scattered(1), distant(t, code))
	if !ssodtest.Long() {
		n.stops()
		n.Start()
	}
	for r, want := range map[*receiver]map[string]int{
		brand:   {"one AcmeTV authorize authorization_denied_by_mvpd": 2, "one OtherTV authorize authenticated_profile_missing": 1, "two AcmeTV authorize authenticated_profile_missing": 1},
		acme:    {"one AcmeTV authorize authorization_denied_by_mvpd": 2, "two AcmeTV authorize authenticated_profile_missing": 1},
		other:   {"one OtherTV authorize authenticated_profile_missing": 1},
		two:     {"two AcmeTV authorize authenticated_profile_missing": 1},
		attacks: {},
	} {
		until(t, "sums", func() bool {
			return cmp.Equal(want, r.denials()) && (len(r.attacks()) > 0) == (r != acme && r != other)
		})
		for _, e := range r.taken() {
			if has(e.body, "channel-2") || has(e.body, tv.id) || has(e.body, code) || has(e.body, "198.") || (e.Data["realm"] == nil) != (r == acme || r == other) {
				t.Errorf("told of %s", e.body)
			}
		}
	}
	last := attacks.attacks()[len(attacks.attacks())-1].Data
	if meter, _ := last["meter"].(float64); meter < 0.6 || meter > 0.7 || !slices.Contains(last["closed"].([]any), any(6.0)) {
		t.Errorf("the attack is told as %v", last)
	}
}

// denials are how many are told, by what they have in common.
func (r *receiver) denials() map[string]int {
	sums := map[string]int{}
	for _, e := range r.taken() {
		var b struct {
			Data struct {
				Denials []struct {
					ServiceProvider, MVPD, Call, Code string
					Count                             int
				}
			}
		}
		must(r, json.Unmarshal([]byte(e.body), &b))
		for _, d := range b.Data.Denials {
			sums[strings.Join([]string{d.ServiceProvider, d.MVPD, d.Call, d.Code}, " ")] += d.Count
		}
	}
	return sums
}

func (r *receiver) attacks() []received {
	return slices.DeleteFunc(r.taken(), func(e received) bool { return e.Type != "linkcode.attack" })
}

// noSecret looks for secrets in the log.
func (n *node) noSecret(secrets ...string) {
	n.Helper()
	for _, s := range secrets {
		if strings.Contains(n.Logged(), s) {
			n.Error("a secret is in the log")
		}
	}
}

// TestEventsOutliveReceiversAndNodes: while the receiver fails and every node is killed, all
// that was acknowledged is told afterwards, each with one id, in order for each profile.
func TestEventsOutliveReceiversAndNodes(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	r.answers(http.StatusServiceUnavailable)
	c := startTrio(t, eventsConfig(r.config("")))
	c.promised()
	a := c.mustApp("one")
	want := map[string][]string{}
	for round := range volume(1, 20) {
		for i := range volume(3, 50) {
			name := fmt.Sprintf("viewer-%d-%d", round, i)
			must(t, eventually(t.Context(), func(ctx context.Context) error { return a.household(ctx, name) }))
			want[name] = []string{"device.joined", "device.linked", "device.unlinked"}
		}
		until(t, "a delivery that fails", func() bool { return r.tried() > 0 })
		if round == 0 { // half of it is delivered, and nobody may have noted that
			r.answers(http.StatusNoContent)
			until(t, "some events", func() bool { return len(r.taken()) > 2 })
			r.answers(http.StatusServiceUnavailable)
		}
		for _, n := range c.nodes {
			c.kill(n)
		}
		for _, n := range c.nodes {
			n.Launch()
		}
		for _, n := range c.nodes {
			c.joined(n)
		}
		c.settled()
	}
	r.answers(http.StatusNoContent)
	until(t, "all events", func() bool { return len(r.taken()) >= 3*len(want) })
	for name, types := range want {
		if got := r.of("ssoId", name); !slices.Equal(got, types) {
			t.Errorf("%s: told of %v, want %v", name, got, types)
		}
	}
	t.Logf("events=%d", len(r.taken()))
}

// household is a phone, and a tv that joins and is removed.
func (a *app) household(ctx context.Context, name string) error {
	phone, tv := newDevice(name+" phone"), newDevice(name+" tv")
	if err := a.mint(ctx, phone, name); err != nil {
		return err
	}
	code, err := a.link(ctx, phone)
	if err != nil {
		return err
	}
	if err := a.redeem(ctx, tv, code); err != nil {
		return err
	}
	_, err = a.unlink(ctx, phone, tv.id)
	return err
}

// writeWebhookSecret writes what signs events, for configurations with webhook.secret.
func writeWebhookSecret(t testing.TB, dir string) {
	t.Helper()
	secret := "whsec_" + base64.StdEncoding.EncodeToString([]byte("of a receiver that never is there"))
	must(t, os.WriteFile(filepath.Join(dir, "webhook.secret"), []byte(secret), 0o600))
}
