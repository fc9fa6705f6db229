package browse

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"ssod/cmd/internal/node"
	"ssod/httpfront/client"
)

// configuration has a sandbox, and a platform whose tokens the test can sign.
// The app's own pages are on this machine.
const configuration = `
throttle: {enabled: false}
realms:
  - id: acme
    serviceProviders: [{id: STREAM1, displayName: Stream One, domains: ["127.0.0.1"]}]
    platforms: [{name: firetv, issuer: amazon, algorithms: [HS256], jwksFile: platform.json}]
    mvpds: [{id: AcmeTV, displayName: Acme TV, kind: sandbox}]
`

var platformSecret = []byte("thirty-two bytes of the platform")

// world is a node, and an app with its own pages.
type world struct {
	*testing.T
	api, admin string
	back       string // where browsers come back to the app
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldOf(t, configuration)
}

func newWorldOf(t *testing.T, configuration string) *world {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("platform.json", `{"keys":[{"kty":"oct","k":"`+base64.RawURLEncoding.EncodeToString(platformSecret)+`"}]}`)
	n, err := node.Start(t.Context(), node.Config{
		File: write("ssod.yaml", configuration), Data: filepath.Join(dir, "data"), DefaultName: "n1",
		HTTP: "127.0.0.1:0", Admin: "127.0.0.1:0", RPC: "127.0.0.1:7947", Shards: 4, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return &world{T: t, api: "http://" + n.HTTP(), admin: "http://" + n.Admin(), back: appPages(t)}
}

// appPages serves the pages where the app takes its viewers back.
func appPages(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(`<!doctype html><html lang="en"><title>Back</title><p>Back at the app`))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// app registers an app.
func (w *world) app() *client.Client {
	w.Helper()
	c, err := client.New(client.Options{BaseURL: w.api, ServiceProvider: "STREAM1", Attempts: 1})
	w.must(err)
	r, err := c.Register(w.Context(), w.statement(), "")
	w.must(err)
	return c.WithCredentials(r.Credentials)
}

// statement is what the operator gives to the app's developers.
func (w *world) statement() string {
	w.Helper()
	answer, err := http.Post(w.admin+"/admin/v1/software-statements", "application/json", strings.NewReader(`{"clientName":"app","serviceProviders":["STREAM1"]}`))
	w.must(err)
	defer answer.Body.Close()
	var statement struct{ SoftwareStatement string }
	w.must(json.NewDecoder(answer.Body).Decode(&statement))
	return statement.SoftwareStatement
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// device is an app on a device.
type device struct {
	*world
	*client.Device
	app *client.Client
	id  string
}

// newDevice registers an app on a device.
func (w *world) newDevice(o client.DeviceOptions) *device {
	w.Helper()
	c := w.app()
	return &device{w, c.Device(o), c, o.ID}
}

// onPlatform proves the viewer by what the device's platform says, and by nothing else.
func (d *device) onPlatform(subject string) {
	d.Helper()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss": "amazon", "sub": subject, "aud": "adobe", "exp": time.Now().Add(time.Hour).Unix(),
	}).SignedString(platformSecret)
	d.must(err)
	d.Device = d.app.Device(client.DeviceOptions{ID: d.id, SubjectToken: token})
}

// signIn gets a service token by X-SSO-ID.
func (d *device) signIn(viewer string) {
	d.Helper()
	_, err := d.Mint(d.Context(), viewer)
	d.must(err)
}

// beginLogin returns where the browser goes, and the code to ask with.
func (d *device) beginLogin() (address, code string) {
	d.Helper()
	s, err := d.CreateSession(d.Context(), client.SessionParameters{MVPD: "AcmeTV", DomainName: "127.0.0.1", RedirectURL: d.back + "/in"})
	if err != nil || s.Action != client.ActionAuthenticate {
		d.Fatalf("begin a login: got %+v, %v", s, err)
	}
	return s.URL, s.Code
}

// showCode begins a login of a device that only shows a code.
func (d *device) showCode() client.Session {
	d.Helper()
	s, err := d.CreateSession(d.Context(), client.SessionParameters{Verification: true})
	if err != nil || s.VerificationURL == "" {
		d.Fatalf("begin a login: got %+v, %v", s, err)
	}
	return s
}

// expectLogin checks the type of the login that is found; "" stands for none.
// With a code it is that of the session.
func (d *device) expectLogin(code, want string) {
	d.Helper()
	find := func() (map[string]client.Profile, error) { return d.ProfileByCode(d.Context(), code) }
	if code == "" {
		find = func() (map[string]client.Profile, error) { return d.Profiles(d.Context()) }
	}
	found, err := find()
	if got := found["AcmeTV"].Type; err != nil || got != want {
		d.Errorf("the login is of type %q, want %q; %v", got, want, err)
	}
}

// expectDecision checks what authorize says; "" stands for a permit.
func (d *device) expectDecision(want string) {
	d.Helper()
	decisions, err := d.Authorize(d.Context(), "AcmeTV", "channel-1")
	d.must(err)
	got, code := decisions[0], ""
	if got.Error != nil {
		code = got.Error.Code
	}
	if code != want || got.Authorized != (want == "") || got.Authorized != (got.Token != nil) {
		d.Errorf("authorize: got %+v, want %q", got, want)
	}
}

// beginLogout returns where the browser ends its session at the MVPD.
func (d *device) beginLogout() string {
	d.Helper()
	l, err := d.Logout(d.Context(), "AcmeTV", d.back+"/out")
	if err != nil || l.Action != client.ActionLogout {
		d.Fatalf("logout: got %+v, %v", l, err)
	}
	return l.URL
}
