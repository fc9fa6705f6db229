package sso_test

import (
	"encoding/base64"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"ssod/httpfront/fronttest"
)

// look asks what became of a code.
func (a *app) look(device, token, code string) fronttest.Answer {
	a.Helper()
	return a.do(a.call("GET", "link/"+code, device, "AD-Service-Token", token))
}

// confirm gives the word of the device that made a code.
func (a *app) confirm(device, token, code, body string) fronttest.Answer {
	a.Helper()
	c := a.call("POST", "link/"+code, device, "AD-Service-Token", token, "Content-Type", "application/json")
	c.Body = body
	return a.do(c)
}

// told checks what is answered about a code.
func (a *app) told(r fronttest.Answer, status string) {
	a.Helper()
	if r.StatusCode != 200 || r.Text("status") != status {
		a.Errorf("got %d %s, want 200 and %s", r.StatusCode, r.Raw, status)
	}
}

// TestTheOriginSeesWhoJoined, without being asked.
func TestTheOriginSeesWhoJoined(t *testing.T) {
	a := start(t, "")
	token := a.mint("phone", "viewer")
	code := a.link("phone", token)
	a.told(a.look("phone", token, code), "OPEN")
	a.told(a.confirm("phone", token, code, `{"confirm":true}`), "OPEN") // nobody waits

	about := base64.StdEncoding.EncodeToString([]byte(`{"primaryHardwareType":"TV","model":"OLED 65"}`))
	if r := a.do(a.call("POST", "serviceToken", "tv", "X-SSO-LINK", code, "X-Device-Info", about)); r.StatusCode != 201 {
		t.Fatalf("redeem: %d %s", r.StatusCode, r.Raw)
	}
	for _, r := range []fronttest.Answer{
		a.look("phone", token, code), a.look("phone", token, code[:3]+"%20"+code[3:]), // as a viewer may have typed it
		a.confirm("phone", token, code, `{"confirm":false,"other":1}`), // too late
	} {
		a.told(r, "REDEEMED")
		device, _ := r.JSON["device"].(map[string]any)
		delete(device, "lastSeen")
		delete(device, "userAgent")
		want := map[string]any{"deviceType": "smartTV", "model": "OLED 65", "platform": "unknown", "type": "sso", "network": "same"}
		if diff := cmp.Diff(want, device); diff != "" {
			t.Errorf("device: -want +got\n%s", diff)
		}
	}
	if n := len(a.devices("phone", token)); n != 2 {
		t.Errorf("%d devices, want 2", n)
	}
	a.unlink("phone", token, `{"devices":["tv"]}`)
	if r := a.look("phone", token, code); r.Text("status") != "REDEEMED" || r.JSON["device"] != nil {
		t.Errorf("when the device has left: %s", r.Raw)
	}
	a.node.Sleep(15 * time.Minute)
	a.fails(a.look("phone", token, code), 400, "token_invalid", "The provided token is invalid")
}

// TestTheOriginEndsItsCode: at once and for everybody.
func TestTheOriginEndsItsCode(t *testing.T) {
	a := start(t, "")
	token := a.mint("phone", "viewer")
	code := a.link("phone", token)
	a.told(a.confirm("phone", token, code, ` {"confirm": false} `), "EXPIRED")
	a.fails(a.do(a.call("POST", "serviceToken", "tv", "X-SSO-LINK", code)), 400, "token_invalid", "The provided token is invalid")
	a.told(a.look("phone", token, code), "EXPIRED")
}

// TestACodeOfOthers is one that never was, whoever they are, and so is what
// cannot be a code.
func TestACodeOfOthers(t *testing.T) {
	a := start(t, "")
	phone, tv, stranger := a.mint("phone", "viewer"), a.mint("tv", "viewer"), a.mint("tablet", "another viewer")
	code := a.link("phone", phone)
	for _, tt := range []struct{ device, token, code string }{
		{"tv", tv, code},
		{"tablet", stranger, code},
		{"phone", phone, neighbour(code)},
		{"phone", phone, "1"},
		{"phone", phone, "%E2%82"},
	} {
		t.Run(fmt.Sprint(tt.device, " ", tt.code == code), func(t *testing.T) {
			for _, r := range []fronttest.Answer{a.look(tt.device, tt.token, tt.code), a.confirm(tt.device, tt.token, tt.code, `{"confirm":false}`)} {
				(&app{T: t}).fails(r, 400, "token_invalid", "The provided token is invalid")
				if got := r.Text("details"); got != "The link code is unknown, expired or already used" {
					t.Errorf("details %q", got)
				}
			}
		})
	}
	a.told(a.look("phone", phone, code), "OPEN") // nobody ended it
}

func TestConfirmBodies(t *testing.T) {
	a := start(t, "")
	token := a.mint("phone", "viewer")
	code := a.link("phone", token)
	for _, tt := range []struct{ body, code, message string }{
		{"", "request_null", "Request object cannot be null"},
		{"null", "request_null", "Request object cannot be null"},
		{"{}", "request_invalid", "Request body is invalid"},
		{`{"confirm":null}`, "request_invalid", "Request body is invalid"},
		{`{"confirm":"true"}`, "request_invalid", "Request body is invalid"},
		{`{"confirm":1}`, "request_invalid", "Request body is invalid"},
		{`{"Confirm":false}`, "request_invalid", "Request body is invalid"},
		{`{"confirm":true,"confirm":false}`, "request_invalid", "Request body is invalid"},
		{`[{"confirm":false}]`, "request_invalid", "Request body is invalid"},
		{`true`, "request_invalid", "Request body is invalid"},
		{`{"confirm":fals`, "request_invalid", "Request body is invalid"},
	} {
		t.Run(tt.body, func(t *testing.T) {
			(&app{T: t}).fails(a.confirm("phone", token, code, tt.body), 400, tt.code, tt.message)
		})
	}
	a.told(a.look("phone", token, code), "OPEN")
}

// policy is a realm that says what becomes of devices of other networks.
func policy(otherNetwork string) string {
	return strings.Replace(fronttest.Realms, "- id: acme", "- id: acme\n    linkCode: {otherNetwork: "+otherNetwork+"}", 1)
}

// home and away are addresses of different networks.
const home, away = "198.51.100.7", "203.0.113.9"

// redeemFrom comes with a code from an address.
func (a *app) redeemFrom(address, device, code string) fronttest.Answer {
	a.Helper()
	return a.do(a.call("POST", "serviceToken", device, "X-SSO-LINK", code, "X-Forwarded-For", address))
}

// linkAt makes a code at home.
func (a *app) linkAt(address, device, token string) string {
	a.Helper()
	r := a.do(a.call("POST", "link", device, "AD-Service-Token", token, "X-Forwarded-For", address))
	if r.StatusCode != 201 {
		a.Fatalf("link: %d %s", r.StatusCode, r.Raw)
	}
	return r.Text("code")
}

// pends checks that a device is told to wait.
func (a *app) pends(r fronttest.Answer) {
	a.Helper()
	a.fails(r, 403, "link_confirmation_pending", "The device that made the code has to confirm")
	if r.Text("action") != "retry" || r.Header.Get("Retry-After") != "3" || r.JSON["status"] != "FORBIDDEN" {
		a.Errorf("got %v %s", r.Header, r.Raw)
	}
}

// TestAnotherNetworkIsConfirmed: the device waits, the origin sees it and lets it
// in, and everything is counted and audited once.
func TestAnotherNetworkIsConfirmed(t *testing.T) {
	t.Parallel()
	var log safeBuffer
	registry := prometheus.NewRegistry()
	n := fronttest.Start(t, fronttest.Options{Config: policy("confirm"), Log: slog.New(slog.NewJSONHandler(&log, nil)), Metrics: registry})
	a := &app{t, n, n.AccessToken(t, "STREAM1")}
	token := a.mint("phone", "viewer")
	code := a.linkAt(home, "phone", token)
	for range 7 { // more than a device may guess
		a.pends(a.redeemFrom(away, "tv", code))
	}
	a.fails(a.redeemFrom(away, "tablet", code), 400, "token_invalid", "The provided token is invalid")

	r := a.look("phone", token, code)
	a.told(r, "PENDING")
	if device, _ := r.JSON["device"].(map[string]any); device["network"] != "other" || device["userAgent"] == nil {
		t.Errorf("who waits: %s", r.Raw)
	}
	if n := len(a.devices("phone", token)); n != 1 {
		t.Errorf("%d devices while one waits, want 1", n)
	}
	for range 2 {
		a.told(a.confirm("phone", token, code, `{"confirm":true}`), "PENDING")
	}
	if r := a.redeemFrom(away, "tv", code); r.StatusCode != 201 {
		t.Fatalf("the confirmed device: %d %s", r.StatusCode, r.Raw)
	}
	a.told(a.look("phone", token, code), "REDEEMED")
	if n := len(a.devices("phone", token)); n != 2 {
		t.Errorf("%d devices, want 2", n)
	}
	wantConfirmations(t, registry, 1, 1, 0)
	for what, want := range map[string]int{"asked": 1, "granted": 1, "refused": 0} {
		if got := strings.Count(log.String(), `"msg":"link confirmation `+what+`","audit":true`); got != want {
			t.Errorf("%d audit lines of %s, want %d", got, what, want)
		}
	}
	if strings.Contains(log.String(), code) || strings.Contains(log.String(), away) {
		t.Error("the log has the code or an address")
	}
}

func wantConfirmations(t *testing.T, registry *prometheus.Registry, asked, granted, refused int) {
	t.Helper()
	want := fmt.Sprintf(`
# HELP ssod_link_confirmations_total Devices of other networks that came with a link code and were to be confirmed, and what the devices that show the codes said.
# TYPE ssod_link_confirmations_total counter
ssod_link_confirmations_total{outcome="asked",realm="acme"} %d
ssod_link_confirmations_total{outcome="granted",realm="acme"} %d
ssod_link_confirmations_total{outcome="refused",realm="acme"} %d
ssod_link_confirmations_total{outcome="asked",realm="rival"} 0
ssod_link_confirmations_total{outcome="granted",realm="rival"} 0
ssod_link_confirmations_total{outcome="refused",realm="rival"} 0
`, asked, granted, refused)
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "ssod_link_confirmations_total"); err != nil {
		t.Error(err)
	}
}

// TestAnotherNetworkIsRefused: the code is over for everybody, and the guess was
// a wrong one after all: one more makes five.
func TestAnotherNetworkIsRefused(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	n := fronttest.Start(t, fronttest.Options{Config: policy("confirm"), Metrics: registry})
	a := &app{t, n, n.AccessToken(t, "STREAM1")}
	token := a.mint("phone", "viewer")
	for i := range 5 {
		code := a.linkAt(home, "phone", token)
		a.pends(a.redeemFrom(fmt.Sprint("203.0.113.", i), "guesser", code))
		a.told(a.confirm("phone", token, code, `{"confirm":false}`), "EXPIRED")
		a.told(a.confirm("phone", token, code, `{"confirm":true}`), "EXPIRED")
		a.fails(a.redeemFrom(home, fmt.Sprint("tv", i), code), 400, "token_invalid", "The provided token is invalid")
	}
	code := a.linkAt(home, "phone", token)
	a.fails(a.redeemFrom(away, "guesser", code), 429, "too_many_requests", "Too many requests")
	a.told(a.look("phone", token, code), "OPEN")
	wantConfirmations(t, registry, 5, 0, 5)
}

// TestTheOwnNetworkGoesFirst: whoever is at home is not kept by one who waits.
func TestTheOwnNetworkGoesFirst(t *testing.T) {
	a := start(t, policy("confirm"))
	token := a.mint("phone", "viewer")
	code := a.linkAt(home, "phone", token)
	a.pends(a.redeemFrom(away, "guesser", code))
	a.told(a.confirm("phone", token, code, `{"confirm":true}`), "PENDING")
	if r := a.redeemFrom(home, "tv", code); r.StatusCode != 201 {
		t.Fatalf("from home: %d %s", r.StatusCode, r.Raw)
	}
	a.fails(a.redeemFrom(away, "guesser", code), 400, "token_invalid", "The provided token is invalid")
	r := a.look("phone", token, code)
	a.told(r, "REDEEMED")
	if device, _ := r.JSON["device"].(map[string]any); device["network"] != "same" {
		t.Errorf("who joined: %s", r.Raw)
	}
}

// TestAnotherNetworkIsDenied as if the code were none, which is a wrong guess.
func TestAnotherNetworkIsDenied(t *testing.T) {
	a := start(t, policy("deny"))
	token := a.mint("phone", "viewer")
	code := a.linkAt(home, "phone", token)
	for range 5 {
		a.fails(a.redeemFrom(away, "guesser", code), 400, "token_invalid", "The provided token is invalid")
	}
	a.fails(a.redeemFrom(away, "guesser", code), 429, "too_many_requests", "Too many requests")
	a.told(a.look("phone", token, code), "OPEN")
	if r := a.redeemFrom(home, "tv", code); r.StatusCode != 201 {
		t.Fatalf("from home: %d %s", r.StatusCode, r.Raw)
	}
}

// TestAnotherNetworkIsAllowed by default, and the origin sees it.
func TestAnotherNetworkIsAllowed(t *testing.T) {
	a := start(t, "")
	token := a.mint("phone", "viewer")
	code := a.linkAt(home, "phone", token)
	if r := a.redeemFrom(away, "tv", code); r.StatusCode != 201 {
		t.Fatalf("redeem: %d %s", r.StatusCode, r.Raw)
	}
	r := a.look("phone", token, code)
	a.told(r, "REDEEMED")
	if device, _ := r.JSON["device"].(map[string]any); device["network"] != "other" {
		t.Errorf("who joined: %s", r.Raw)
	}
}
