package admin_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ssod/actors"
	"ssod/actors/erasure"
	"ssod/actors/login"
	"ssod/actors/profile"
	"ssod/cluster"
	"ssod/cluster/faulty"
	"ssod/httpfront/api/admin"
	"ssod/httpfront/api/registration"
	"ssod/httpfront/config"
	"ssod/httpfront/token/keys"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

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

func (w *world) Count() int { return 1 }
func (w *world) Owner(id cluster.ShardID) (cluster.Owner, bool) {
	return cluster.Owner{Address: "x", Term: 3}, id == 0
}
func (w *world) Lead(cluster.ShardID) (cluster.Shard, bool) { return nil, false }
func (w *world) Watch(func(cluster.ShardID)) func()         { return func() {} }

func (w *world) services(t *testing.T) *admin.Services {
	cfg, err := config.Parse([]byte("realms: [{id: a, serviceProviders: [tv]}]"), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return &admin.Services{
		Settings: func() *config.Config { return cfg }, Registration: w, Keys: w, Profiles: w, Erasure: w, Shards: w, Slots: faulty.Slots(w),
		Reload:          func(context.Context) (*config.Config, error) { return cfg, w.ask("reload") },
		ClusterSettings: settings{"replicas": "3"}, Clock: operated{w},
		Viewer: func(profile.ID) string { return "digest" },
	}
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

// TestOverloadSaysWhen: whole seconds, rounded up, and one at least.
func TestOverloadSaysWhen(t *testing.T) {
	for after, want := range map[time.Duration]string{0: "1", 10 * time.Millisecond: "1", time.Second: "1", 1200 * time.Millisecond: "2"} {
		f := start(t)
		f.err = fmt.Errorf("do it: %w", &actors.OverloadedError{RetryAfter: after})
		if answer, _ := f.answer("DELETE", "/admin/v1/keys/k1", ""); answer.StatusCode != 503 || answer.Header.Get("Retry-After") != want {
			t.Errorf("busy for %v: got %d, Retry-After %q, want 503, %q", after, answer.StatusCode, answer.Header.Get("Retry-After"), want)
		}
	}
}

func TestOperations(t *testing.T) {
	tests := []struct {
		name, method, path, body string
		status                   int
		asked                    string // of the world; empty: nothing
	}{
		{"make a statement", "POST", "/admin/v1/software-statements", `{"clientName":"app","serviceProviders":["tv"]}`, 201, `create app ["tv"]`},
		{"speling", "POST", "/admin/v1/software-statements", `{"clientNam":"app"}`, 400, ""},
		{"member twice", "POST", "/admin/v1/software-statements", `{"clientName":"a","clientName":"b"}`, 400, ""},
		{"no JSON", "POST", "/admin/v1/software-statements", `clientName=a`, 400, ""},
		{"a list", "POST", "/admin/v1/software-statements", `[]`, 400, ""},
		{"empty", "POST", "/admin/v1/software-statements", ``, 400, ""},
		{"too large", "POST", "/admin/v1/software-statements", `{"clientName":"` + strings.Repeat("x", 70000) + `"}`, 400, ""},
		{"revoke a statement", "DELETE", "/admin/v1/software-statements/s1", "", 204, "revoke statement s1"},
		{"revoke a client", "DELETE", "/admin/v1/clients/c.1", "", 204, "revoke client c.1"},
		{"list keys", "GET", "/admin/v1/keys", "", 200, ""},
		{"unknown parameter", "GET", "/admin/v1/keys?realm=a", "", 400, ""},
		{"rotate everything", "POST", "/admin/v1/keys/rotate", "", 200, "rotate realm= use= overlap=10m0s; await o1"},
		{"rotate some", "POST", "/admin/v1/keys/rotate?realm=a&use=service&overlap=0s", "", 200, "rotate realm=a use=service overlap=0s; await o1"},
		{"rotate many", "POST", "/admin/v1/keys/rotate?use=media", "", 202, "rotate realm= use=media overlap=10m0s"},
		{"rotate another use", "POST", "/admin/v1/keys/rotate?use=linkcode", "", 400, ""},
		{"rotate another realm", "POST", "/admin/v1/keys/rotate?realm=b", "", 400, ""},
		{"overlap back in time", "POST", "/admin/v1/keys/rotate?overlap=-1s", "", 400, ""},
		{"overlap is no duration", "POST", "/admin/v1/keys/rotate?overlap=10", "", 400, ""},
		{"parameter twice", "POST", "/admin/v1/keys/rotate?realm=a&realm=a", "", 400, ""},
		{"revoke a key", "DELETE", "/admin/v1/keys/k1", "", 204, "revoke key k1"},
		{"reload", "POST", "/admin/v1/reload", "", 200, "reload"},
		{"accept the clock", "POST", "/admin/v1/clock/accept", "", 200, "accept the clock"},
		{"reset the clock", "POST", "/admin/v1/clock/reset", "", 204, "reset the clock"},
		{"reset some shard", "POST", "/admin/v1/clock/reset?shard=1", "", 400, ""},
		{"look at the clock", "GET", "/admin/v1/clock/reset", "", 405, ""},
		{"show a profile", "GET", "/admin/v1/profile?realm=a&subject=me", "", 200, "show a/sso/me"},
		{"show an external profile", "GET", "/admin/v1/profile?realm=a&subject=me&namespace=https://id", "", 200, "show a/https://id/me"},
		{"nobody's profile", "GET", "/admin/v1/profile?realm=a&subject=nobody", "", 404, ""},
		{"profile without subject", "GET", "/admin/v1/profile?realm=a", "", 400, ""},
		{"profile of another realm", "GET", "/admin/v1/profile?realm=b&subject=me", "", 400, ""},
		{"subject too long", "GET", "/admin/v1/profile?realm=a&subject=" + strings.Repeat("x", 345), "", 400, ""},
		{"erase a profile", "DELETE", "/admin/v1/profile?realm=a&subject=me", "", 200, "erase me of a; await job"},
		{"erase a device", "DELETE", "/admin/v1/device?realm=a&device=dHY=", "", 200, "erase tv of a; await job"},
		{"erase a device without its name", "DELETE", "/admin/v1/device?realm=a", "", 400, ""},
		{"erase what is not Base64", "DELETE", "/admin/v1/device?realm=a&device=tv", "", 400, ""},
		{"erase in an unknown realm", "DELETE", "/admin/v1/device?realm=b&device=dHY=", "", 400, ""},
		{"wait for an erasure", "DELETE", "/admin/v1/profile?job=slow", "", 202, "await slow"},
		{"wait for an unknown erasure", "DELETE", "/admin/v1/device?job=unknown", "", 404, ""},
		{"cluster", "GET", "/admin/v1/cluster", "", 200, ""},
		{"another path", "GET", "/admin/v1/nope", "", 404, ""},
		{"another method", "PUT", "/admin/v1/reload", "", 405, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := start(t)
			status, body := f.call(tt.method, tt.path, tt.body)
			if status != tt.status {
				t.Errorf("got %d %s, want %d", status, body, tt.status)
			}
			if got := strings.Join(f.asked, "; "); got != tt.asked {
				t.Errorf("asked %q, want %q", got, tt.asked)
			}
			if status >= 400 {
				wantFailure(t, status, body)
			}
			if got := strings.Count(f.logged(), "audit=true"); got != 1 {
				t.Errorf("got %d audit lines, want 1:\n%s", got, f.logged())
			}
		})
	}
}

// wantFailure checks the shape of an error.
func wantFailure(t *testing.T, status int, body string) {
	t.Helper()
	var f struct {
		Status               int
		Code, Message, Trace string
	}
	if err := json.Unmarshal([]byte(body), &f); err != nil || f.Status != status || f.Code == "" || f.Message == "" || len(f.Trace) != 36 {
		t.Errorf("got %s, want an error with status, code, message and trace", body)
	}
}

func TestErrorsOfTheServices(t *testing.T) {
	const statement = `{"serviceProviders":["tv"]}`
	tests := []struct {
		err                error
		status             int
		code               string
		method, path, body string // DELETE keys/k1 if they are empty
	}{
		{registration.ErrInput, 400, "request_invalid", "POST", "software-statements", statement},
		{registration.ErrUnknown, 404, "not_found", "DELETE", "clients/c1", ""},
		{registration.ErrFull, 409, "limit_reached", "POST", "software-statements", statement},
		{keys.ErrUnknownKey, 404, "not_found", "", "", ""},
		{keys.ErrFixed, 409, "not_possible", "", "", ""},
		{keys.ErrTooManyKeys, 409, "limit_reached", "POST", "keys/rotate", ""},
		{config.ErrRestart, 409, "restart_needed", "POST", "reload", ""},
		{admin.ErrConfiguration, 422, "configuration_invalid", "POST", "reload", ""},
		{actors.ErrUnavailable, 503, "service_unavailable", "", "", ""},
		{actors.ErrOverloaded, 503, "service_unavailable", "", "", ""},
		{&actors.OverloadedError{RetryAfter: 1200 * time.Millisecond}, 503, "service_unavailable", "", "", ""},
		{cluster.ErrRefused, 503, "service_unavailable", "", "", ""},
		{fmt.Errorf("%w: node n2: %w", admin.ErrUnfinished, context.DeadlineExceeded), 503, "not_erased", "DELETE", "profile?realm=a&subject=me", ""},
		{actors.ErrUnknown, 503, "outcome_unknown", "", "", ""},
		{cluster.ErrUnknown, 503, "outcome_unknown", "", "", ""},
		{context.DeadlineExceeded, 503, "outcome_unknown", "", "", ""},
		{errors.New("secret detail"), 500, "internal_error", "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.err.Error(), func(t *testing.T) {
			f := start(t)
			f.err = fmt.Errorf("do it: %w", tt.err)
			status, body := f.call(cmp.Or(tt.method, "DELETE"), "/admin/v1/"+cmp.Or(tt.path, "keys/k1"), tt.body)
			if status != tt.status || !strings.Contains(body, `"code": "`+tt.code+`"`) {
				t.Fatalf("got %d %s, want %d %s", status, body, tt.status, tt.code)
			}
			if strings.Contains(body, "secret detail") {
				t.Fatalf("the client was told of our fault: %s", body)
			}
		})
	}
}

func TestProfileLeavesSecretsOut(t *testing.T) {
	f := start(t)
	_, body := f.call("GET", "/admin/v1/profile?realm=a&subject=viewer-4711", "")
	for _, want := range []string{`"device": "dHY="`, `"type": "regular"`, `"membership": 7`, `"model": "TV 1"`, `"used": "1970-01-01T00:00:01.5Z"`, `"ended": "1970-01-01T00:00:01.6Z"`, `"pending": true`, `"mvpd": "cable"`, `"notAfter": "1970-01-01T00:00:03Z"`, `"invalidated": true`} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is missing in %s", want, body)
		}
	}
	if strings.Contains(body, "hash") || strings.Contains(body, "secret") || strings.Contains(body, "c2VjcmV0") {
		t.Errorf("a secret is in %s", body)
	}
	log := f.logged()
	if strings.Contains(log, "viewer-4711") || !strings.Contains(log, "profile=digest") {
		t.Errorf("got the audit line\n%s\nwant the viewer as a digest only", log)
	}
}

func TestClusterShowsShardsWithoutLeader(t *testing.T) {
	f := start(t)
	_, body := f.call("GET", "/admin/v1/cluster", "")
	for _, want := range []string{`"durability": "durability of one node"`, `"leader": "n1"`, `"term": 3`, `"0-65535"`, `"detail": "1 shards have none"`, `"http": "127.0.0.1:8080"`} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is missing in %s", want, body)
		}
	}
}

// cluster3 is a cluster of three nodes, of which the world is n1.
type cluster3 struct{ removed, readmitted, drained string }

func (c *cluster3) Nodes() []admin.Member {
	var drain *admin.Drain
	if c.drained == "n2" {
		drain = &admin.Drain{Copies: 7}
	}
	there := map[string]string{"http": "127.0.0.1:8080"}
	return []admin.Member{
		{Name: "n1", Self: true},
		{Name: "n2", State: admin.Alive, Addresses: there, Drain: drain},
		{Name: "n3", State: admin.Unreachable, Addresses: there},
	}
}

func (c *cluster3) Placement(_ context.Context, id cluster.ShardID) admin.Placement {
	return admin.Placement{Leader: "n2", Term: 7, Voters: []string{"n1", "n2", "n3"}, Confirmed: true, Lag: 5}
}

func (c *cluster3) Spare() int { return 1 }

func (c *cluster3) Zones() ([]admin.Zone, int) {
	return []admin.Zone{{Name: "a", Nodes: []string{"n1", "n2"}, Stops: 3}, {Name: "b", Nodes: []string{"n3"}}}, 0
}

func (c *cluster3) Remove(_ context.Context, name string) error {
	switch name {
	case "n2":
		return admin.ErrNodeNeeded
	case "n9":
		return admin.ErrNoNode
	}
	c.removed = name
	return nil
}

func (c *cluster3) Drain(_ context.Context, name string) error {
	switch name {
	case "n1":
		return fmt.Errorf("%w: two nodes would be left", admin.ErrNotDrained)
	case "n9":
		return admin.ErrNoNode
	}
	c.drained = name
	return nil
}

func (c *cluster3) Undrain(_ context.Context, name string) error {
	if name != c.drained {
		return admin.ErrNoNode
	}
	c.drained = ""
	return nil
}

func (c *cluster3) Readmit(_ context.Context, name string) error {
	if name == "n9" {
		return admin.ErrNoNode
	}
	c.readmitted = name
	return nil
}

// settings are those of the cluster.
type settings map[string]string

func (s settings) All() (map[string]string, error) { return s, nil }

func (s settings) Unplaced() int { return 2 }

func (s settings) Set(_ context.Context, changes map[string]string) error {
	for name, value := range changes {
		if s[name] == "" {
			return fmt.Errorf("%w: %s", admin.ErrSetting, name)
		}
		s[name] = value
	}
	return nil
}

func TestSettingsOfTheCluster(t *testing.T) {
	f := start(t)
	tests := []struct {
		body   string
		status int
		want   string
	}{
		{`{"replicas":"1"}`, 200, `"replicas": "1"`},
		{`{"replicas":5}`, 200, `"replicas": "5"`},
		{`{}`, 200, `"unplacedShards": 2`},
		{`{"replica":"1"}`, 400, "bad setting: replica"},
		{`{"replicas":true}`, 400, "request_invalid"},
		{`{"replicas":"1","replicas":"3"}`, 400, "request_invalid"},
		{`[]`, 400, "not a JSON object"},
	}
	for _, tt := range tests {
		if status, body := f.call("POST", "/admin/v1/cluster/settings", tt.body); status != tt.status || !strings.Contains(body, tt.want) {
			t.Errorf("%s: got %d %s, want %d with %s", tt.body, status, body, tt.status, tt.want)
		}
	}
	if _, body := f.call("GET", "/admin/v1/cluster", ""); !strings.Contains(body, `"replicas": "5"`) {
		t.Errorf("the settings are missing in %s", body)
	}
}

func TestClusterOfThree(t *testing.T) {
	f := start(t)
	if status, _ := f.call("DELETE", "/admin/v1/nodes/n3", ""); status != 404 {
		t.Errorf("remove a node of a cluster of one: got %d, want 404", status)
	}
	three := &cluster3{}
	services := f.services(t)
	services.Members = three
	f.server.Serve(services)
	_, body := f.call("GET", "/admin/v1/cluster", "")
	for _, want := range []string{`"durability": "durability of 2 nodes"`, `"spareNodes": 1`, `"spareZones": 0`, `"shardsStopped": 3`, `"state": "unreachable"`, `"leader": "n2"`, `"lag": 5`, `"confirmed": true`, `"ok": true`} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is missing in %s", want, body)
		}
	}
	for name, want := range map[string]int{"n2": 409, "n9": 404, "n3": 204} {
		if status, body := f.call("DELETE", "/admin/v1/nodes/"+name, ""); status != want {
			t.Errorf("remove %s: got %d %s, want %d", name, status, body, want)
		}
	}
	for name, want := range map[string]int{"n9": 404, "n3": 204} {
		if status, body := f.call("POST", "/admin/v1/nodes/"+name+"/readmit", ""); status != want {
			t.Errorf("readmit %s: got %d %s, want %d", name, status, body, want)
		}
	}
	if three.removed != "n3" || three.readmitted != "n3" {
		t.Errorf("removed %q, readmitted %q, want n3", three.removed, three.readmitted)
	}
}

func TestNodesAreDrained(t *testing.T) {
	f := start(t)
	if status, _ := f.call("POST", "/admin/v1/nodes/n1/drain", ""); status != 409 {
		t.Errorf("drain the only node: got %d, want 409", status)
	}
	three := &cluster3{}
	services := f.services(t)
	services.Members = three
	f.server.Serve(services)
	tests := []struct {
		path   string
		status int
		says   string
	}{
		{"n9/drain", 404, "no such node"},
		{"n1/drain", 409, "two nodes would be left"},
		{"n2/drain", 202, `"copies": 7`},
		{"n3/undrain", 404, "no such node"},
		{"n2/undrain", 202, `"name": "n2"`},
	}
	for _, tt := range tests {
		if status, body := f.call("POST", "/admin/v1/nodes/"+tt.path, ""); status != tt.status || !strings.Contains(body, tt.says) {
			t.Errorf("%s: got %d %s, want %d that says %q", tt.path, status, body, tt.status, tt.says)
		}
	}
}

// A node that has left knows the cluster, and nothing that it would need keys for.
func TestANodeThatHasLeft(t *testing.T) {
	f := start(t)
	all := f.services(t)
	f.server.Serve(&admin.Services{Settings: all.Settings, Shards: all.Shards, Slots: all.Slots, Members: &cluster3{drained: "n1"}, ClusterSettings: all.ClusterSettings, Out: true})
	for _, tt := range []struct {
		method, path string
		want         int
	}{
		{"GET", "cluster", 200},
		{"POST", "nodes/n1/undrain", 202},
		{"GET", "keys", 503},
		{"POST", "reload", 503},
		{"POST", "software-statements", 503},
		{"DELETE", "clients/c1", 503},
	} {
		if status, body := f.call(tt.method, "/admin/v1/"+tt.path, ""); status != tt.want {
			t.Errorf("%s %s: got %d %s, want %d", tt.method, tt.path, status, body, tt.want)
		}
	}
}

// A call that waits for others, as one without a majority does, does not hold up the
// end of the server.
func TestShutdownEndsCallsThatWait(t *testing.T) {
	w := &world{state: admin.Ready}
	server, err := admin.Start(admin.Options{Address: "127.0.0.1:0", Status: w.status, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	services, waits := w.services(t), make(chan struct{})
	services.Reload = func(ctx context.Context) (*config.Config, error) {
		close(waits)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	server.Serve(services)
	f := &face{server: server, world: w, t: t, url: "http://" + server.Address().String()}
	var call sync.WaitGroup
	call.Go(func() {
		if status, body := f.call("POST", "/admin/v1/reload", ""); status != http.StatusServiceUnavailable {
			t.Errorf("the call is answered %d %s", status, body)
		}
	})
	<-waits
	if err := server.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	call.Wait()
}

// TestInitIsForANodeThatStarts: it is the one call that is served before the node is
// ready.
func TestInitIsForANodeThatStarts(t *testing.T) {
	f := start(t, func(o *admin.Options) {
		o.Found = func(context.Context) error { return fmt.Errorf("%w: node n2 is a member", admin.ErrFounded) }
	})
	if status, body := f.call("POST", "/admin/v1/cluster/init", ""); status != http.StatusConflict || !strings.Contains(body, "node n2 is a member") {
		t.Errorf("got %d %s, want 409 and why", status, body)
	}
	f.server.Serve(nil)
	if status, _ := f.call("POST", "/admin/v1/cluster/init", ""); status != http.StatusConflict {
		t.Errorf("while the node starts: got %d, want 409", status)
	}
	if status, _ := f.call("GET", "/admin/v1/keys", ""); status != http.StatusServiceUnavailable {
		t.Errorf("another call while the node starts: got %d, want 503", status)
	}
}

// vault stands in for what makes backups.
type vault struct {
	w      *world
	begin  error
	write  func(ctx context.Context, to io.Writer) error
	closed chan struct{}
}

func (v *vault) Begin(_ context.Context, recipient string) (admin.Backup, error) {
	return v, errors.Join(v.w.ask("back up for %s", recipient), v.begin)
}

func (v *vault) Write(ctx context.Context, to io.Writer) error { return v.write(ctx, to) }
func (v *vault) Close()                                        { close(v.closed) }

// A backup is a stream with an audit line when it begins, and one when it ends that says
// how.
func TestBackup(t *testing.T) {
	for name, tt := range map[string]struct {
		begin, write error
		status       int
		ends         string
	}{
		"complete":       {nil, nil, http.StatusOK, "complete"},
		"incomplete":     {nil, errors.New("node n2 is gone"), http.StatusOK, "incomplete"},
		"no recipient":   {admin.ErrRecipient, nil, http.StatusBadRequest, ""},
		"too many":       {admin.ErrBackups, nil, http.StatusConflict, ""},
		"nothing is led": {cluster.ErrRefused, nil, http.StatusServiceUnavailable, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := start(t)
			v := &vault{w: f.world, begin: tt.begin, closed: make(chan struct{})}
			v.write = func(_ context.Context, to io.Writer) error {
				_, err := io.WriteString(to, "encrypted")
				return errors.Join(err, tt.write)
			}
			services := f.services(t)
			services.Backups = v
			f.server.Serve(services)
			status, body := f.call("POST", "/admin/v1/backup", `{"recipient":"age1example"}`)
			if status != tt.status {
				t.Fatalf("got %d %s, want %d", status, body, tt.status)
			}
			if tt.ends == "" {
				wantFailure(t, status, body)
				return
			}
			<-v.closed
			if body != "encrypted" {
				t.Errorf("got %q", body)
			}
			if log := f.logged(); strings.Count(log, "POST /admin/v1/backup") < 1 || !strings.Contains(log, "backup=begun") {
				t.Errorf("no audit line says that it began: %s", log)
			}
			if log := f.logged(); !strings.Contains(log, "backup="+tt.ends+" ") {
				t.Errorf("no audit line says how it ended: %s", log)
			}
		})
	}
}

// A node that stops does not wait for a backup: it ends, and whoever writes it hears
// why.
func TestABackupEndsWithTheNode(t *testing.T) {
	why := make(chan error, 1)
	var asking sync.WaitGroup
	t.Cleanup(func() { // when the server was shut down
		asking.Wait()
		if err := <-why; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	f := start(t)
	begun := make(chan struct{})
	v := &vault{w: f.world, closed: make(chan struct{})}
	v.write = func(ctx context.Context, _ io.Writer) error {
		close(begun)
		<-ctx.Done()
		why <- ctx.Err()
		return ctx.Err()
	}
	services := f.services(t)
	services.Backups = v
	f.server.Serve(services)
	asking.Go(func() {
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		if answer, err := client.Post(f.url+"/admin/v1/backup", "application/json", strings.NewReader(`{"recipient":"age1example"}`)); err == nil {
			_ = answer.Body.Close()
		}
	})
	<-begun
}
