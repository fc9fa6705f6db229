package e2e

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"ssod/httpfront/client"
)

// openIDIssuer is an OpenID provider that posts its answers and ends logins, in this process.
type openIDIssuer struct {
	*httptest.Server
	testing.TB
	key    *rsa.PrivateKey
	mu     sync.Mutex
	codes  map[string]jwt.MapClaims // of ID tokens
	serial int
}

func startIssuer(t testing.TB) *openIDIssuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	i := &openIDIssuer{TB: t, key: key, codes: map[string]jwt.MapClaims{}}
	mux := http.NewServeMux()
	i.Server = httptest.NewServer(mux)
	t.Cleanup(i.Close)
	answer := func(path string, of func(*http.Request) any) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if err := json.NewEncoder(w).Encode(of(r)); err != nil {
				t.Error(err)
			}
		})
	}
	answer("/.well-known/openid-configuration", func(*http.Request) any {
		return map[string]any{
			"issuer": i.URL, "authorization_endpoint": i.URL + "/authorize", "token_endpoint": i.URL + "/token", "jwks_uri": i.URL + "/keys",
			"response_types_supported": []string{"code"}, "response_modes_supported": []string{"query", "form_post"},
			"subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256"},
			"code_challenge_methods_supported": []string{"S256"}, "backchannel_logout_supported": true,
		}
	})
	answer("/keys", func(*http.Request) any {
		text := base64.RawURLEncoding.EncodeToString
		return map[string]any{"keys": []any{map[string]string{
			"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "1",
			"n": text(key.N.Bytes()), "e": text(big.NewInt(int64(key.E)).Bytes()),
		}}}
	})
	answer("/token", func(r *http.Request) any {
		i.mu.Lock()
		defer i.mu.Unlock()
		claims := i.codes[r.FormValue("code")]
		return map[string]any{"access_token": "unused", "token_type": "Bearer", "id_token": i.sign(claims, "JWT")}
	})
	return i
}

func (i *openIDIssuer) sign(claims jwt.MapClaims, typ string) string {
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["kid"], token.Header["typ"] = "1", typ
	signed, err := token.SignedString(i.key)
	if err != nil {
		i.Error(err)
	}
	return signed
}

// code is that of a viewer who logs in, with a session of that name.
func (i *openIDIssuer) code(asked url.Values, viewer, sid string) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.serial++
	code := fmt.Sprint("code-", i.serial)
	i.codes[code] = jwt.MapClaims{
		"iss": i.URL, "aud": "ssod", "sub": viewer, "sid": sid, "nonce": asked.Get("nonce"),
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(),
	}
	return code
}

// logoutToken says that a viewer, or one session, has logged out.
func (i *openIDIssuer) logoutToken(claims jwt.MapClaims) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.serial++
	now := time.Now()
	claims["iss"], claims["aud"], claims["iat"], claims["exp"] = i.URL, "ssod", now.Unix(), now.Add(time.Minute).Unix()
	claims["jti"] = fmt.Sprint("jti-", i.serial)
	claims["events"] = map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}
	return i.sign(claims, "logout+jwt")
}

// config is that of a node whose only MVPD is the issuer.
func (i *openIDIssuer) config(t testing.TB) string {
	return `
publicURL: ` + publicURL + `
throttle: {enabled: false}
realms:
  - id: acme
    serviceProviders: [{id: tv, displayName: Stream One, domains: [app.example]}]
    session: {confirm: never}
    mvpds:
      - {id: cable, kind: oidc, issuer: "` + i.URL + `", clientId: ssod, clientSecretFile: ` + secretFile(t, "only the provider knows") + `,
         responseMode: form_post, decision: authenticated}
`
}

// postedLogin is a login whose answer the browser posts, while it is played. Each step can be
// repeated.
type postedLogin struct {
	*node
	by          *openIDIssuer
	credentials client.Credentials
	device      string
	viewer, sid string
	browser     *http.Client
	code        string     // of the session
	asked       url.Values // of the issuer
	callback    string     // where the browser is sent after its POST
	token       string     // logout token
}

func (s *postedLogin) app() (*client.Device, error) {
	c, err := client.New(client.Options{BaseURL: "http://" + s.at().HTTP, ServiceProvider: "tv"})
	if err != nil {
		return nil, err
	}
	return c.WithCredentials(s.credentials).Device(client.DeviceOptions{ID: s.device}), nil
}

func (s *postedLogin) begin(ctx context.Context) error {
	app, err := s.app()
	if err != nil {
		return err
	}
	session, err := app.CreateSession(ctx, client.SessionParameters{MVPD: "cable", DomainName: "app.example", RedirectURL: "https://app.example/in"})
	if err == nil {
		s.code = session.Code
	}
	return err
}

// visit opens an address of the service, with the browser's cookies or without, and returns
// the status and where it is sent.
func (s *postedLogin) visit(ctx context.Context, method, path string, form url.Values) (status int, to string, err error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://"+s.at().HTTP+path, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, "", err
	}
	browser := s.browser
	if form != nil { // it comes from another site
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		browser = s.client
	}
	answer, err := browser.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, answer.Header.Get("Location"), err
}

func (s *postedLogin) open(ctx context.Context) error {
	status, to, err := s.visit(ctx, http.MethodGet, "/api/v2/authenticate/tv/"+s.code, nil)
	if err != nil {
		return err
	}
	at, err := url.Parse(to)
	if err != nil || !strings.HasPrefix(to, s.by.URL+"/authorize?") {
		return fmt.Errorf("%w: %d, to %q", errStatus, status, to)
	}
	s.asked = at.Query()
	return nil
}

// post brings the answer of the issuer. One that counted already, although its node died
// before it said so, is refused: then the viewer logs in again.
func (s *postedLogin) post(ctx context.Context) error {
	form := url.Values{"state": {s.asked.Get("state")}, "code": {s.by.code(s.asked, s.viewer, s.sid)}}
	status, to, err := s.visit(ctx, http.MethodPost, "/api/v2/authenticate/callback", form)
	if status == http.StatusBadRequest {
		return errors.Join(fmt.Errorf("%w: the answer was refused", errStatus), s.open(ctx))
	}
	if err == nil && status != http.StatusSeeOther {
		err = fmt.Errorf("%w: the answer was posted: %d", errStatus, status)
	}
	s.callback = strings.TrimPrefix(to, publicURL)
	return err
}

func (s *postedLogin) comeBack(ctx context.Context) error {
	status, to, err := s.visit(ctx, http.MethodGet, s.callback, nil)
	if err == nil && to != "https://app.example/in" {
		err = fmt.Errorf("%w: the browser came back: %d, to %q", errStatus, status, to)
	}
	return err
}

// finds checks whether the device has a login.
func (s *postedLogin) finds(want bool) func(context.Context) error {
	return func(ctx context.Context) error {
		app, err := s.app()
		if err != nil {
			return err
		}
		profiles, err := app.Profiles(ctx)
		if err == nil && (len(profiles) > 0) != want {
			err = fmt.Errorf("%w: %s has %d logins, want one: %v", errStatus, s.device, len(profiles), want)
		}
		return err
	}
}

// end is the issuer's word that claims have logged out, with the same token until it is
// answered. When a node died after it had claimed the token's id, it was used before.
func (s *postedLogin) end(ctx context.Context, claims jwt.MapClaims) error {
	if s.token == "" {
		s.token = s.by.logoutToken(claims)
	}
	body := strings.NewReader(url.Values{"logout_token": {s.token}}.Encode())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.at().HTTP+"/api/v2/logout/backchannel/acme/cable", body)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := s.client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK && !strings.Contains(string(said), "used before") {
		err = fmt.Errorf("%w: the logout was answered %d %s", errStatus, answer.StatusCode, said)
	}
	return err
}

// newCookieClient follows no redirect and keeps cookies.
func newCookieClient(n *node) *http.Client {
	n.Helper()
	jar, err := cookiejar.New(nil)
	must(n, err)
	return &http.Client{Transport: n.client.Transport, CheckRedirect: n.client.CheckRedirect, Jar: jar}
}

// secretFile is a file with a secret.
func secretFile(t testing.TB, secret string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	must(t, os.WriteFile(file, []byte(secret), 0o600))
	return file
}

// newPostedLogin is the login of a viewer on a device.
func newPostedLogin(n *node, i *openIDIssuer, c client.Credentials, device, viewer, sid string) *postedLogin {
	return &postedLogin{node: n, by: i, credentials: c, device: device, viewer: viewer, sid: sid, browser: newCookieClient(n)}
}

// logIn plays all of it.
func (s *postedLogin) logIn(ctx context.Context) error {
	for _, step := range []func(context.Context) error{s.begin, s.open, s.post, s.comeBack, s.finds(true)} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// TestTheProviderEndsLogins on one node and on three: on every device within a second; those
// of one session, then those of the viewer; and no login that was made since.
func TestTheProviderEndsLogins(t *testing.T) {
	t.Parallel()
	i := startIssuer(t)
	alone := startNode(t, i.config(t))
	c := startTrio(t, i.config(t))
	c.balanced()
	for name, n := range map[string]*node{"one node": alone, "three nodes": c.node} {
		t.Run(name, func(t *testing.T) { theProviderEndsLogins(t, n, i) })
	}
	t.Run("an erased device", func(t *testing.T) { erasedFromTheIndex(t, c, i) })
}

// erasedFromTheIndex: a device that is erased is in no file, although its provider's viewer
// has logins on another device still.
func erasedFromTheIndex(t *testing.T, c *trio, i *openIDIssuer) {
	_, credentials := registerOpenIDApp(t, c.node)
	gone := newPostedLogin(c.node, i, credentials, eraseMark+" phone", "viewer-9", "s9")
	stays := newPostedLogin(c.node, i, credentials, "somebody's phone", "viewer-9", "s10")
	must(t, gone.logIn(t.Context()))
	must(t, stays.logIn(t.Context()))
	if found := c.files(gone.device); len(found) == 0 {
		t.Error("the device is in no file: the test proves nothing")
	}
	c.erase("/admin/v1/device", url.Values{"realm": {"acme"}, "device": {base64.StdEncoding.EncodeToString([]byte(gone.device))}})
	if found := c.files(gone.device); len(found) > 0 {
		t.Errorf("the device was erased, and is still in %v", found)
	}
	must(t, stays.finds(true)(t.Context()))
	must(t, stays.end(t.Context(), jwt.MapClaims{"sub": "viewer-9"}))
	must(t, stays.finds(false)(t.Context()))
}

func theProviderEndsLogins(t *testing.T, n *node, i *openIDIssuer) {
	_, credentials := registerOpenIDApp(t, n)
	var all []*postedLogin
	for _, one := range [][3]string{{"phone", "viewer-1", "s1"}, {"tv", "viewer-1", "s2"}, {"tablet", "viewer-1", "s3"}, {"console", "viewer-2", "s4"}} {
		s := newPostedLogin(n, i, credentials, one[0], one[1], one[2])
		must(t, s.logIn(t.Context()))
		all = append(all, s)
	}
	expect := func(what string, want ...bool) {
		t.Helper()
		for n, s := range all {
			for range 3 { // any node
				if err := s.finds(want[n])(t.Context()); err != nil {
					t.Errorf("%s: %v", what, err)
				}
			}
		}
	}
	inTime := func(s *postedLogin, claims jwt.MapClaims) {
		t.Helper()
		began := time.Now()
		must(t, s.end(t.Context(), claims))
		t.Logf("the provider had its answer after %v", time.Since(began).Round(time.Millisecond))
	}
	expect("logged in", true, true, true, true)
	inTime(all[0], jwt.MapClaims{"sub": "viewer-1", "sid": "s1"})
	expect("a session ended", false, true, true, true)
	inTime(all[1], jwt.MapClaims{"sub": "viewer-1"})
	expect("the viewer logged out", false, false, false, true)
	nextSecond() // tokens count in seconds
	must(t, all[0].logIn(t.Context()))
	must(t, all[1].end(t.Context(), nil)) // comes again
	expect("logged in again", true, false, false, true)
	late := newPostedLogin(n, i, credentials, "late", "viewer-3", "s5")
	for _, step := range []func(context.Context) error{late.begin, late.open, late.post} {
		must(t, step(t.Context()))
	}
	must(t, late.end(t.Context(), jwt.MapClaims{"sub": "viewer-3"})) // overtakes it
	must(t, late.comeBack(t.Context()))
	if err := late.finds(false)(t.Context()); err != nil {
		t.Errorf("a logout that overtook its login: %v", err)
	}
	nextSecond()
	must(t, late.logIn(t.Context()))
	hasty := newPostedLogin(n, i, credentials, "hasty", "viewer-4", "s6")
	for _, step := range []func(context.Context) error{
		hasty.logIn, func(ctx context.Context) error { return hasty.end(ctx, jwt.MapClaims{"sub": "viewer-4"}) }, hasty.logIn, hasty.finds(true),
	} {
		if err := step(t.Context()); err != nil {
			t.Errorf("a viewer who logs in again in the same second: %v", err)
		}
	}
	for _, hidden := range []string{"viewer-1", "viewer-2", "code-1", all[0].token} {
		if strings.Contains(n.at().Logged(), hidden) {
			t.Errorf("%q is in the log", hidden)
		}
	}
}

// nextSecond waits for it.
func nextSecond() { <-time.After(time.Until(time.Now().Truncate(time.Second).Add(time.Second))) }

// TestKilledBetweenStepsOfAPostedLogin kills the node with SIGKILL before each step of a
// login whose answer is posted, and of the provider's logout, and then, in long runs, during
// each. Every step is repeated until it is answered. It prints a table.
func TestKilledBetweenStepsOfAPostedLogin(t *testing.T) {
	t.Parallel()
	i := startIssuer(t)
	steps := func(s *postedLogin) []struct {
		name string
		do   func(context.Context) error
	} {
		logOut := func(ctx context.Context) error { return s.end(ctx, jwt.MapClaims{"sub": s.viewer, "sid": s.sid}) }
		return []struct {
			name string
			do   func(context.Context) error
		}{
			{"phone begins a session", s.begin},
			{"browser opens the login", s.open},
			{"browser posts the answer", s.post},
			{"browser comes back", s.comeBack},
			{"phone finds the login", s.finds(true)},
			{"provider ends it", logOut},
			{"phone finds nothing", s.finds(false)},
		}
	}
	n := startNode(t, i.config(t))
	_, credentials := registerOpenIDApp(t, n)
	for during := range volume(1, 2) {
		for kill, killed := range steps(&postedLogin{}) {
			s := newPostedLogin(n, i, credentials, fmt.Sprint("phone-", during, kill), fmt.Sprint("viewer-", during, kill), fmt.Sprint("s", during, kill))
			for at, step := range steps(s) {
				if at == kill {
					s.strike(t, during == 1, step.do)
				}
				if err := eventually(t.Context(), step.do); err != nil {
					t.Fatalf("killed at %q: %q: %v", killed.name, step.name, err)
				}
			}
			t.Logf("killed %-7s %-28q completed", map[bool]string{true: "during", false: "before"}[during == 1], killed.name)
		}
	}
}

// strike kills the node, maybe while it carries out a step, and starts it again.
func (s *postedLogin) strike(t *testing.T, during bool, step func(context.Context) error) {
	t.Helper()
	done := make(chan error, 1)
	if during {
		go func() { done <- step(t.Context()) }()
		<-time.After(2 * time.Millisecond)
	} else {
		done <- nil
	}
	s.Kill()
	<-done // its outcome is unknown
	s.Start()
}
