package entitlement_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"ssod/httpfront/fronttest"
	"ssod/httpfront/page"
)

// asking is realms with a setting of when viewers are asked.
func asking(confirm string) string {
	return strings.Replace(realms, "  - id: acme\n", "  - id: acme\n    session: {confirm: "+confirm+"}\n", 1)
}

const question = "<h1>Is this your device?</h1>"

// asked reports whether a browser that opens a login is asked whose device it is,
// and returns the token of the page.
func (b *browser) asked(code string) (token string, asked bool) {
	b.Helper()
	r := b.visit("/api/v2/authenticate/"+b.sp+"/"+code, nil)
	switch {
	case r.StatusCode == http.StatusFound && strings.Contains(r.Header.Get("Location"), "/sandbox/"):
		return "", false
	case r.StatusCode != http.StatusOK || !strings.Contains(string(r.Raw), question) || r.Header.Get("Content-Security-Policy") != page.Policy:
		b.Fatalf("open: %d %s", r.StatusCode, r.Raw)
	}
	return regexp.MustCompile(`name="token" value="([^"]+)"`).FindStringSubmatch(string(r.Raw))[1], true
}

func (b *browser) answer(code, token, answer string) fronttest.Answer {
	b.Helper()
	return b.visit("/api/v2/authenticate/"+b.sp+"/"+code, url.Values{"token": {token}, "answer": {answer}})
}

// TestWhoIsAskedWhoseDeviceItIs compares the network of a browser with that of the
// device that began the session.
func TestWhoIsAskedWhoseDeviceItIs(t *testing.T) {
	t.Parallel()
	for _, setting := range []string{"otherNetwork", "always", "never"} {
		n := fronttest.Start(t, fronttest.Options{Config: asking(setting)})
		a := &app{t, n, n.AccessToken(t, "STREAM1"), "STREAM1"}
		for _, tt := range []struct {
			name, device, browser string
			other                 bool
		}{
			{"the same address", "192.0.2.1", "192.0.2.1", false},
			{"the next address", "192.0.2.1", "192.0.2.2", true},
			{"another host of a household of IPv6", "2001:db8:0:700::1", "2001:db8:0:7ff:a:b:c:d", false},
			{"the next household of IPv6", "2001:db8:0:700::1", "2001:db8:0:800::1", true},
			{"IPv4 written as IPv6", "192.0.2.1", "::ffff:192.0.2.1", false},
			{"IPv4 and IPv6", "192.0.2.1", "2001:db8::1", true},
		} {
			code := a.code("phone", "cable", "X-Forwarded-For", tt.device)
			want := map[string]bool{"otherNetwork": tt.other, "always": true, "never": false}[setting]
			if _, asked := a.browserAt(tt.browser).asked(code); asked != want {
				t.Errorf("%s, %s: asked %v, want %v", setting, tt.name, asked, want)
			}
		}
	}
}

// TestTheQuestionNamesWhatAViewerCompares: provider, device and code, each as text
// and without what hides or turns it.
func TestTheQuestionNamesWhatAViewerCompares(t *testing.T) {
	a := start(t, strings.Replace(asking("always"), "{id: cable,", `{id: cable, displayName: "Acme <TV>",`, 1))
	for info, device := range map[string]string{
		`{"primaryHardwareType":"TV","manufacturer":"Samsung","model":"QX-55"}`: "TV, Samsung QX-55",
		`{"primaryHardwareType":"SetTopBox"}`:                                   "Set-top box",
		`{"model":"Box"}`:                                                       "Box",
		`{}`:                                                                    "Not known",
		`{"model":"<b>\u202Eyou\u200B<\/b>"}`:                                   "&lt;b&gt;you&lt;/b&gt;",
		`{"model":"` + strings.Repeat("\u00e4", 300) + `"}`:                     strings.Repeat("\u00e4", 63) + "\u2026",
	} {
		code := a.code("phone", "cable", "X-Device-Info", base64.StdEncoding.EncodeToString([]byte(info)))
		r := a.browser().visit("/api/v2/authenticate/STREAM1/"+code, nil)
		for _, want := range []string{
			"<strong><bdi>STREAM1</bdi></strong>", "<strong><bdi>Acme &lt;TV&gt;</bdi></strong>", "<dd><bdi>" + device + "</bdi></dd>",
			`<dd class="code">` + code[:3] + " " + code[3:] + "</dd>", `<form method="post">`,
		} {
			if !strings.Contains(string(r.Raw), want) {
				_, body, _ := strings.Cut(string(r.Raw), "<main>")
				t.Errorf("%s: the page does not have %q:\n%s", info, want, body)
			}
		}
	}
}

// TestAViewerConfirms: the login goes on where it would have, in each tab.
func TestAViewerConfirms(t *testing.T) {
	a := start(t, realms)
	code := a.code("phone", "cable", "X-Forwarded-For", "192.0.2.1")
	b := a.browserAt("198.51.100.7")
	token, _ := b.asked(code)
	if again, _ := b.asked(code); again != token {
		t.Error("a second tab makes the first one's question void")
	}
	r := b.answer(code, token, "continue")
	if r.StatusCode != http.StatusSeeOther {
		t.Fatalf("continue: %d %s", r.StatusCode, r.Raw)
	}
	end, _ := b.follow(b.callback(r.Header.Get("Location"), "ada"), nil)
	a.same("the browser ends", end, home)
	a.same("found", a.found("phone"), found{"cable": "regular"})
	if r := b.answer(code, token, "continue"); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != home {
		t.Errorf("once more after the login: %d %s", r.StatusCode, r.Header.Get("Location"))
	}
}

// TestAViewerDeclines: the session is over for the app and in every browser.
func TestAViewerDeclines(t *testing.T) {
	a := start(t, realms)
	code := a.code("phone", "cable", "X-Forwarded-For", "192.0.2.1")
	attacker := a.browserAt("192.0.2.1")
	waiting := attacker.callback(attacker.open("STREAM1", code), "ada")
	b := a.browserAt("198.51.100.7")
	token, _ := b.asked(code)
	r := b.answer(code, token, "decline")
	if r.StatusCode != http.StatusOK || !strings.Contains(string(r.Raw), "<h1>The login has ended</h1>") || r.Header.Get("Content-Security-Policy") != page.Policy {
		t.Errorf("decline: %d %v %s", r.StatusCode, r.Header, r.Raw)
	}
	for _, path := range []string{"profiles/code/" + code, "sessions/" + code} {
		a.fails(a.do(a.call("GET", path, "")), 400, "invalid_authentication_session")
	}
	if _, r := attacker.follow(waiting, nil); r.StatusCode != http.StatusBadRequest {
		t.Errorf("who was on his way comes back: %d", r.StatusCode)
	}
	for name, r := range map[string]fronttest.Answer{
		"the link": b.visit("/api/v2/authenticate/STREAM1/"+code, nil), "once more": b.answer(code, token, "decline"), "after all": b.answer(code, token, "continue"),
	} {
		if r.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d", name, r.StatusCode)
		}
	}
	a.same("nobody got in", a.found("phone"), found{})
}

// TestNobodyAnswersForAViewer: an answer counts from the browser that was asked and
// for the session it was asked about.
func TestNobodyAnswersForAViewer(t *testing.T) {
	a := start(t, asking("always"))
	code, other := a.code("phone", "cable"), a.code("tablet", "cable")
	viewer, stranger := a.browser(), a.browser()
	token, _ := viewer.asked(code)
	theirs, _ := stranger.asked(code)
	otherToken, _ := viewer.asked(other)
	bare := a.browser()
	for _, answer := range []string{"continue", "decline"} {
		for name, r := range map[string]fronttest.Answer{
			"no token":                     viewer.answer(code, "", answer),
			"a token of another browser":   viewer.answer(code, theirs, answer),
			"a token of another session":   viewer.answer(code, otherToken, answer),
			"in a browser without cookies": bare.answer(code, token, answer),
			"in another browser":           stranger.answer(code, token, answer),
			"for another service provider": a.at("STREAM2").do(fronttest.Call{Method: "POST", Path: "/api/v2/authenticate/STREAM2/" + code, Body: "token=" + token + "&answer=" + answer}.With(
				"Cookie", "ssod-login="+viewer.cookies["ssod-login"], "Content-Type", "application/x-www-form-urlencoded")),
		} {
			if r.StatusCode != http.StatusBadRequest {
				t.Errorf("%s, %s: %d", answer, name, r.StatusCode)
			}
		}
	}
	for name, r := range map[string]fronttest.Answer{
		"no answer": viewer.answer(code, token, ""), "another answer": viewer.answer(code, token, "maybe"),
		"an unknown code": viewer.answer("ZZZZZZZ", token, "continue"), "no code": viewer.answer("x", token, "continue"),
	} {
		if r.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d", name, r.StatusCode)
		}
	}
	if r := viewer.answer(code, token, "continue"); r.StatusCode != http.StatusSeeOther {
		t.Errorf("the viewer: %d %s", r.StatusCode, r.Raw)
	}
}
