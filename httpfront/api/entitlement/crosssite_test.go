package entitlement_test

import (
	"net/http"
	"net/url"
	"testing"

	"ssod/httpfront/fronttest"
)

// TestAnotherSiteBreaksNoLogin: a page elsewhere makes the viewer's browser post to each form
// of a login under way, whether the browser says so or is an old one. Its cookie, which
// SameSite keeps from such a POST, stays what it is, and the login goes on.
func TestAnotherSiteBreaksNoLogin(t *testing.T) {
	evil := []string{"Origin", "https://evil.example"}
	for name, tt := range map[string]struct {
		header []string
		status int // of the POST to /activate/{sp}
	}{
		"Sec-Fetch-Site":       {append(evil, "Sec-Fetch-Site", "cross-site"), 400},
		"same site":            {[]string{"Sec-Fetch-Site", "same-site", "Origin", "https://www.stream.example"}, 400},
		"Origin":               {evil, 400},
		"an origin that hides": {[]string{"Origin", "null"}, http.StatusSeeOther},
		"neither":              {nil, http.StatusSeeOther},
	} {
		t.Run(name, func(t *testing.T) {
			a := start(t, realms)
			code, _ := a.tv()
			b := a.browser()
			at := b.opened(code)
			r := b.chooses(at, url.Values{"mvpd": {"cable"}})
			login := r.Header.Get("Location")
			for path, status := range map[string]int{
				"/activate/STREAM1": tt.status, at: 0, "/api/v2/authenticate/STREAM1/" + code: 400,
			} {
				got := b.postedFromElsewhere(path, url.Values{"token": {"made up"}, "code": {code}, "answer": {"decline"}, "mvpd": {"plain"}}, tt.header...)
				if status != 0 && got.StatusCode != status {
					t.Errorf("%s: %d, want %d", path, got.StatusCode, status)
				}
				if set := got.Header.Get("Set-Cookie"); set != "" {
					t.Errorf("%s sets a cookie: %s", path, set)
				}
				if to := got.Header.Get("Location"); to != "" {
					b.visit(to, nil) // a GET that the browser's cookie comes with
				}
			}
			end, last := b.follow(b.callback(login, "ada"), nil)
			a.same("the browser ends", end, at)
			b.expectPage("the end", last, 200, "You're done")
		})
	}
}

// postedFromElsewhere posts as a page of another site does: without the browser's cookie. What
// is set is kept.
func (b *browser) postedFromElsewhere(path string, form url.Values, header ...string) fronttest.Answer {
	b.Helper()
	alone := &browser{app: b.app, cookies: map[string]string{}, header: header}
	r := alone.visit(path, form)
	for name, value := range alone.cookies {
		b.cookies[name] = value
	}
	return r
}

// TestFormsOfAnyBrowser: what browsers say of a form of the service's own, old TVs included.
func TestFormsOfAnyBrowser(t *testing.T) {
	a := start(t, realms)
	public := a.node.Settings.Config().PublicURL
	for name, header := range map[string][]string{
		"a new browser":           {"Sec-Fetch-Site", "same-origin", "Origin", "null"},
		"an old one":              {"Origin", "null"},
		"one that has a referrer": {"Origin", public},
		"one behind a proxy":      {"Origin", "http://" + a.node.Address().String()},
		"an old TV":               nil,
	} {
		code, _ := a.tv()
		b := a.browser()
		b.header = header
		r := b.chooses(b.opened(code), url.Values{"mvpd": {"cable"}})
		if end, _ := b.follow(b.callback(r.Header.Get("Location"), "ada"), nil); end == "" || a.found("tv")["cable"] != "regular" {
			t.Errorf("%s: the browser ends at %s", name, end)
		}
	}
}
