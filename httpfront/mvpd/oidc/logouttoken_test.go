package oidc_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ssod/httpfront/mvpd"
)

const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// logoutToken is one of the provider's, with other claims over the usual ones; nil drops
// a claim.
func (o *op) logoutToken(header string, change map[string]any) string {
	now := time.Now()
	claims := map[string]any{
		"iss": o.URL, "aud": "ssod", "sub": "viewer-1", "sid": "session-1", "jti": "id-1",
		"iat": now.Unix(), "exp": now.Add(2 * time.Minute).Unix(), "events": map[string]any{logoutEvent: map[string]any{}},
	}
	for name, value := range change {
		claims[name] = value
		if value == nil {
			delete(claims, name)
		}
	}
	raw, err := json.Marshal(claims)
	if err != nil {
		o.t.Fatal(err)
	}
	return o.signedUnder(header)(raw)
}

const logoutHeader = `{"alg":"ES256","kid":"first","typ":"logout+jwt"}`

func TestLogoutTokens(t *testing.T) {
	f := connect(t)
	receiver := f.Connector.(mvpd.LogoutReceiver)
	for _, tt := range []struct {
		name, header string
		change       map[string]any
		want         mvpd.End
	}{
		{"a session of a viewer", logoutHeader, nil, mvpd.End{Subject: "viewer-1", Sessions: []string{"session-1"}}},
		{"a session", logoutHeader, map[string]any{"sub": nil}, mvpd.End{Sessions: []string{"session-1"}}},
		{"a viewer", logoutHeader, map[string]any{"sid": nil}, mvpd.End{Subject: "viewer-1"}},
		{"several audiences", logoutHeader, map[string]any{"aud": []string{"another", "ssod"}}, mvpd.End{Subject: "viewer-1", Sessions: []string{"session-1"}}},
		{"no type", `{"alg":"ES256","kid":"first"}`, nil, mvpd.End{Subject: "viewer-1", Sessions: []string{"session-1"}}},
		{"a JWT", `{"alg":"ES256","kid":"first","typ":"JWT"}`, nil, mvpd.End{Subject: "viewer-1", Sessions: []string{"session-1"}}},
		{"the whole type", `{"alg":"ES256","kid":"first","typ":"application/LOGOUT+jwt"}`, nil, mvpd.End{Subject: "viewer-1", Sessions: []string{"session-1"}}},
		{"a clock that is ahead", logoutHeader, map[string]any{"iat": time.Now().Add(50 * time.Second).Unix()}, mvpd.End{Subject: "viewer-1", Sessions: []string{"session-1"}}},
		{"good for a week", logoutHeader, map[string]any{"exp": time.Now().AddDate(0, 0, 7).Unix()}, mvpd.End{Subject: "viewer-1", Sessions: []string{"session-1"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			end, err := receiver.LogoutToken(t.Context(), f.logoutToken(tt.header, tt.change))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, end, cmpopts.IgnoreFields(mvpd.End{}, "Issued", "Once")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if age := time.Since(end.Issued); age < -time.Minute || age > 5*time.Second {
				t.Errorf("issued at %v", end.Issued)
			}
			if left := time.Until(end.Once.Until); end.Once.ID != "id-1" || left < time.Minute || left > mvpd.MaxUntil {
				t.Errorf("once: %+v", end.Once)
			}
		})
	}
}

// TestLogoutTokensThatAreRefused are other tokens of the provider, those of others, and
// those that do not keep to Back-Channel Logout 1.0, 2.4.
func TestLogoutTokensThatAreRefused(t *testing.T) {
	f := connect(t)
	receiver := f.Connector.(mvpd.LogoutReceiver)
	mallory := startOP(t)
	mallory.URL = f.URL
	with := func(name string, value any) string { return f.logoutToken(logoutHeader, map[string]any{name: value}) }
	header := func(h string) string { return f.logoutToken(h, nil) }
	good := header(logoutHeader)
	for name, token := range map[string]string{
		"nothing":                         "",
		"no token":                        "a.b.c",
		"too long":                        with("filling", strings.Repeat("x", 9<<10)),
		"an ID token":                     f.idToken(),
		"a nonce":                         with("nonce", "n"),
		"a nonce that is null":            with("nonce", json.RawMessage("null")),
		"an access token":                 header(`{"alg":"ES256","kid":"first","typ":"at+jwt"}`),
		"a security event token":          header(`{"alg":"ES256","kid":"first","typ":"secevent+jwt"}`),
		"a type of nothing":               header(`{"alg":"ES256","kid":"first","typ":""}`),
		"another issuer":                  with("iss", "https://another.example"),
		"no issuer":                       with("iss", nil),
		"another audience":                with("aud", "another"),
		"the audience in capitals":        with("aud", "SSOD"),
		"no audience":                     with("aud", nil),
		"no time":                         with("iat", nil),
		"a time that is text":             with("iat", "1767384000"),
		"from the future":                 with("iat", time.Now().Add(2*time.Minute).Unix()),
		"no expiry":                       with("exp", nil),
		"expired":                         with("exp", time.Now().Unix()-1),
		"not yet good":                    with("nbf", time.Now().Add(2*time.Minute).Unix()),
		"no id":                           with("jti", nil),
		"an empty id":                     with("jti", ""),
		"an id that is a number":          with("jti", 1),
		"an id without end":               with("jti", strings.Repeat("x", 2<<10)),
		"no events":                       with("events", nil),
		"events that are a list":          with("events", []string{logoutEvent}),
		"another event":                   with("events", map[string]any{"http://schemas.openid.net/event/other": map[string]any{}}),
		"an event that is null":           with("events", map[string]any{logoutEvent: nil}),
		"an event that is text":           with("events", map[string]any{logoutEvent: "yes"}),
		"nobody":                          f.logoutToken(logoutHeader, map[string]any{"sub": nil, "sid": nil}),
		"an empty subject":                with("sub", ""),
		"a subject that is a number":      with("sub", 1),
		"a session that is a list":        with("sid", []string{"session-1"}),
		"an empty session":                with("sid", ""),
		"a session without end":           with("sid", strings.Repeat("x", 300)),
		"unsigned":                        unsigned([]byte(`{}`)),
		"without its signature":           good[:strings.LastIndexByte(good, '.')+1],
		"signed by another":               mallory.logoutToken(logoutHeader, nil),
		"signed by an unknown key":        header(`{"alg":"ES256","kid":"unknown","typ":"logout+jwt"}`),
		"signed with a public key":        signed(t, jose.HS256, f.publicKey(), "first", []byte(`{"iss":"`+f.URL+`"}`)),
		"a key elsewhere":                 header(`{"alg":"ES256","kid":"first","typ":"logout+jwt","jku":"https://cable.example/k"}`),
		"an algorithm that it is not":     header(`{"alg":"RS256","kid":"first","typ":"logout+jwt"}`),
		"an algorithm that is said twice": header(`{"alg":"none","alg":"ES256","kid":"first","typ":"logout+jwt"}`),
	} {
		t.Run(name, func(t *testing.T) {
			end, err := receiver.LogoutToken(t.Context(), token)
			if err == nil || codeOf(err) != mvpd.InvalidRequest {
				t.Errorf("got %+v, %v", end, err)
			}
		})
	}
	if _, err := receiver.LogoutToken(t.Context(), good); err != nil {
		t.Errorf("a good one: %v", err)
	}
}

// TestLogoutTokensOfStrangers do not have the service call the provider again and again.
func TestLogoutTokensOfStrangers(t *testing.T) {
	f := connect(t)
	receiver := f.Connector.(mvpd.LogoutReceiver)
	stranger := f.logoutToken(`{"alg":"ES256","kid":"unknown","typ":"logout+jwt"}`, nil)
	for range 50 {
		if _, err := receiver.LogoutToken(t.Context(), stranger); codeOf(err) != mvpd.InvalidRequest {
			t.Fatal(err)
		}
	}
	if n := f.called("/keys"); n != 1 {
		t.Errorf("the keys were fetched %d times", n)
	}
	f.change(func() { f.rotate("second") })
	f.ahead.Add(int64(3 * time.Second))
	if _, err := receiver.LogoutToken(t.Context(), f.logoutToken(`{"alg":"ES256","kid":"second","typ":"logout+jwt"}`, nil)); err != nil {
		t.Errorf("with a new key: %v", err)
	}
}

// TestALogoutTokenWhileTheProviderIsDown is no fault of the token.
func TestALogoutTokenWhileTheProviderIsDown(t *testing.T) {
	for _, path := range []string{"/.well-known/openid-configuration", "/keys"} {
		for _, fault := range []http.HandlerFunc{
			func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
			func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		} {
			f := connect(t)
			f.answers[path] = fault
			if _, err := f.Connector.(mvpd.LogoutReceiver).LogoutToken(t.Context(), f.logoutToken(logoutHeader, nil)); err == nil || codeOf(err) == mvpd.InvalidRequest {
				t.Errorf("without %s: %v", path, err)
			}
		}
	}
}
