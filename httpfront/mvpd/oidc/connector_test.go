package oidc_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
	"ssod/httpfront/mvpd/oidc"
)

// fixture is a connector and its provider.
type fixture struct {
	mvpd.Connector
	*op
	t     *testing.T
	login mvpd.Login
	ahead atomic.Int64 // of the connector's clock, in nanoseconds
	log   bytes.Buffer
}

func connect(t *testing.T, change ...func(*config.MVPD)) *fixture {
	t.Helper()
	return connectTo(t, startOP(t), change...)
}

func connectTo(t *testing.T, o *op, change ...func(*config.MVPD)) *fixture {
	t.Helper()
	f := &fixture{op: o, t: t, login: mvpd.Login{
		Secrets:  mvpd.DeriveSecrets([]byte("key"), "STREAM1.code.cable.serial"),
		Callback: "https://sso.example/api/v2/authenticate/callback", ServiceProvider: "Stream One",
	}}
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(clientSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m := &config.MVPD{
		ID: "cable", Kind: oidc.Kind, Issuer: f.URL, ClientID: "ssod", ClientSecretFile: secret,
		Scopes: []string{"profile"}, Attributes: map[string]string{"zip": "address.postal_code"}, Decision: config.DecisionAuthenticated,
	}
	for _, c := range change {
		c(m)
	}
	now := func() time.Time { return time.Now().Add(time.Duration(f.ahead.Load())) }
	make := oidc.Maker(oidc.Options{Now: now, Log: slog.New(slog.NewTextHandler(&f.log, nil))})
	var err error
	if f.Connector, err = make(nil, nil, m); err != nil {
		t.Fatal(err)
	}
	return f
}

// logIn goes through a whole login.
func (f *fixture) logIn() (mvpd.Identity, error) {
	f.t.Helper()
	step, err := f.Begin(f.t.Context(), f.login)
	if err != nil {
		return mvpd.Identity{}, err
	}
	return f.Complete(f.t.Context(), f.login, f.authorize(step.URL))
}

func TestLogin(t *testing.T) {
	f := connect(t)
	f.claims["address"] = map[string]string{"postal_code": "12345", "street": "not asked for"}
	f.claims["at_hash"], f.claims["sid"], f.claims["iat"] = leftHalf("an access token"), "session-1", 1767384000
	who, err := f.logIn()
	if err != nil {
		t.Fatal(err)
	}
	want := mvpd.Identity{
		Subject: "viewer-1", Attributes: []mvpd.Attribute{{Name: "zip", Value: json.RawMessage(`"12345"`)}},
		Session: "session-1", Issued: time.Unix(1767384000, 0),
	}
	if diff := cmp.Diff(want, who); diff != "" {
		t.Errorf("identity (-want +got):\n%s", diff)
	}
	asked := url.Values{
		"client_id": {"ssod"}, "response_type": {"code"}, "scope": {"openid profile"}, "redirect_uri": {f.login.Callback},
		"state": {f.login.State}, "nonce": {f.login.Nonce}, "code_challenge": {f.login.Challenge()}, "code_challenge_method": {"S256"},
	}
	if diff := cmp.Diff(asked, f.asked); diff != "" {
		t.Errorf("the authorization request (-want +got):\n%s", diff)
	}
	if n := f.called("/userinfo"); n > 0 {
		t.Errorf("userinfo was asked %d times though nothing was missing", n)
	}
}

func TestClaimsBecomeAttributes(t *testing.T) {
	f := connect(t, func(m *config.MVPD) {
		m.Attributes = map[string]string{
			"userID": "household", "zip": "address.postal_code", "hba": "https://cable.example/home", "age": "age", "none": "nothing", "null": "null",
		}
	})
	f.claims["household"], f.claims["null"] = 4711, json.RawMessage("null")
	f.claims["https://cable.example/home"], f.claims["iat"] = true, nil
	f.userinfo = map[string]any{"sub": "viewer-1", "age": []int{18}, "household": 1, "address": map[string]string{"postal_code": "12345"}}
	who, err := f.logIn()
	if err != nil {
		t.Fatal(err)
	}
	want := mvpd.Identity{Subject: "4711", LogoutSubject: "viewer-1", Attributes: []mvpd.Attribute{
		{Name: "age", Value: json.RawMessage(`[18]`)},
		{Name: "hba", Value: json.RawMessage(`true`)},
		{Name: "zip", Value: json.RawMessage(`"12345"`)},
	}}
	if diff := cmp.Diff(want, who); diff != "" {
		t.Errorf("identity (-want +got):\n%s", diff)
	}
}

// TestLoginsThatAreRefused has a provider, or somebody between, who does not keep to
// the protocol.
func TestLoginsThatAreRefused(t *testing.T) {
	answer := func(status int, body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		})
	}
	const other = mvpd.ServerError // an error that is no LoginError is told as such
	tests := []struct {
		name   string
		code   string
		change func(f *fixture)
	}{
		{"nonce of another login", other, func(f *fixture) { f.claims["nonce"] = "another" }},
		{"no nonce", other, func(f *fixture) { f.claims["nonce"] = nil }},
		{"audience", other, func(f *fixture) { f.claims["aud"] = "another client" }},
		{"two audiences and no party", other, func(f *fixture) { f.claims["aud"] = []string{"ssod", "another"} }},
		{"party", other, func(f *fixture) { f.claims["azp"] = "another" }},
		{"issuer", other, func(f *fixture) { f.claims["iss"] = "https://another.example" }},
		{"expired", other, func(f *fixture) { f.claims["exp"] = time.Now().Add(-time.Hour).Unix() }},
		{"no expiry", other, func(f *fixture) { f.claims["exp"] = nil }},
		{"not yet", other, func(f *fixture) { f.claims["nbf"] = time.Now().Add(time.Hour).Unix() }},
		{"another access token", other, func(f *fixture) { f.claims["at_hash"] = leftHalf("another") }},
		{"no subject", other, func(f *fixture) { f.claims["sub"] = nil }},
		{"a subject that is no text", other, func(f *fixture) { f.claims["sub"] = []string{"a"} }},
		{"unsigned", other, func(f *fixture) { f.sign = unsigned }},
		{"signed with the client's secret", other, func(f *fixture) {
			f.sign = func(c []byte) string {
				return signed(t, jose.HS256, []byte(strings.Repeat(clientSecret, 2)), "first", c)
			}
		}},
		{"signed with the public key as a secret", other, func(f *fixture) {
			f.sign = func(c []byte) string { return signed(t, jose.HS256, f.publicKey(), "first", c) }
		}},
		{"signed with another key", other, func(f *fixture) {
			mallory := startOP(t)
			f.sign = func(c []byte) string { return signed(t, jose.ES256, mallory.key, "first", c) }
		}},
		{"a key in the token", other, func(f *fixture) {
			mallory := startOP(t)
			f.sign = func(c []byte) string {
				s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: mallory.key}, &jose.SignerOptions{EmbedJWK: true})
				if err != nil {
					t.Fatal(err)
				}
				token, err := s.Sign(c)
				if err != nil {
					t.Fatal(err)
				}
				text, _ := token.CompactSerialize()
				return text
			}
		}},
		{"a key elsewhere", other, func(f *fixture) {
			f.sign = f.signedUnder(`{"alg":"ES256","kid":"first","jku":"https://cable.example/k"}`)
		}},
		{"extensions that must be understood", other, func(f *fixture) { f.sign = f.signedUnder(`{"alg":"ES256","kid":"first","crit":["exp"]}`) }},
		{"an algorithm that is said twice", other, func(f *fixture) { f.sign = f.signedUnder(`{"alg":"none","alg":"ES256","kid":"first"}`) }},
		{"a claim that is there twice", other, func(f *fixture) {
			f.sign = func(c []byte) string {
				return f.signedUnder(`{"alg":"ES256","kid":"first"}`)(append([]byte(`{"sub":"viewer-2",`), c[1:]...))
			}
		}},
		{"other claims under the signature", other, func(f *fixture) {
			f.sign = func(c []byte) string {
				parts := strings.Split(signed(t, jose.ES256, f.key, "first", c), ".")
				parts[1] = base64.RawURLEncoding.EncodeToString(bytes.Replace(c, []byte("viewer-1"), []byte("viewer-2"), 1))
				return strings.Join(parts, ".")
			}
		}},
		{"no ID token", other, func(f *fixture) { f.answers["/token"] = answer(200, `{"access_token":"a","token_type":"Bearer"}`) }},
		{"no JSON", mvpd.TemporarilyUnavailable, func(f *fixture) { f.answers["/token"] = answer(200, `<html>`) }},
		{"an endless answer", mvpd.TemporarilyUnavailable, func(f *fixture) {
			f.answers["/token"] = answer(200, `{"access_token":"`+strings.Repeat("a", 1<<20)+`"}`)
		}},
		{"a token endpoint that sends elsewhere", other, func(f *fixture) {
			f.answers["/token"] = http.RedirectHandler("/elsewhere", http.StatusTemporaryRedirect)
		}},
		{"a token endpoint that is down", mvpd.TemporarilyUnavailable, func(f *fixture) { f.answers["/token"] = answer(503, `no`) }},
		{"a code that was used", mvpd.InvalidRequest, func(f *fixture) { f.answers["/token"] = answer(400, `{"error":"invalid_grant"}`) }},
		{"a client that is not known", mvpd.ServerError, func(f *fixture) { f.answers["/token"] = answer(401, `{"error":"invalid_client"}`) }},
		{"userinfo of somebody else", other, func(f *fixture) { f.userinfo = map[string]any{"sub": "viewer-2"} }},
		{"userinfo of nobody", other, func(f *fixture) { f.userinfo = map[string]any{} }},
		{"userinfo that is down", other, func(f *fixture) { f.answers["/userinfo"] = answer(503, `no`) }},
		{"discovery of another issuer", mvpd.TemporarilyUnavailable, func(f *fixture) { f.document["issuer"] = "https://another.example" }},
		{"an endpoint in clear text", mvpd.TemporarilyUnavailable, func(f *fixture) { f.document["token_endpoint"] = "http://cable.example/token" }},
		{"keys in clear text", mvpd.TemporarilyUnavailable, func(f *fixture) { f.document["jwks_uri"] = "http://cable.example/keys" }},
		{"only signatures that clients can make", mvpd.TemporarilyUnavailable, func(f *fixture) {
			f.document["id_token_signing_alg_values_supported"] = []string{"HS256", "none"}
		}},
		{"discovery that is no JSON", mvpd.TemporarilyUnavailable, func(f *fixture) {
			f.answers["/.well-known/openid-configuration"] = answer(200, `<html>`)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := connect(t)
			f.t = t
			f.userinfo = map[string]any{"sub": "viewer-1"}
			f.change(func() { tt.change(f) })
			who, err := f.logIn()
			if err == nil {
				t.Fatalf("got %+v, want an error", who)
			}
			if got := codeOf(err); got != tt.code {
				t.Errorf("got %s (%v), want %s", got, err, tt.code)
			}
			for _, secret := range []string{clientSecret, "an access token", f.login.Verifier, "a code"} {
				if text := err.Error() + f.log.String(); strings.Contains(text, secret) {
					t.Errorf("%q is in %s", secret, text)
				}
			}
			if n := f.called("/elsewhere"); n > 0 {
				t.Error("the client followed a redirect with its secret")
			}
		})
	}
}

func codeOf(err error) string {
	if e, ok := errors.AsType[*mvpd.LoginError](err); ok {
		return e.Code
	}
	return mvpd.ServerError
}

// TestAnswersOfTheBrowser are callbacks that are no answer to the login.
func TestAnswersOfTheBrowser(t *testing.T) {
	for _, tt := range []struct {
		name     string
		names    bool // the provider promises to name itself
		callback url.Values
		code     string
	}{
		{"the viewer gave up", false, url.Values{"error": {"access_denied"}}, mvpd.AccessDenied},
		{"try later", false, url.Values{"error": {"temporarily_unavailable"}}, mvpd.TemporarilyUnavailable},
		{"an error for nobody", false, url.Values{"error": {"<script>"}}, mvpd.ServerError},
		{"no code", false, url.Values{}, mvpd.InvalidRequest},
		{"a code of another issuer", false, url.Values{"code": {"a code"}, "iss": {"https://another.example"}}, mvpd.InvalidRequest},
		{"an issuer that hides", true, url.Values{"code": {"a code"}}, mvpd.InvalidRequest},
		{"a code that was made up", false, url.Values{"code": {"made up"}}, mvpd.InvalidRequest},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := connect(t)
			f.document["authorization_response_iss_parameter_supported"] = tt.names
			step, err := f.Begin(t.Context(), f.login)
			if err != nil {
				t.Fatal(err)
			}
			f.authorize(step.URL)
			who, err := f.Complete(t.Context(), f.login, tt.callback)
			if err == nil || codeOf(err) != tt.code {
				t.Errorf("got %+v, %v; want %s", who, err, tt.code)
			}
		})
	}
}

// TestACodeIsGoodForItsLoginOnly brings the code of one login to another one, whose
// verifier the provider does not expect.
func TestACodeIsGoodForItsLoginOnly(t *testing.T) {
	f := connect(t)
	step, err := f.Begin(t.Context(), f.login)
	if err != nil {
		t.Fatal(err)
	}
	answer := f.authorize(step.URL)
	another := f.login
	another.Secrets = mvpd.DeriveSecrets([]byte("another key"), "STREAM1.code.cable.serial")
	if who, err := f.Complete(t.Context(), another, answer); err == nil || codeOf(err) != mvpd.InvalidRequest {
		t.Errorf("got %+v, %v", who, err)
	}
}

// TestKeysRotate: a login with a new key has it fetched. One that comes in the very
// moment in which the fetch before ends may still be judged by what that one brought,
// so here the second try counts, too.
func TestKeysRotate(t *testing.T) {
	f := connect(t)
	f.userinfo = map[string]any{"sub": "viewer-1"}
	for _, kid := range []string{"first", "second", "third"} {
		f.change(func() { f.rotate(kid) })
		var err error
		for range 100 {
			if _, err = f.logIn(); err == nil {
				break
			}
			runtime.Gosched()
		}
		if err != nil {
			t.Fatalf("with the %s key: %v", kid, err)
		}
	}
}

// TestAnIssuerThatIsDown is not needed where it is known; a login at one that was
// never reached ends, and the next one after a moment finds it.
func TestAnIssuerThatIsDown(t *testing.T) {
	f := connect(t)
	f.change(func() { f.down = true })
	if _, err := f.Begin(t.Context(), f.login); codeOf(err) != mvpd.TemporarilyUnavailable {
		t.Fatalf("an issuer that was never reached: %v", err)
	}
	asked := f.called("/.well-known/openid-configuration")
	if _, err := f.Begin(t.Context(), f.login); err == nil || f.called("/.well-known/openid-configuration") != asked {
		t.Errorf("it was asked again at once: %v", err)
	}
	f.change(func() { f.down = false })
	f.ahead.Add(int64(time.Minute))
	if _, err := f.Begin(t.Context(), f.login); err != nil {
		t.Fatalf("after a minute: %v", err)
	}

	f.change(func() { f.down = true })
	f.ahead.Add(int64(2 * time.Hour))
	step, err := f.Begin(t.Context(), f.login)
	if err != nil {
		t.Fatalf("an issuer that was reached once: %v", err)
	}
	if _, err := f.Complete(t.Context(), f.login, f.authorize(step.URL)); codeOf(err) != mvpd.TemporarilyUnavailable {
		t.Errorf("a login while it is down: %v", err)
	}
}

// TestTheClientProvesItself in the way that the provider takes, and with the secret
// that the file has now.
func TestTheClientProvesItself(t *testing.T) {
	for _, methods := range [][]string{nil, {"client_secret_post"}, {"client_secret_post", "client_secret_basic"}} {
		var file string
		f := connect(t, func(m *config.MVPD) { file = m.ClientSecretFile })
		f.userinfo = map[string]any{"sub": "viewer-1"}
		f.document["token_endpoint_auth_methods_supported"] = methods
		if _, err := f.logIn(); err != nil {
			t.Errorf("%v: %v", methods, err)
		}
		if err := os.WriteFile(file, []byte("another"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := f.logIn(); err == nil {
			t.Errorf("%v: the old secret is still in use", methods)
		}
	}
}

func TestLogout(t *testing.T) {
	f := connect(t)
	to, err := f.Logout(t.Context(), mvpd.Logout{Subject: "viewer-1", Return: "https://sso.example/api/v2/logout-agent/callback?state=a.b"})
	if err != nil {
		t.Fatal(err)
	}
	want := f.URL + "/logout?client_id=ssod&post_logout_redirect_uri=https%3A%2F%2Fsso.example%2Fapi%2Fv2%2Flogout-agent%2Fcallback&state=a.b"
	if to.URL != want {
		t.Errorf("got %s, want %s", to.URL, want)
	}

	none := connect(t)
	delete(none.document, "end_session_endpoint")
	if to, err := none.Logout(t.Context(), mvpd.Logout{}); !to.None() || err != nil {
		t.Errorf("a provider without the endpoint: %+v, %v", to, err)
	}
}

func TestWhoDecides(t *testing.T) {
	q := mvpd.Question{Resources: []string{"news", "sports"}}
	f := connect(t)
	got, err := f.Decide(t.Context(), q)
	if diff := cmp.Diff([]mvpd.Decision{{Verdict: mvpd.Permit}, {Verdict: mvpd.Permit}}, got); diff != "" || err != nil {
		t.Errorf("authenticated: %v, %s", err, diff)
	}
	f = connect(t, func(m *config.MVPD) { m.Decision = config.DecisionPDP })
	if got, err := f.Decide(t.Context(), q); err == nil {
		t.Errorf("no decision point: %v", got)
	}
}
