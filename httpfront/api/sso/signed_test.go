package sso_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"ssod/httpfront/api/registration"
	"ssod/httpfront/fronttest"
)

// services are two identity services with a key each.
var services = sync.OnceValue(func() (keys [2]*rsa.PrivateKey) {
	for i := range keys {
		var err error
		if keys[i], err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			panic(err)
		}
	}
	return keys
})

func service(n int) string { return fmt.Sprintf("https://id%d.example", n) }

// signedRealms is the default configuration with the two services trusted, and
// identifiers that must be theirs.
func signedRealms(t *testing.T) string {
	t.Helper()
	var trusted []string
	for n, key := range services() {
		der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "key.pem")
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		trusted = append(trusted, fmt.Sprintf("{issuer: %q, pemFile: %q}", service(n), path))
	}
	return strings.Replace(fronttest.Realms, "- id: acme", "- id: acme\n    ssoId: {mode: signed}\n    trustedIssuers: ["+strings.Join(trusted, ", ")+"]", 1)
}

// says is what a service says of a viewer for an hour.
func (a *app) says(n int, subject, typ string) string {
	a.Helper()
	now := a.node.Now()
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": service(n), "sub": subject, "aud": "Adobe", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	})
	token.Header["typ"] = typ
	text, err := token.SignedString(services()[n])
	if err != nil {
		a.Fatal(err)
	}
	return text
}

// TestIssuersOfSignedIdentifiersAreApart: two services that give two viewers the same
// name do not make one of them, and each means the same one by X-SSO-ID and by a
// service token of its own.
func TestIssuersOfSignedIdentifiersAreApart(t *testing.T) {
	a := start(t, signedRealms(t))
	tokens := []string{a.mint("tv 0", a.says(0, "viewer", "JWT")), a.mint("tv 1", a.says(1, "viewer", "JWT"))}
	for n, token := range tokens {
		tv := fmt.Sprint("tv ", n)
		token = a.do(a.call("GET", "serviceToken", "", "AD-Service-Token", token)).Text("jws")
		for _, proof := range []string{token, a.says(n, "viewer", "JWT")} {
			devices, _ := a.do(a.call("GET", "list", tv, "AD-Service-Token", proof)).JSON["devices"].(map[string]any)
			if len(devices) != 1 || devices[id(tv)] == nil {
				t.Errorf("service %d: got %v, want %s alone", n, devices, tv)
			}
		}
		code := a.link(tv, token)
		phone := fmt.Sprint("phone ", n)
		joined := a.do(a.call("POST", "serviceToken", phone, "X-SSO-LINK", code)).Text("jws")
		devices, _ := a.do(a.call("GET", "list", phone, "AD-Service-Token", joined)).JSON["devices"].(map[string]any)
		if len(devices) != 2 {
			t.Errorf("service %d: with a second device got %v", n, devices)
		}
	}
	for name, value := range map[string]string{
		"asserted": "viewer", "an access token": a.says(0, "viewer", "at+jwt"), "a logout token": a.says(0, "viewer", "logout+jwt"),
		"a service token of ours": tokens[0],
	} {
		r := a.do(a.call("POST", "serviceToken", "tv", "X-SSO-ID", value))
		if a.fails(r, 400, "header_invalid", "A header value is invalid: X-SSO-ID"); r.Text("jws") != "" {
			t.Errorf("%s got a token", name)
		}
	}
}

// TestChainsOfRefreshedTokensEnd: 400 days after an app asserted who its viewer is, and
// 30 days after an identity service vouched for them, also for who joined by a code.
func TestChainsOfRefreshedTokensEnd(t *testing.T) {
	asserted := func(a *app) string { return a.mint("tv", "viewer") }
	signed := func(a *app) string { return a.mint("tv", a.says(0, "viewer", "JWT")) }
	joined := func(a *app) string {
		code := a.link("phone", a.says(0, "viewer", "JWT")) // an external token
		return a.do(a.call("POST", "serviceToken", "tv", "X-SSO-LINK", code)).Text("jws")
	}
	for name, tt := range map[string]struct {
		config string
		first  func(*app) string
		days   int
	}{
		"asserted":                           {"", asserted, 400},
		"signed":                             {signedRealms(t), signed, 30},
		"joined a viewer of an outside name": {signedRealms(t), joined, 30},
		"configured":                         {strings.Replace(signedRealms(t), "- id: acme", "- id: acme\n    serviceToken: {maxAge: 240h}", 1), signed, 10},
	} {
		t.Run(name, func(t *testing.T) {
			a := start(t, tt.config)
			token := tt.first(a)
			refresh := func(days int) fronttest.Answer {
				a.node.Sleep(time.Duration(days) * 24 * time.Hour)
				a.access = a.node.AccessToken(t, "STREAM1")
				return a.do(a.call("GET", "serviceToken", "", "AD-Service-Token", token))
			}
			left := tt.days
			for ; left > 5; left -= 5 {
				r := refresh(5)
				if r.StatusCode != 200 {
					t.Fatalf("%d days before the end: %d %s", left-5, r.StatusCode, r.Raw)
				}
				token = r.Text("jws")
			}
			a.fails(refresh(left), 401, "token_expired", "The token has expired")
			if again := tt.first(a); again == "" {
				t.Error("the viewer gets no new chain")
			}
		})
	}
}

// TestWhoMayAssertAnIdentity: a client of a statement that may not gets in by a code or
// by what an identity service signed, and not by its word.
func TestWhoMayAssertAnIdentity(t *testing.T) {
	const byDevice = "- id: acme\n    deviceDefaultSsoId: true"
	for name, config := range map[string]string{
		"asserted": fronttest.Realms, "by device": strings.Replace(fronttest.Realms, "- id: acme", byDevice, 1), "signed": signedRealms(t),
	} {
		t.Run(name, func(t *testing.T) {
			a := start(t, config)
			no := false
			shipped := &app{t, a.node, a.node.AccessTokenBy(t, registration.StatementRequest{
				ServiceProviders: []string{"STREAM1"}, MayAssertIdentity: &no,
			})}
			shipped.fails(shipped.do(shipped.call("POST", "serviceToken", "tv", "X-SSO-ID", "viewer")), 400, "header_invalid", "A header value is invalid: X-SSO-ID")
			shipped.fails(shipped.do(shipped.call("POST", "serviceToken", "tv")), 400, "header_missing", "Either x-sso-id or x-sso-link header is required for POST requests")
			identifier := "viewer"
			if name == "signed" {
				identifier = a.says(0, "viewer", "JWT")
				shipped.mint("tv", identifier)
			}
			code := a.link("phone", a.mint("phone", identifier))
			r := shipped.do(shipped.call("POST", "serviceToken", "tablet", "X-SSO-LINK", code, "X-SSO-ID", "viewer"))
			if r.StatusCode != 201 {
				t.Errorf("by a code: %d %s", r.StatusCode, r.Raw)
			}
			if r := shipped.do(shipped.call("GET", "serviceToken", "", "AD-Service-Token", r.Text("jws"))); r.StatusCode != 200 {
				t.Errorf("refresh: %d %s", r.StatusCode, r.Raw)
			}
		})
	}
}

// TestACodeOfOnesOwnBeginsNoChain: a device cannot go on for ever by redeeming what it
// made itself; a code of another device does begin one.
func TestACodeOfOnesOwnBeginsNoChain(t *testing.T) {
	a := start(t, strings.Replace(fronttest.Realms, "- id: acme", "- id: acme\n    serviceToken: {maxAge: 48h}", 1))
	tv, phone := a.mint("tv", "viewer"), a.mint("phone", "viewer")
	later := func(d time.Duration) {
		a.node.Sleep(d)
		a.access = a.node.AccessToken(t, "STREAM1")
	}
	refresh := func(token string) fronttest.Answer {
		return a.do(a.call("GET", "serviceToken", "", "AD-Service-Token", token))
	}
	redeem := func(code string) string {
		r := a.do(a.call("POST", "serviceToken", "tv", "X-SSO-LINK", code))
		if r.StatusCode != 201 {
			t.Fatalf("redeem: %d %s", r.StatusCode, r.Raw)
		}
		return r.Text("jws")
	}
	later(47 * time.Hour)
	tv, phone = refresh(tv).Text("jws"), refresh(phone).Text("jws")
	own := redeem(a.link("tv", tv))
	others := redeem(a.link("phone", phone))
	later(90 * time.Minute)
	a.fails(refresh(own), 401, "token_expired", "The token has expired")
	if r := refresh(others); r.StatusCode != 200 {
		t.Errorf("by a code of another device: %d %s", r.StatusCode, r.Raw)
	}
}
