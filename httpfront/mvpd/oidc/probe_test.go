package oidc_test

import (
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
)

// probed connects to a provider that is well, after a change, and tests it.
func probed(t *testing.T, change func(f *fixture, m *config.MVPD)) *mvpd.Report {
	t.Helper()
	var settings *config.MVPD
	f := connect(t, func(m *config.MVPD) { settings = m })
	f.change(func() {
		f.document["backchannel_logout_supported"] = true
		f.answers["/authorize"] = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	})
	if change != nil {
		change(f, settings)
	}
	r := &mvpd.Report{Now: time.Now()}
	f.Connector.(mvpd.Tester).Test(t.Context(), r, f.login)
	return r
}

// bad are the lines that are not ok.
func bad(r *mvpd.Report) (lines []string) {
	for _, l := range r.Lines {
		if l.Result != mvpd.OK {
			lines = append(lines, string(l.Result)+" "+l.Check+": "+l.Detail)
		}
		if l.Result != mvpd.OK && l.Advice == "" {
			lines = append(lines, "and it does not say what to do")
		}
	}
	return lines
}

func TestAProviderThatIsWell(t *testing.T) {
	r := probed(t, nil)
	if lines := bad(r); len(lines) > 0 {
		t.Errorf("got %q", lines)
	}
	var checks []string
	for _, l := range r.Lines {
		checks = append(checks, l.Check)
	}
	want := []string{"tls", "clock", "discovery", "issuer", "endpoints", "response mode", "keys", "scopes", "claims", "logout", "login page", "login url", "client"}
	if diff := cmp.Diff(want, checks); diff != "" {
		t.Errorf("checks (-want +got):\n%s", diff)
	}
	if url := r.Lines[11].Detail; !strings.Contains(url, "/authorize?client_id=ssod&code_challenge=") || strings.Contains(url, clientSecret) {
		t.Errorf("the login URL is %s", url)
	}
}

// TestWhatIsWrongWithAProvider breaks one thing at a time.
func TestWhatIsWrongWithAProvider(t *testing.T) {
	answer := func(path string, status int, header ...string) func(f *fixture, m *config.MVPD) {
		return func(f *fixture, _ *config.MVPD) {
			f.change(func() {
				f.answers[path] = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					for i := 0; i < len(header); i += 2 {
						w.Header().Set(header[i], header[i+1])
					}
					w.WriteHeader(status)
				})
			})
		}
	}
	document := func(name string, value any) func(f *fixture, m *config.MVPD) {
		return func(f *fixture, _ *config.MVPD) { f.change(func() { f.document[name] = value }) }
	}
	keySet := func(keys ...jose.JSONWebKey) func(f *fixture, m *config.MVPD) {
		return func(f *fixture, _ *config.MVPD) {
			f.change(func() {
				f.answers["/keys"] = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { write(w, jose.JSONWebKeySet{Keys: keys}) })
			})
		}
	}
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	const wellKnown = "/.well-known/openid-configuration"
	tests := map[string]struct {
		change func(f *fixture, m *config.MVPD)
		want   []string // beginnings of lines
	}{
		"nobody listens": {func(f *fixture, _ *config.MVPD) { f.Close() }, []string{"fail discovery: 127.0.0.1:"}},
		"no document":    {answer(wellKnown, 404), []string{"fail discovery: http://127.0.0.1:"}},
		"a page":         {answer(wellKnown, 200), []string{"fail discovery: http://127.0.0.1:"}},
		"its clock is ahead": {
			answer(wellKnown, 200, "Date", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)),
			[]string{"fail clock: the clock of 127.0.0.1:", "fail discovery:"},
		},
		"its clock drifts": {
			answer(wellKnown, 200, "Date", time.Now().Add(-20*time.Second).UTC().Format(http.TimeFormat)),
			[]string{"warn clock: the clock of 127.0.0.1:", "fail discovery:"},
		},
		"another issuer":      {document("issuer", "https://login.example/"), []string{`fail issuer: the document says "https://login.example/", the configuration "http://127.0.0.1:`}},
		"no token endpoint":   {document("token_endpoint", ""), []string{"fail endpoints: token_endpoint", "fail client: "}},
		"only symmetric keys": {document("id_token_signing_alg_values_supported", []string{"HS256"}), []string{"fail endpoints: the provider signs ID tokens with no accepted algorithm"}},
		"no form_post": {func(f *fixture, m *config.MVPD) {
			m.ResponseMode = config.ResponseFormPost
			f.document["response_modes_supported"] = []string{"query"}
		}, []string{"fail response mode: the provider does not have form_post"}},
		"no keys":                              {answer("/keys", 404), []string{"fail keys: http://127.0.0.1:"}},
		"no key that verifies":                 {keySet(), []string{"fail keys: there is no key in http://127.0.0.1:"}},
		"a weak key":                           {keySet(jose.JSONWebKey{Key: weak.Public(), KeyID: "old", Algorithm: "RS256", Use: "sig"}), []string{"warn keys: old (RS256): old has only 1024 bits"}},
		"a scope that it has not":              {document("scopes_supported", []string{"openid"}), []string{"warn scopes: the provider does not name profile"}},
		"a claim that it has not":              {document("claims_supported", []string{"sub"}), []string{"warn claims: the provider does not name address"}},
		"no back-channel logout":               {document("backchannel_logout_supported", false), []string{"warn logout: the provider has a logout page, but no back-channel"}},
		"no logout page":                       {document("end_session_endpoint", ""), []string{"warn logout: the provider has no logout page"}},
		"a redirect URI that it does not know": {answer("/authorize", 400), []string{"fail login page: the provider's login page answered 400"}},
		"a request that it refuses": {
			answer("/authorize", 302, "Location", "https://sso.example/api/v2/authenticate/callback?error=invalid_scope"),
			[]string{"fail login page: the provider answers invalid_scope"},
		},
		"a login page that fails": {answer("/authorize", 502), []string{"fail login page: the provider's login page answered 502"}},
		"a wrong secret": {func(_ *fixture, m *config.MVPD) {
			if err := os.WriteFile(m.ClientSecretFile, []byte("wrong"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, []string{"fail client: the provider does not accept the client: 401 invalid_client"}},
		"no secret":                {func(_ *fixture, m *config.MVPD) { m.ClientSecretFile += ".gone" }, []string{"fail client: "}},
		"a strange token endpoint": {answer("/token", 500), []string{"warn client: the token endpoint answered 500"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := bad(probed(t, tt.change))
			if len(got) != len(tt.want) {
				t.Fatalf("got %q, want %q", got, tt.want)
			}
			for i, want := range tt.want {
				if !strings.HasPrefix(got[i], want) {
					t.Errorf("got %q, want %q", got[i], want)
				}
			}
		})
	}
}

// TestACertificateThatNobodyTrusts: a provider with TLS, before caFile names its
// authority.
func TestACertificateThatNobodyTrusts(t *testing.T) {
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	r := probed(t, func(_ *fixture, m *config.MVPD) { m.Issuer = s.URL })
	if got := bad(r); len(got) != 1 || !strings.Contains(got[0], "signed by an authority that is not trusted") {
		t.Errorf("got %q", got)
	}
}
