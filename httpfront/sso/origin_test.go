package sso_test

import (
	"encoding/base64"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
