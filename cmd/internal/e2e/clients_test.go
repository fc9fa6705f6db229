package e2e

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const clientsConfig = `
throttle: {enabled: false}
publicURL: http://sso.internal
realms:
  - id: acme
    serviceProviders: [{id: tv, domains: [stream.example]}]
    cors: {origins: ["null", "https://tv.acme.example"]}
    trustedIssuers: [{issuer: "https://id.stream.example", jwksFile: issuer.json}]
    mvpds: [{id: cable, kind: sandbox}]
`

// TestOrdinaryClients plays against one node what probes, proxies, libraries,
// browsers and identity services do that is allowed and seldom: none of them is
// to be sent away for it.
func TestOrdinaryClients(t *testing.T) {
	t.Parallel()
	n := newNode(t, clientsConfig)
	writeIssuerKeys(t, n.Dir)
	addForeignKey(t, filepath.Join(n.Dir, "issuer.json"))
	n.Start()
	a := n.mustApp("tv")
	t.Run("bytes", func(t *testing.T) { checkBytes(t, a) })
	t.Run("cookies on two lines", func(t *testing.T) { checkCookieLines(t, a) })
	t.Run("credentials of a library", func(t *testing.T) { checkBasic(t, a) })
	t.Run("a web player", func(t *testing.T) { checkWebPlayer(t, a) })
	t.Run("a foreign key", func(t *testing.T) { checkForeignKey(t, a) })
}

// addForeignKey puts a key of a type that is not known here before the good one.
func addForeignKey(t *testing.T, file string) {
	t.Helper()
	set, err := os.ReadFile(file)
	must(t, err)
	mixed := strings.Replace(string(set), `"keys":[`, `"keys":[{"kty":"AKP","alg":"ML-DSA-44","kid":"pq","pub":"AAAA"},`, 1)
	must(t, os.WriteFile(file, []byte(mixed), 0o600))
}

func checkForeignKey(t *testing.T, a *app) {
	answer, err := a.send(t.Context(), "GET", "list", newDevice("tv"), nil, "AD-Service-Token", externalToken(t, "viewer", "Adobe"))
	must(t, want(answer, err, http.StatusOK, nil))
	if log := a.Logged(); strings.Count(log, "not all keys are used") != 1 || !strings.Contains(log, "pq") {
		t.Error("the log does not have one warning about the foreign key")
	}
}

// checkBytes sends requests byte by byte as some clients write them.
func checkBytes(t *testing.T, a *app) {
	const get = "GET /openapi.yaml HTTP/1.1\r\nHost: a\r\n"
	for _, tt := range []struct {
		name, raw string
		want      []int
	}{
		{"blank lines first", "\r\n\r\n" + get + "Connection: close\r\n\r\n", []int{200}},
		{"a line end behind a body", "POST /o/client/token HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na=b\r\n" + get + "Connection: close\r\n\r\n", []int{400, 200}},
		{"a probe of HTTP/1.0", "GET /openapi.yaml HTTP/1.0\r\n\r\n", []int{200}},
		{"HEAD", "HEAD /openapi.yaml HTTP/1.0\r\n\r\n", []int{200}},
		{"close on the second line", get + "Connection: keep-alive\r\nConnection: close\r\n\r\n" + get + "\r\n", []int{200}},
		// 401: Accept is good, what is missing is the service token.
		{"Accept on two lines", "GET /api/tv/list HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + a.token + "\r\nAccept: text/plain\r\nAccept: application/json\r\nConnection: close\r\n\r\n", []int{401}},
	} {
		var got []int
		for _, r := range converse(t, a.HTTP, tt.raw) {
			got = append(got, r.status)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: answered %v, want %v", tt.name, got, tt.want)
		}
	}
}

// checkCookieLines comes back from a login through a proxy that passes the
// cookies of HTTP/2 on as they came.
func checkCookieLines(t *testing.T, a *app) {
	s, err := a.begin(t.Context(), newDevice("phone"), whole("cable"))
	must(t, err)
	b := a.newBrowser()
	at, err := b.open(t.Context(), "tv", s.Code)
	must(t, err)
	chosen, err := b.visit(t.Context(), at, url.Values{"viewer": {"ada"}})
	must(t, want(chosen, err, http.StatusSeeOther, nil))
	back := strings.TrimPrefix(chosen.Headers.Get("Location"), publicURL)
	var cookies strings.Builder
	for _, c := range b.client.Jar.Cookies(&url.URL{Scheme: "http", Host: a.HTTP, Path: "/"}) {
		fmt.Fprintf(&cookies, "Cookie: %s\r\n", c)
	}
	raw := "GET " + back + " HTTP/1.1\r\nHost: a\r\nCookie: theme=dark\r\n" + cookies.String() + "Connection: close\r\n\r\n"
	if got := converse(t, a.HTTP, raw); len(got) != 1 || got[0].status != http.StatusFound {
		t.Errorf("the callback is answered %v, want a redirect", got)
	}
	profiles, err := a.v2(t.Context(), "GET", "profiles/cable", newDevice("phone"), "")
	if must(t, want(profiles, err, http.StatusOK, nil)); !strings.Contains(string(profiles.Body), `"type":"regular"`) {
		t.Errorf("no login was made: %s", profiles.Body)
	}
}

// checkBasic asks for a token as libraries for OAuth do.
func checkBasic(t *testing.T, a *app) {
	ask := func(authorization, form string) call {
		return call{method: "POST", target: "/o/client/token", body: []byte(form), headers: map[string]string{
			"Content-Type": "application/x-www-form-urlencoded", "Authorization": authorization,
		}}
	}
	basic := func(secret string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(a.id)+":"+url.QueryEscape(secret)))
	}
	const grant = "grant_type=client_credentials"
	form := url.Values{"client_id": {a.id}, "client_secret": {a.secret}}.Encode() + "&" + grant
	for _, tt := range []struct {
		name      string
		call      call
		status    int
		challenge bool
	}{
		{"Basic", ask(basic(a.secret), grant), 201, false},
		{"a wrong secret", ask(basic("x"), grant), 401, true},
		{"both ways", ask(basic(a.secret), form), 400, false},
		{"the form and an old Bearer", ask("Bearer old", form), 201, false},
	} {
		got, err := a.do(t.Context(), tt.call)
		must(t, err)
		if challenge := strings.HasPrefix(got.Headers.Get("WWW-Authenticate"), "Basic "); got.Status != tt.status || challenge != tt.challenge {
			t.Errorf("%s: %d %s, challenged %v; want %d", tt.name, got.Status, got.Body, challenge, tt.status)
		}
	}
}

// checkWebPlayer makes the preflights of a packaged app.
func checkWebPlayer(t *testing.T, a *app) {
	for target, allowed := range map[string]bool{"/o/client/register": true, "/o/client/token": true, "/api/tv/serviceToken": true, "/.well-known/acme/jwks.json": true, "/openapi.yaml": false} {
		got, err := a.do(t.Context(), call{method: "OPTIONS", target: target, headers: map[string]string{
			"Origin": "null", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type",
		}})
		must(t, want(got, err, http.StatusNoContent, nil))
		if origin := got.Headers.Get("Access-Control-Allow-Origin"); (origin == "null") != allowed {
			t.Errorf("preflight of %s: allowed for %q, want %v", target, origin, allowed)
		}
	}
}
