package oidc_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
)

// offline is a login with tokens. Its zip is in the ID token, its plan in userinfo.
func offline(t *testing.T) (*fixture, mvpd.Identity) {
	t.Helper()
	f := connect(t, func(m *config.MVPD) {
		m.Scopes = []string{"offline_access"}
		m.Attributes = map[string]string{"zip": "address.postal_code", "plan": "plan"}
	})
	f.refresh = 1
	f.claims["address"] = map[string]string{"postal_code": "12345", "street": "not asked for"}
	f.userinfo = map[string]any{"sub": "viewer-1", "plan": "basic"}
	who, err := f.logIn()
	if err != nil {
		t.Fatal(err)
	}
	if f.asked.Get("prompt") != "consent" || !strings.Contains(f.asked.Get("scope"), "offline_access") {
		t.Errorf("asked %v", f.asked)
	}
	return f, who
}

func (f *fixture) refreshed(tokens []byte) (mvpd.Refreshed, error) {
	return f.Connector.(mvpd.Refresher).Refresh(f.t.Context(), tokens)
}

// TestTokensRotate, and bring what the provider says of the viewer now.
func TestTokensRotate(t *testing.T) {
	f, who := offline(t)
	if len(who.Tokens) == 0 || !f.Connector.(mvpd.Refresher).KeepsTokens() {
		t.Fatal("no tokens are kept")
	}
	if strings.Contains(string(who.Tokens), "street") {
		t.Errorf("more is kept than attributes need: %s", who.Tokens)
	}
	f.change(func() { f.userinfo["plan"] = "sports" })
	tokens := who.Tokens
	for range 3 {
		r, err := f.refreshed(tokens)
		if err != nil {
			t.Fatal(err)
		}
		want := []mvpd.Attribute{{Name: "plan", Value: json.RawMessage(`"sports"`)}, {Name: "zip", Value: json.RawMessage(`"12345"`)}}
		if diff := cmp.Diff(want, r.Attributes); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		tokens = r.Tokens
	}
	f.change(func() { f.userinfo["address"] = map[string]string{"postal_code": "54321"} })
	r, err := f.refreshed(tokens)
	if err != nil || len(r.Attributes) != 2 || string(r.Attributes[1].Value) != `"54321"` {
		t.Errorf("userinfo is newer than the ID token: got %+v, %v", r.Attributes, err)
	}
	if _, err := f.refreshed(who.Tokens); err == nil || errors.Is(err, mvpd.ErrTokensUnused) {
		t.Errorf("old tokens: %v", err)
	}
}

// TestWhatBecomesOfTokens when the provider does not do its part.
func TestWhatBecomesOfTokens(t *testing.T) {
	answer := func(status int, body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		})
	}
	hangUp := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	const unused, rotated, over = "unused", "rotated", "over"
	for _, tt := range []struct {
		name, want string
		change     func(f *fixture)
	}{
		{"the issuer has gone", unused, func(f *fixture) { f.CloseClientConnections(); f.Listener.Close() }},
		{"the token endpoint is down", unused, func(f *fixture) { f.answers["/token"] = answer(503, "no") }},
		{"the token endpoint has too much to do", unused, func(f *fixture) { f.answers["/token"] = answer(429, "no") }},
		{"the client is not known", unused, func(f *fixture) { f.answers["/token"] = answer(401, `{"error":"invalid_client"}`) }},
		{"the token endpoint sends elsewhere", unused, func(f *fixture) {
			f.answers["/token"] = http.RedirectHandler("/elsewhere", http.StatusTemporaryRedirect)
		}},
		{"the viewer withdrew the consent", over, func(f *fixture) { f.answers["/token"] = answer(400, `{"error":"invalid_grant"}`) }},
		{"the connection breaks", over, func(f *fixture) { f.answers["/token"] = hangUp }},
		{"garbage", over, func(f *fixture) { f.answers["/token"] = answer(200, "<html>") }},
		{"no token", over, func(f *fixture) { f.answers["/token"] = answer(200, "{}") }},
		{"an endless token", over, func(f *fixture) {
			f.answers["/token"] = answer(200, `{"access_token":"a","token_type":"Bearer","refresh_token":"`+strings.Repeat("a", 9<<10)+`"}`)
		}},
		{"userinfo is down", rotated, func(f *fixture) { f.answers["/userinfo"] = answer(503, "no") }},
		{"userinfo is garbage", rotated, func(f *fixture) { f.answers["/userinfo"] = answer(200, "<html>") }},
		{"userinfo of somebody else", rotated, func(f *fixture) { f.userinfo["sub"] = "viewer-2" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, who := offline(t)
			f.change(func() { tt.change(f) })
			r, err := f.refreshed(who.Tokens)
			got := over
			switch {
			case err == nil:
				t.Fatalf("got %+v", r)
			case len(r.Tokens) > 0:
				got = rotated
			case errors.Is(err, mvpd.ErrTokensUnused):
				got = unused
			}
			if got != tt.want {
				t.Errorf("%s: %v, want %s", got, err, tt.want)
			}
			for _, secret := range []string{clientSecret, "refresh token", "an access token"} {
				if text := err.Error() + f.log.String(); strings.Contains(text, secret) {
					t.Errorf("%q is in %s", secret, text)
				}
			}
		})
	}
}

// TestLoginsWithoutTokens: those that did not ask for them, and those that got none.
func TestLoginsWithoutTokens(t *testing.T) {
	f := connect(t)
	f.refresh, f.userinfo = 1, map[string]any{"sub": "viewer-1"}
	if who, err := f.logIn(); err != nil || who.Tokens != nil {
		t.Errorf("nobody asked: %s, %v", who.Tokens, err)
	}
	f = connect(t, func(m *config.MVPD) { m.Scopes = []string{"offline_access"}; m.Attributes = nil })
	if who, err := f.logIn(); err != nil || who.Tokens != nil {
		t.Errorf("the provider has none: %s, %v", who.Tokens, err)
	}
	f.refresh = 1
	f.answers["/token"] = nil
	f.claims["sub"] = "viewer-1"
	if _, err := f.refreshed([]byte(`{"of":"another kind"}`)); err == nil || errors.Is(err, mvpd.ErrTokensUnused) {
		t.Errorf("tokens of another kind: %v", err)
	}
}
