package entitlement_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"ssod/httpfront/fronttest"
)

const realms = `
throttle: {enabled: false}
realms:
  - id: acme
    serviceProviders:
      - {id: STREAM1, domains: [stream.example, "*.apps.stream.example", xn--bcher-kva.example, "streamapp://"]}
      - {id: STREAM2, domains: [stream.example]}
      - {id: ALONE, domains: [stream.example], authPerAggregator: true}
    mvpds:
      - {id: cable, kind: sandbox, logoUrl: "https://static.example/cable.png"}
      - {id: plain, kind: sandbox, logoutEndpoint: false}
      - {id: short, kind: sandbox, authnTTL: 40m}
      - {id: closed, kind: sandbox, disabledFor: [STREAM1]}
      - {id: later, kind: oidc, issuer: "https://later.example", clientId: ssod, decision: authenticated}
      - {id: trial, kind: temppass, ttl: 1h, trialsPerAddress: 0}
      - {id: promo, kind: temppass, ttl: 1h, maxResources: 2, identityKey: email}
  - id: rival
    serviceProviders: [RIVAL1]
    mvpds: [{id: cable, kind: sandbox}]
`

const home = "https://stream.example/done"

// app is an application with an access token, on a node.
type app struct {
	testing.TB
	node   *fronttest.Node
	access string
	sp     string
}

func start(t *testing.T, config string) *app {
	t.Helper()
	t.Parallel()
	n := fronttest.Start(t, fronttest.Options{Config: config})
	return &app{t, n, n.AccessToken(t, "STREAM1", "STREAM2", "ALONE"), "STREAM1"}
}

// at is the same application for another service provider.
func (a *app) at(sp string) *app { return &app{a.TB, a.node, a.access, sp} }

// call is a request of a device; headers are pairs of name and value.
func (a *app) call(method, path, device string, header ...string) fronttest.Call {
	c := fronttest.Call{Method: method, Path: "/api/v2/" + a.sp + "/" + path}
	c = c.With("Authorization", "Bearer "+a.access)
	if device != "" {
		c = c.With("AP-Device-Identifier", fronttest.Device(device))
	}
	return c.With(header...)
}

func (a *app) do(c fronttest.Call) fronttest.Answer { a.Helper(); return a.node.Do(a.TB, c) }

func whole(mvpd string) string {
	return url.Values{"mvpd": {mvpd}, "domainName": {"stream.example"}, "redirectUrl": {home}}.Encode()
}

// begin begins a session.
func (a *app) begin(device, form string, header ...string) fronttest.Answer {
	a.Helper()
	c := a.call("POST", "sessions", device, header...).With("Content-Type", "application/x-www-form-urlencoded")
	c.Body = form
	return a.do(c)
}

// code begins a session at an MVPD and returns its code.
func (a *app) code(device, mvpd string, header ...string) string {
	a.Helper()
	r := a.begin(device, whole(mvpd), header...)
	if r.StatusCode != http.StatusOK || r.Text("actionName") != "authenticate" {
		a.Fatalf("begin: %d %s", r.StatusCode, r.Raw)
	}
	return r.Text("code")
}

// logIn is a whole login.
func (a *app) logIn(device, mvpd, viewer string, header ...string) (code string) {
	a.Helper()
	code = a.code(device, mvpd, header...)
	if end := a.browser().logIn(a.sp, code, viewer); end != home {
		a.Fatalf("the browser ended at %s", end)
	}
	return code
}

// found is the type of the profiles that a device finds, by MVPD.
func (a *app) found(device string, header ...string) map[string]string {
	a.Helper()
	r := a.do(a.call("GET", "profiles", device, header...))
	if r.StatusCode != http.StatusOK {
		a.Fatalf("profiles: %d %s", r.StatusCode, r.Raw)
	}
	types := map[string]string{}
	for mvpd, p := range r.JSON["profiles"].(map[string]any) {
		types[mvpd] = p.(map[string]any)["type"].(string)
	}
	return types
}

// decisions are the answers of a call: "permit" or a code.
func (a *app) decisions(kind, device, mvpd string, resources []string, header ...string) []string {
	a.Helper()
	c := a.call("POST", "decisions/"+kind+"/"+mvpd, device, header...).With("Content-Type", "application/json")
	body, _ := json.Marshal(map[string]any{"resources": resources})
	c.Body = string(body)
	r := a.do(c)
	if r.StatusCode != http.StatusOK {
		a.Fatalf("%s: %d %s", kind, r.StatusCode, r.Raw)
	}
	var answers []string
	for _, d := range r.JSON["decisions"].([]any) {
		if e, denied := d.(map[string]any)["error"].(map[string]any); denied {
			answers = append(answers, e["code"].(string))
		} else {
			answers = append(answers, "permit")
		}
	}
	return answers
}

func (a *app) authorize(device, mvpd string, header ...string) string {
	a.Helper()
	return a.decisions("authorize", device, mvpd, []string{"channel-1"}, header...)[0]
}

// mint joins a device with X-SSO-ID and returns its token.
func (a *app) mint(device, ssoID string) string {
	a.Helper()
	c := fronttest.Call{Method: "POST", Path: "/api/" + a.sp + "/serviceToken"}
	r := a.do(c.With("Authorization", "Bearer "+a.access, "AP-Device-Identifier", fronttest.Device(device), "X-SSO-ID", ssoID))
	if r.StatusCode != http.StatusCreated {
		a.Fatalf("mint: %d %s", r.StatusCode, r.Raw)
	}
	return r.Text("serviceToken")
}

// fails checks status and code of an error.
func (a *app) fails(r fronttest.Answer, status int, code string) {
	a.Helper()
	if r.StatusCode != status || r.Text("code") != code {
		a.Errorf("got %d %s, want %d %s", r.StatusCode, r.Raw, status, code)
	}
}

// browser is a viewer's browser: it keeps cookies and goes where it is sent, as
// long as that is on the service.
type browser struct {
	*app
	cookies map[string]string
	address string   // as a proxy reports it; empty: that of the test
	header  []string // what else it sends
}

func (a *app) browser() *browser { return &browser{app: a, cookies: map[string]string{}} }

// browserAt is a browser in some network.
func (a *app) browserAt(address string) *browser {
	return &browser{app: a, cookies: map[string]string{}, address: address}
}

// visit opens one address.
func (b *browser) visit(address string, form url.Values) fronttest.Answer {
	b.Helper()
	c := fronttest.Call{Method: "GET", Path: strings.TrimPrefix(address, b.node.Settings.Config().PublicURL)}
	if form != nil {
		c.Method, c.Body = "POST", form.Encode()
		c = c.With("Content-Type", "application/x-www-form-urlencoded")
	}
	var cookies []string
	for name, value := range b.cookies {
		cookies = append(cookies, name+"="+value)
	}
	r := b.do(c.With("Cookie", strings.Join(cookies, "; "), "User-Agent", "Mozilla/5.0", "X-Forwarded-For", b.address).With(b.header...))
	for _, set := range r.Cookies() {
		b.cookies[set.Name] = set.Value
	}
	return r
}

// follow goes on until it is sent elsewhere or gets a page.
func (b *browser) follow(address string, form url.Values) (string, fronttest.Answer) {
	b.Helper()
	for range 10 {
		r := b.visit(address, form)
		if r.StatusCode/100 != 3 {
			return address, r
		}
		address, form = r.Header.Get("Location"), nil
		if !strings.HasPrefix(address, b.node.Settings.Config().PublicURL+"/") {
			return address, r
		}
	}
	b.Fatal("a circle of redirects")
	return "", fronttest.Answer{}
}

// open opens the login of a code and returns the address of the login page.
func (b *browser) open(sp, code string) string {
	b.Helper()
	at, r := b.follow("/api/v2/authenticate/"+sp+"/"+code, nil)
	if r.StatusCode != http.StatusOK {
		b.Fatalf("open: %d at %s", r.StatusCode, at)
	}
	return at
}

// callback chooses a viewer and returns the address to which the MVPD sends the
// browser back, without going there.
func (b *browser) callback(loginPage, viewer string) string {
	b.Helper()
	r := b.visit(loginPage, url.Values{"viewer": {viewer}})
	if r.StatusCode != http.StatusSeeOther {
		b.Fatalf("choose: %d %s", r.StatusCode, r.Raw)
	}
	return r.Header.Get("Location")
}

// logIn logs in with a code and returns where the browser ends.
func (b *browser) logIn(sp, code, viewer string) string {
	b.Helper()
	end, _ := b.follow(b.callback(b.open(sp, code), viewer), nil)
	return end
}
