package sandbox_test

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ssod/httpfront"
	"ssod/httpfront/api/sandbox"
	"ssod/httpfront/config"
	"ssod/httpfront/fronttest/openapitest"
	"ssod/httpfront/mvpd"
)

const realms = `
throttle: {enabled: false}
realms:
  - id: acme
    serviceProviders: [STREAM1, {id: KIDS, displayName: "Kids <TV>"}]
    mvpds:
      - {id: AcmeTV, displayName: Acme TV, kind: sandbox}
      - {id: NordCable, kind: sandbox, logoutEndpoint: false}
`

// world is a sandbox as the service serves it, and a browser.
type world struct {
	*mvpd.Provider
	other   *mvpd.Provider
	browser *http.Client
	ahead   atomic.Int64
}

func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{}
	providers := mvpd.NewRegistry(map[string]mvpd.Maker{sandbox.Kind: sandbox.Maker(sandbox.Options{
		Key: func(realm string) []byte { return []byte("key of " + realm) }, Now: w.now, Delay: time.Millisecond,
	})}, slog.New(slog.DiscardHandler))
	var settings atomic.Pointer[config.Config]
	settings.Store(&config.Config{})
	pages := sandbox.Pages{Providers: providers}
	server, err := httpfront.Start(httpfront.Options{
		Address:  "127.0.0.1:0",
		Handlers: httpfront.Handlers{Sandbox: httpfront.NewSandboxHandlers(pages)},
		Settings: func() *config.Config { return settings.Load() },
		Log:      slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Shutdown(context.Background()) })
	cfg, err := config.Parse([]byte(realms), config.Options{PublicURL: "http://" + server.Address().String()})
	if err != nil {
		t.Fatal(err)
	}
	settings.Store(cfg)
	if w.Provider, err = providers.Find(cfg, cfg.Realms[0], "STREAM1", "AcmeTV"); err != nil {
		t.Fatal(err)
	}
	if w.other, err = providers.Find(cfg, cfg.Realms[0], "STREAM1", "NordCable"); err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	w.browser = &http.Client{
		Jar: jar, Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return w
}

func newLogin() mvpd.Login {
	return mvpd.Login{Secrets: mvpd.DeriveSecrets([]byte(rand.Text()), "login"), Callback: "https://sso.example/callback?x=1", ServiceProvider: "Kids <TV>"}
}

// begin returns where the browser goes first.
func (w *world) begin(t *testing.T, l mvpd.Login) string {
	t.Helper()
	step, err := w.Begin(t.Context(), l)
	if err != nil || step.Form != nil {
		t.Fatalf("begin: got %+v, %v, want a URL", step, err)
	}
	return step.URL
}

// do sends a form, or a GET without one, and reads the answer.
func (w *world) do(t *testing.T, at string, form url.Values) (*http.Response, string) {
	t.Helper()
	method, body := http.MethodGet, ""
	if form != nil {
		method, body = http.MethodPost, form.Encode()
	}
	request, err := http.NewRequestWithContext(t.Context(), method, at, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := w.browser.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := openapitest.Validate(request, []byte(body), response, text); err != nil {
		t.Errorf("%s %s answered %d, not as documented: %v", method, request.URL.Path, response.StatusCode, err)
	}
	return response, string(text)
}

// choose presses a button and returns the values of the callback.
func (w *world) choose(t *testing.T, at, viewer string) url.Values {
	t.Helper()
	response, _ := w.do(t, at, url.Values{"viewer": {viewer}})
	return callback(t, response)
}

func callback(t *testing.T, response *http.Response) url.Values {
	t.Helper()
	location, err := response.Location()
	if err != nil || response.StatusCode != http.StatusSeeOther || location.Host != "sso.example" || location.Path != "/callback" {
		t.Fatalf("got %d to %v, want 303 to the callback", response.StatusCode, location)
	}
	if location.Query().Get("x") != "1" {
		t.Errorf("the callback lost its own query: %v", location)
	}
	return location.Query()
}

func TestLogin(t *testing.T) {
	w, l := newWorld(t), newLogin()
	at := w.begin(t, l)
	response, html := w.do(t, at, nil)
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("got %d %s, want the login page", response.StatusCode, response.Header.Get("Content-Type"))
	}
	for _, want := range []string{"Sign in to Acme TV", "Kids &lt;TV&gt;", `value="ada"`, "Has no subscription", `name="cancel"`} {
		if !strings.Contains(html, want) {
			t.Errorf("the page does not have %q", want)
		}
	}
	if policy := response.Header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none';") {
		t.Errorf("got the policy %q", policy)
	}
	values := w.choose(t, at, "ada")
	if values.Get("state") != l.State {
		t.Errorf("got state %q, want %q", values.Get("state"), l.State)
	}
	identity, err := w.Complete(t.Context(), l, values)
	if err != nil || identity.Subject != "sandbox-ada" {
		t.Fatalf("got %+v, %v, want Ada", identity, err)
	}
	if len(identity.Attributes) == 0 {
		t.Error("the provider tells nothing of Ada")
	}
}

// TestLoginEndsWithoutAViewer: who fails and who gives up come back with an
// error of RFC 6749, 4.1.2.1.
func TestLoginEndsWithoutAViewer(t *testing.T) {
	for name, tt := range map[string]struct {
		form url.Values
		want string
	}{
		"the provider fails": {url.Values{"viewer": {"leo"}}, mvpd.ServerError},
		"given up":           {url.Values{"cancel": {"yes"}}, mvpd.AccessDenied},
	} {
		t.Run(name, func(t *testing.T) {
			w, l := newWorld(t), newLogin()
			response, _ := w.do(t, w.begin(t, l), tt.form)
			_, err := w.Complete(t.Context(), l, callback(t, response))
			expectLoginError(t, err, tt.want)
		})
	}
}

func expectLoginError(t *testing.T, err error, want string) {
	t.Helper()
	if failed, ok := err.(*mvpd.LoginError); !ok || failed.Code != want {
		t.Fatalf("got %v, want a login error %s", err, want)
	}
}

// TestAGrantFitsOneLogin: what one login got is of no use in another one, nor
// later, nor at another provider, nor changed.
func TestAGrantFitsOneLogin(t *testing.T) {
	w, l := newWorld(t), newLogin()
	good := w.choose(t, w.begin(t, l), "ada")
	otherNonce, otherVerifier := l, l
	otherNonce.Nonce, otherVerifier.Verifier = "other", "other"
	changed := url.Values{"code": {"A" + good.Get("code")[1:]}}
	ticket, _ := url.Parse(w.begin(t, l))
	tests := map[string]struct {
		provider *mvpd.Provider
		login    mvpd.Login
		values   url.Values
		ahead    time.Duration
	}{
		"another nonce":    {w.Provider, otherNonce, good, 0},
		"another verifier": {w.Provider, otherVerifier, good, 0},
		"another provider": {w.other, l, good, 0},
		"changed":          {w.Provider, l, changed, 0},
		"none":             {w.Provider, l, url.Values{}, 0},
		"a login ticket":   {w.Provider, l, url.Values{"code": {ticket.Query().Get("ticket")}}, 0},
		"too late":         {w.Provider, l, good, 2 * time.Minute},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w.ahead.Store(int64(tt.ahead))
			defer w.ahead.Store(0)
			_, err := tt.provider.Complete(t.Context(), tt.login, tt.values)
			expectLoginError(t, err, mvpd.InvalidRequest)
		})
	}
	if _, err := w.Complete(t.Context(), l, good); err != nil {
		t.Errorf("the login that it fits: %v", err)
	}
}

func TestTheBrowserIsRemembered(t *testing.T) {
	w, l := newWorld(t), newLogin()
	at := w.begin(t, l)
	w.choose(t, at, "ben")
	if _, html := w.do(t, at, nil); !strings.Contains(html, "Continue as Ben") {
		t.Error("the next login does not offer Ben first")
	}
	away, err := w.Logout(t.Context(), mvpd.Logout{Subject: "sandbox-ben", Return: "https://sso.example/bye?a=b"})
	if err != nil {
		t.Fatal(err)
	}
	response, _ := w.do(t, away.URL, nil)
	if got := response.Header.Get("Location"); response.StatusCode != http.StatusFound || got != "https://sso.example/bye?a=b" {
		t.Fatalf("logout: got %d to %q", response.StatusCode, got)
	}
	if _, html := w.do(t, at, nil); strings.Contains(html, "Continue as") {
		t.Error("the browser still remembers after the logout")
	}
}

func TestAProviderWithoutLogout(t *testing.T) {
	w := newWorld(t)
	if got, err := w.other.Logout(t.Context(), mvpd.Logout{Return: "https://sso.example/bye"}); !got.None() || err != nil {
		t.Fatalf("got %+v, %v, want no URL", got, err)
	}
}

// TestPagesRefuse: only what the service itself made opens a page, so the
// pages lead a browser nowhere else (open redirects, forged logins).
func TestPagesRefuse(t *testing.T) {
	w, l := newWorld(t), newLogin()
	at := w.begin(t, l)
	base, ticket, _ := strings.Cut(at, "?ticket=")
	root := strings.TrimSuffix(base, "/sandbox/acme/AcmeTV/login")
	logout, _ := w.Logout(t.Context(), mvpd.Logout{Return: "https://sso.example/bye"})
	_, farewell, _ := strings.Cut(logout.URL, "?ticket=")
	viewer := url.Values{"viewer": {"ada"}}
	tests := []struct {
		name, at string
		form     url.Values
		ahead    time.Duration
		want     int
	}{
		{"no ticket", base, nil, 0, 400},
		{"no ticket, form", base, viewer, 0, 400},
		{"two tickets", at + "&ticket=" + ticket, nil, 0, 400},
		{"broken query", base + "?ticket=%zz", nil, 0, 400},
		{"changed", base + "?ticket=x" + ticket, nil, 0, 400},
		{"cut", at[:len(at)-1], nil, 0, 400},
		{"of the logout", base + "?ticket=" + farewell, nil, 0, 400},
		{"of the login, at the logout", root + "/sandbox/acme/AcmeTV/logout?ticket=" + ticket, nil, 0, 400},
		{"of another provider", root + "/sandbox/acme/NordCable/login?ticket=" + ticket, viewer, 0, 400},
		{"open for too long", at, nil, 31 * time.Minute, 400},
		{"open for too long, then chosen", at, viewer, 31 * time.Minute, 400},
		{"viewer unknown", at, url.Values{"viewer": {"zoe"}}, 0, 400},
		{"nobody chosen", at, url.Values{}, 0, 400},
		{"provider unknown", root + "/sandbox/acme/None/login?ticket=" + ticket, nil, 0, 404},
		{"realm unknown", root + "/sandbox/none/AcmeTV/login?ticket=" + ticket, nil, 0, 404},
		{"page unknown", root + "/sandbox/acme/AcmeTV/admin", nil, 0, 404},
		{"method", logout.URL, viewer, 0, 405},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w.ahead.Store(int64(tt.ahead))
			defer w.ahead.Store(0)
			response, html := w.do(t, tt.at, tt.form)
			if response.StatusCode != tt.want || response.Header.Get("Location") != "" || response.Header.Get("Set-Cookie") != "" {
				t.Errorf("got %d to %q, want %d", response.StatusCode, response.Header.Get("Location"), tt.want)
			}
			if response.Header.Get("Content-Type") != "text/html; charset=utf-8" || !strings.Contains(html, response.Header.Get("X-Request-Id")) {
				t.Errorf("got %s %q, want a page with the trace", response.Header.Get("Content-Type"), html)
			}
		})
	}
}

func FuzzComplete(f *testing.F) {
	provider, err := sandbox.Maker(sandbox.Options{Key: func(string) []byte { return []byte("key") }})(
		&config.Config{}, &config.Realm{ID: "acme"}, &config.MVPD{ID: "AcmeTV"})
	if err != nil {
		f.Fatal(err)
	}
	l := newLogin()
	f.Add("a.b", "")
	f.Add("", "access_denied")
	f.Fuzz(func(t *testing.T, code, failure string) {
		if got, err := provider.Complete(t.Context(), l, url.Values{"code": {code}, "error": {failure}}); err == nil {
			t.Fatalf("%q logged %+v in", code, got)
		}
	})
}
