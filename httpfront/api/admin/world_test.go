package admin_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"ssod/actors/erasure"
	"ssod/actors/login"
	"ssod/actors/profile"
	"ssod/actors/trial"
	"ssod/cluster"
	"ssod/cluster/faulty"
	"ssod/httpfront/api/admin"
	"ssod/httpfront/api/registration"
	"ssod/httpfront/api/sandbox"
	"ssod/httpfront/config"
	"ssod/httpfront/degradation"
	"ssod/httpfront/mvpd"
	"ssod/httpfront/mvpd/temppass"
	"ssod/httpfront/token/keys"
	"ssod/httpfront/webhook"
)

// world stands in for everything behind the admin API. Its fields are what it
// answers and what it was asked.
type world struct {
	mu       sync.Mutex
	state    admin.State
	advice   bool // the store condition fails, but only as advice
	storeBad bool
	err      error // of every call
	asked    []string
	log      bytes.Buffer
	rules    []degradation.Rule
}

func (w *world) ask(format string, args ...any) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, fmt.Sprintf(format, args...))
	return w.err
}

func (w *world) status() admin.Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	return admin.Status{
		State: w.state, Node: "n1", Version: "v1", Cluster: "c1", Addresses: map[string]string{"http": "127.0.0.1:8080"},
		Conditions: []admin.Condition{
			{Name: "lifecycle", OK: w.state == admin.Ready},
			{Name: "store", OK: !w.storeBad, Advice: w.advice, Detail: "as the test wants"},
		},
	}
}

func (w *world) CreateStatement(_ context.Context, r registration.StatementRequest) (registration.CreatedStatement, error) {
	return registration.CreatedStatement{SoftwareStatement: "signed", ID: "s1"}, w.ask("create %s %q", r.ClientName, r.ServiceProviders)
}

func (w *world) RevokeStatement(_ context.Context, id string) error {
	return w.ask("revoke statement %s", id)
}

func (w *world) RevokeClient(_ context.Context, id string) error {
	return w.ask("revoke client %s", id)
}

func (w *world) List() []keys.Info {
	return []keys.Info{{ID: "k1", Use: keys.Service, Realm: "a", State: keys.Signing}}
}

func (w *world) Revoke(_ context.Context, id string) error { return w.ask("revoke key %s", id) }

// Rotate orders a rotation of many keys when it is one of media keys.
func (w *world) Rotate(_ context.Context, o keys.Rotation) (keys.Rotated, error) {
	r := keys.Rotated{ID: "o1", Keys: 1}
	if o.Use == keys.Media {
		r.Keys, r.Slow = 1500, 1500
	}
	return r, w.ask("rotate realm=%s use=%s overlap=%v", o.Realm, o.Use, o.Overlap)
}

func (w *world) AwaitRotated(_ context.Context, id string) bool { return w.ask("await %s", id) == nil }

func (w *world) Show(_ context.Context, _ cluster.RequestID, id profile.ID) (*profile.State, bool, error) {
	if id.Subject == "nobody" {
		return nil, false, nil
	}
	device := profile.EncodeAttributes(&profile.Attributes{Model: "TV 1"})
	return &profile.State{
		Members: []*profile.Member{{Device: []byte("tv"), Membership: 7, Type: profile.MemberType_REGULAR, LastSeenMs: 1000, Attributes: device}},
		Codes: []*profile.Code{
			{Hash: []byte("secret-hash"), NotAfterMs: 2000, UsedMs: 1500},
			{NotAfterMs: 2000, EndedMs: 1600},
			{NotAfterMs: 2000, Guest: &profile.Guest{Guess: []byte("secret")}},
		},
		Logins: []*profile.SharedLogin{{Login: &login.Login{Id: []byte("secret"), Mvpd: "cable", NotAfterMs: 3000, InvalidatedMs: 2500, Account: []byte("secret")}}},
	}, true, w.ask("show %s/%s/%s", id.Realm, id.Namespace, id.Subject)
}

// Begin implements [admin.Erasure].
func (w *world) Begin(what erasure.Target) (string, error) {
	return "job", w.ask("erase %s%s of %s", what.Viewer.Subject, what.Device, what.Realm.ID)
}

// Await implements [admin.Erasure].
func (w *world) Await(_ context.Context, job string) (erasure.Erased, bool, error) {
	if job == "unknown" {
		return erasure.Erased{}, false, admin.ErrNoErasure
	}
	return erasure.Erased{Profiles: 1, Devices: 2}, job == "job", w.ask("await %s", job)
}

// ResetDevice implements [admin.Trials].
func (w *world) ResetDevice(_ context.Context, _ cluster.RequestID, m trial.MVPD, device []byte) error {
	return w.ask("reset %s of %s/%s", device, m.Realm, m.ID)
}

// ResetIdentity implements [admin.Trials].
func (w *world) ResetIdentity(_ context.Context, _ cluster.RequestID, m trial.MVPD, who temppass.Identity) error {
	return w.ask("reset %v of %s/%s", who, m.Realm, m.ID)
}

// ResetAll implements [admin.Trials].
func (w *world) ResetAll(_ context.Context, _ cluster.RequestID, m trial.MVPD) error {
	return w.ask("reset all of %s/%s", m.Realm, m.ID)
}

func (w *world) Count() int { return 1 }
func (w *world) Owner(id cluster.ShardID) (cluster.Owner, bool) {
	return cluster.Owner{Address: "x", Term: 3}, id == 0
}
func (w *world) Lead(cluster.ShardID) (cluster.Shard, bool) { return nil, false }
func (w *world) Watch(func(cluster.ShardID)) func()         { return func() {} }

func (w *world) services(t *testing.T) *admin.Services {
	cfg, err := config.Parse([]byte(`realms: [{id: a, serviceProviders: [tv], mvpds: [{id: cable, kind: sandbox}, {id: far, kind: oidc, issuer: https://far.example, clientId: c, decision: authenticated}, {id: trial, kind: temppass, ttl: 1h, identityKey: email}], degradation: [{serviceProvider: tv, mvpd: cable, rule: AuthZNone}]}]`), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return &admin.Services{
		Settings: func() *config.Config { return cfg }, Registration: w, Keys: w, Profiles: w, Erasure: w, Trials: w, Shards: w, Slots: faulty.Slots(w),
		Reload:          func(context.Context) (*config.Config, error) { return cfg, w.ask("reload") },
		ClusterSettings: settings{"replicas": "3"}, Clock: operated{w}, Degradation: degraded{w}, Providers: sandboxes(), Events: told{w},
		Viewer: func(profile.ID) string { return "digest" },
	}
}

// degraded are the rules of degradation of the world: one, once it was set.
type degraded struct{ w *world }

func (d degraded) List() []degradation.Rule { return d.w.rules }

func (d degraded) Set(_ context.Context, o degradation.Order) (degradation.Rule, error) {
	if err := d.w.ask("set %s for %s at %s for %v by %s", o.Rule, o.ServiceProvider, o.MVPD, o.For, o.By); err != nil {
		return degradation.Rule{}, err
	}
	now := time.Now()
	d.w.rules = []degradation.Rule{{Pair: o.Pair, ID: "r1", Rule: o.Rule, Set: now, Until: now.Add(o.For), By: o.By}}
	return d.w.rules[0], nil
}

func (d degraded) Off(_ context.Context, p degradation.Pair, by string) (was bool, err error) {
	was, d.w.rules = len(d.w.rules) > 0, nil
	return was, d.w.ask("off for %s at %s by %s", p.ServiceProvider, p.MVPD, by)
}

// told are the events of the world.
type told struct{ w *world }

func (e told) List(_ context.Context, realm, after string, limit int) (webhook.Listing, error) {
	name := webhook.Name{Realm: "a", Receiver: "brand.example"}
	return webhook.Listing{
		Receivers: []webhook.Standing{{Name: name, Backlog: webhook.Backlog{Waiting: 2, Dead: 1, Why: "answered 500"}}},
		Letters:   []webhook.NamedLetter{{Name: name, DeadLetter: webhook.DeadLetter{ID: "msg_1", Type: "device.joined", Attempts: 3}}},
		Next:      "1-2-3",
	}, e.w.ask("events of %q after %q, %d", realm, after, limit)
}

func (e told) Replay(_ context.Context, id string) error { return e.w.ask("replay %s", id) }

func (e told) ReplayAll(_ context.Context, realm, url string) (int, error) {
	return 7, e.w.ask("replay all of %s for %q", realm, url)
}

// sandboxes are the TV providers of the world.
func sandboxes() *mvpd.Registry {
	key := func(string) []byte { return []byte("key") }
	return mvpd.NewRegistry(map[string]mvpd.Maker{sandbox.Kind: sandbox.Maker(sandbox.Options{Key: key})}, slog.New(slog.DiscardHandler))
}

// operated is the clock of the world.
type operated struct{ w *world }

func (o operated) Accept(context.Context) (time.Duration, error) {
	return 64 * time.Hour, o.w.ask("accept the clock")
}

func (o operated) Reset(context.Context) error { return o.w.ask("reset the clock") }

// Write makes the world a log.
func (w *world) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(p)
}

func (w *world) logged() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.String()
}

// face is a started admin server and its world.
type face struct {
	server *admin.Server
	*world
	t      *testing.T
	url    string
	health bool // a listener for health alone, which is not the one of the document
}

func start(t *testing.T, change ...func(*admin.Options)) *face {
	t.Helper()
	f := &face{world: &world{state: admin.Ready}, t: t}
	o := admin.Options{Address: "127.0.0.1:0", Status: f.status, Log: slog.New(slog.NewTextHandler(f.world, nil))}
	for _, c := range change {
		c(&o)
	}
	s, err := admin.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	f.url = "http://" + s.Address().String()
	s.Serve(f.services(t))
	f.server = s
	return f
}

// call makes a call and returns status and body.
func (f *face) call(method, path, body string, headers ...string) (int, string) {
	f.t.Helper()
	answer, text := f.answer(method, path, body, headers...)
	return answer.StatusCode, text
}

// answer is call with the headers of the answer.
func (f *face) answer(method, path, body string, headers ...string) (*http.Response, string) {
	f.t.Helper()
	r, err := http.NewRequest(method, f.url+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 2 * time.Minute}
	answer, err := client.Do(r)
	if err != nil {
		f.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	if err := asDocumented(r, body, answer, string(text)); err != nil && !f.health {
		f.t.Errorf("%s %s was answered %s: %v", method, path, answer.Status, err)
	}
	return answer, string(text)
}
