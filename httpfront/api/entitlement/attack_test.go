package entitlement_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"ssod/httpfront/fronttest"
)

// TestWhoComesBackFromTheMVPD: only the browser that was sent there, with the
// state that it was sent with, in time, ends a login; and it ends it once.
func TestWhoComesBackFromTheMVPD(t *testing.T) {
	t.Parallel()
	type scene struct {
		*app
		viewer   *browser
		code     string
		callback string // where the MVPD sends the viewer's browser
	}
	tests := []struct {
		name string
		do   func(s scene) (end string, r fronttest.Answer)
		want string // where the browser ends; "": an error page
		kept bool   // the device has a login afterwards
	}{
		{"the viewer", func(s scene) (string, fronttest.Answer) { return s.viewer.follow(s.callback, nil) }, home, true},
		{"twice: double click, back button", func(s scene) (string, fronttest.Answer) {
			s.viewer.follow(s.callback, nil)
			return s.viewer.follow(s.callback, nil)
		}, home, true},
		{"another browser: the callback was stolen or planted", func(s scene) (string, fronttest.Answer) {
			return s.browser().follow(s.callback, nil)
		}, "", false},
		{"another browser with a login of its own in progress", func(s scene) (string, fronttest.Answer) {
			other := s.browser()
			other.open("STREAM1", s.app.code("tablet", "cable"))
			return other.follow(s.callback, nil)
		}, "", false},
		{"without cookies", func(s scene) (string, fronttest.Answer) {
			s.viewer.cookies = nil
			s.viewer.cookies = map[string]string{}
			return s.viewer.follow(s.callback, nil)
		}, "", false},
		{"with another state", func(s scene) (string, fronttest.Answer) {
			return s.viewer.follow(withState(s.callback, 4, strings.Repeat("A", 43)), nil)
		}, "", false},
		{"with the state of another session", func(s scene) (string, fronttest.Answer) {
			return s.viewer.follow(withState(s.callback, 1, s.app.code("tablet", "cable")), nil)
		}, "", false},
		{"with the state of another service provider", func(s scene) (string, fronttest.Answer) {
			return s.viewer.follow(withState(s.callback, 0, "STREAM2"), nil)
		}, "", false},
		{"with the state of a login at another MVPD", func(s scene) (string, fronttest.Answer) {
			return s.viewer.follow(withState(s.callback, 2, "plain"), nil)
		}, "", false},
		{"with the state of another tab", func(s scene) (string, fronttest.Answer) {
			return s.viewer.follow(withState(s.callback, 3, "AAAAAAAAAAAAAAAAAAAAAAAAAA"), nil)
		}, "", false},
		{"as a browser that was never sent anywhere", func(s scene) (string, fronttest.Answer) {
			other := s.browser()
			other.cookies["ssod-login"] = strings.Repeat("A", 43)
			return other.follow(s.callback, nil)
		}, "", false},
		{"too late", func(s scene) (string, fronttest.Answer) {
			s.node.Sleep(31 * time.Minute)
			return s.viewer.follow(s.callback, nil)
		}, "", false},
		{"after the device began another session", func(s scene) (string, fronttest.Answer) {
			s.app.code("phone", "cable")
			return s.viewer.follow(s.callback, nil)
		}, "", false},
		{"with a proof of another login", func(s scene) (string, fronttest.Answer) {
			other := s.browser()
			theirs, _ := url.Parse(other.callback(other.open("STREAM1", s.app.code("tablet", "cable")), "ada"))
			u, _ := url.Parse(s.callback)
			q := u.Query()
			q.Set("code", theirs.Query().Get("code"))
			u.RawQuery = q.Encode()
			return s.viewer.follow(u.String(), nil)
		}, home + "?error=invalid_request", false},
		{"having given up", func(s scene) (string, fronttest.Answer) {
			u, _ := url.Parse(s.callback)
			q := u.Query()
			q.Del("code")
			q.Set("error", "access_denied")
			u.RawQuery = q.Encode()
			return s.viewer.follow(u.String(), nil)
		}, home + "?error=access_denied", false},
		{"from a second tab", func(s scene) (string, fronttest.Answer) {
			return s.viewer.follow(s.viewer.callback(s.viewer.open("STREAM1", s.code), "ada"), nil)
		}, home, true},
		{"from a second tab, when the first was faster", func(s scene) (string, fronttest.Answer) {
			second := s.viewer.callback(s.viewer.open("STREAM1", s.code), "ada")
			s.viewer.follow(s.callback, nil)
			return s.viewer.follow(second, nil)
		}, home, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := start(t, realms)
			s := scene{app: a, viewer: a.browser(), code: a.code("phone", "cable")}
			s.callback = s.viewer.callback(s.viewer.open("STREAM1", s.code), "ada")
			end, r := tt.do(s)
			if tt.want != "" && end != tt.want || tt.want == "" && r.StatusCode != http.StatusBadRequest {
				t.Errorf("ended at %s with %d %.80s, want %q", end, r.StatusCode, r.Raw, tt.want)
			}
			if kept := len(a.found("phone")) == 1; kept != tt.kept {
				t.Errorf("the device has a login: %v, want %v", kept, tt.kept)
			}
		})
	}
}

// withState is a callback with one part of its state replaced.
func withState(callback string, part int, by string) string {
	u, _ := url.Parse(callback)
	q := u.Query()
	state := strings.Split(q.Get("state"), ".")
	state[part] = by
	q.Set("state", strings.Join(state, "."))
	u.RawQuery = q.Encode()
	return u.String()
}

// After a failure the viewer may try again with the same code.
func TestALoginCanBeTriedAgain(t *testing.T) {
	a := start(t, realms)
	code := a.code("phone", "cable")
	b := a.browser()
	a.same("a viewer who cannot sign in", b.logIn("STREAM1", code, "leo"), home+"?error=server_error")
	a.same("nothing yet", string(a.do(a.call("GET", "profiles/code/"+code, "")).Raw), `{"profiles":{}}`)
	a.same("another viewer", b.logIn("STREAM1", code, "ada"), home)
	a.same("found", a.found("phone"), found{"cable": "regular"})
	if end, _ := b.follow("/api/v2/authenticate/STREAM1/"+code, nil); end != home {
		t.Errorf("the code opens a login again, at %s", end)
	}
	if _, r := a.browser().follow("/api/v2/authenticate/STREAM1/"+code, nil); r.StatusCode != http.StatusBadRequest {
		t.Errorf("the code opens a login in another browser: %d", r.StatusCode)
	}
	a.fails(a.do(a.call("GET", "sessions/"+code, "")), 400, "invalid_authentication_session")
}

// TestTokensAreNotTakenForOneAnother offers every kind of secret to every place
// that wants one; only the right kind opens anything.
func TestTokensAreNotTakenForOneAnother(t *testing.T) {
	a := start(t, realms)
	service := a.mint("phone", "viewer")
	a.logIn("phone", "cable", "ada", "AD-Service-Token", service)
	c := a.call("POST", "decisions/authorize/cable", "phone").With("Content-Type", "application/json")
	c.Body = `{"resources":["channel-1"]}`
	media := a.do(c).JSON["decisions"].([]any)[0].(map[string]any)["token"].(map[string]any)["serializedToken"].(string)
	b := a.browser()
	code := a.code("tv", "plain")
	back, _ := url.Parse(b.callback(b.open("STREAM1", code), "ada"))
	state, grant := back.Query().Get("state"), back.Query().Get("code")
	secrets := map[string]string{"access": a.access, "service": service, "media": media, "state": state, "code": code, "grant": grant, "cookie": b.cookies["ssod-login"]}
	places := []struct {
		name, right string
		offer       func(secret string) fronttest.Answer
		refused     func(r fronttest.Answer) bool
	}{
		{"Authorization", "access", func(s string) fronttest.Answer {
			return a.do(a.call("GET", "profiles", "phone", "Authorization", "Bearer "+s))
		}, func(r fronttest.Answer) bool { return r.StatusCode == 401 }},
		{"AD-Service-Token", "service", func(s string) fronttest.Answer {
			return a.at("STREAM2").do(a.at("STREAM2").call("GET", "profiles", "phone", "AD-Service-Token", s))
		}, func(r fronttest.Answer) bool { return string(r.Raw) == `{"profiles":{}}` }},
		{"Adobe-Subject-Token", "", func(s string) fronttest.Answer {
			return a.at("STREAM2").do(a.at("STREAM2").call("GET", "profiles", "phone", "Adobe-Subject-Token", s))
		}, func(r fronttest.Answer) bool { return string(r.Raw) == `{"profiles":{}}` }},
		{"code of a session", "code", func(s string) fronttest.Answer {
			return a.do(a.call("GET", "sessions/"+url.PathEscape(s), ""))
		}, func(r fronttest.Answer) bool { return r.StatusCode >= 400 && r.StatusCode < 500 }},
		{"logout agent", "", func(s string) fronttest.Answer {
			return b.visit("/api/v2/logout-agent/"+url.PathEscape(s), nil)
		}, func(r fronttest.Answer) bool { return r.StatusCode >= 400 && r.StatusCode < 500 }},
		{"logout callback", "", func(s string) fronttest.Answer {
			return b.visit("/api/v2/logout-agent/callback?state="+url.QueryEscape(s), nil)
		}, func(r fronttest.Answer) bool { return r.StatusCode == 400 }},
		{"login callback", "state", func(s string) fronttest.Answer {
			return b.visit("/api/v2/authenticate/callback?code="+grant+"&state="+url.QueryEscape(s), nil)
		}, func(r fronttest.Answer) bool { return r.StatusCode == 400 }},
	}
	for _, place := range places {
		for name, secret := range secrets {
			if refused := place.refused(place.offer(secret)); refused != (name != place.right) {
				t.Errorf("%s as %s: refused %v", name, place.name, refused)
			}
		}
	}
}

// A decision is made on the caller's own login only.
func TestNobodyDecidesOnAnothersLogin(t *testing.T) {
	a := start(t, realms)
	phone, stranger := a.mint("phone", "viewer"), a.mint("stranger", "somebody else")
	a.logIn("phone", "cable", "ada", "AD-Service-Token", phone)
	otherApp := &app{t, a.node, a.node.AccessToken(t, "STREAM1"), "STREAM1"}
	for name, got := range map[string]string{
		"another device":                        a.authorize("tv", "cable"),
		"another device with the phone's token": a.authorize("tv", "cable", "AD-Service-Token", phone),
		"another viewer":                        a.authorize("stranger", "cable", "AD-Service-Token", stranger),
		"another app on the same device":        otherApp.authorize("phone", "cable"),
		"another channel":                       a.at("STREAM2").authorize("phone", "cable"),
	} {
		if got != "authenticated_profile_missing" {
			t.Errorf("%s: got %s", name, got)
		}
	}
}

// Browsers are sent to the service provider's own addresses only.
func TestOpenRedirects(t *testing.T) {
	a := start(t, realms)
	good := []string{
		home, "http://stream.example", "https://STREAM.example:8443/x?y=1#z", "streamapp://open", "StreamApp://any/thing",
		"https://tv.apps.stream.example/done", "https://TV.Apps.stream.example:8443", "https://a.b_c.apps.stream.example", "https://xn--bcher-kva.example",
	}
	bad := []string{
		"https://evil.example", "https://stream.example.evil.example", "https://evilstream.example", "https://sub.stream.example/",
		"//stream.example/", "/done", "stream.example", "https:stream.example", "https:///stream.example", "https://evil.example@stream.example/",
		"https://stream.example@evil.example/", `https://evil.example\@stream.example`, `https:\\stream.example`, "javascript://stream.example/%0aalert(1)",
		"javascript:alert(1)", "data:text/html,x", "ftp://stream.example", "streamapp:x", "streamapp2://x", "https://stream.example/ x",
		"https://stream.example/\r\nSet-Cookie: a=b", " https://stream.example", "https://stream.example%2eevil.example/", "https://[::1]/",
		"https://stream.example/" + strings.Repeat("a", 2048),
		// What is below a domain that is written *.
		"https://apps.stream.example", "https://.apps.stream.example", "https://a..apps.stream.example", "https://evilapps.stream.example",
		"https://evil-apps.stream.example", "https://*.apps.stream.example", "https://tv.apps.stream.example.", "https://tv.apps.stream.example.evil.example",
		"https://evil.example;tv.apps.stream.example", "https://evil.example,tv.apps.stream.example", "https://evil.example&.apps.stream.example",
		"https://evil.example:80.apps.stream.example", "https://evil.example:.apps.stream.example", "https://evil.example@tv.apps.stream.example",
		"https://evil.example%2f.apps.stream.example", "https://evil.example%23.apps.stream.example", "https://evil.example?.apps.stream.example",
		"https://evil.example#.apps.stream.example", "https://evil.example/.apps.stream.example", "https://-.apps.stream.example",
		"https://" + strings.Repeat("a.", 120) + "apps.stream.example", "ftp://tv.apps.stream.example", "streamapp2://tv.apps.stream.example",
		// Names that browsers read as others, or as the same.
		"https://tv.\u0430pps.stream.example", "https://tv.apps.\u017Ftream.example", "https://b\u00FCcher.example", "https://b%C3%BCcher.example",
		"https://tv\uFF0Eapps.stream.example", "https://evil.example\u2044.apps.stream.example", "https://tv\u3002apps.stream.example",
	}
	refused := func(to string) bool {
		form := url.Values{"mvpd": {"cable"}, "domainName": {"stream.example"}, "redirectUrl": {to}}.Encode()
		session := a.begin("phone", form).Text("code") == "invalid_parameter_redirect_url"
		logout := a.do(a.call("GET", "logout/cable?redirectUrl="+url.QueryEscape(to), "phone")).Text("code") == "invalid_parameter_redirect_url"
		if session != logout {
			t.Errorf("%q: refused as a session's %v, as a logout's %v", to, session, logout)
		}
		return session
	}
	for _, to := range good {
		if refused(to) {
			t.Errorf("%q was refused", to)
		}
	}
	for _, to := range bad {
		if !refused(to) {
			t.Errorf("%q was accepted", to)
		}
	}
}
