package e2e

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"ssod/cmd/internal/e2e/examples"
)

// playLogin logs in, watches and logs out, with every secret of a browser marked,
// and then makes the mistakes of people who get hold of one.
func (s *secrets) playLogin() {
	s.Helper()
	ctx := s.Context()
	d := newDevice("device that logs in")
	must(s, s.mint(ctx, d, "marked-viewer-4714"))
	subject := subjectToken(s, "marked-account-4715")
	s.mark("subject token", subject)
	s.mark("account of the platform", "marked-account-4715")
	begun, err := s.begin(ctx, d, whole("AcmeTV"), "AD-Service-Token", d.token, "Adobe-Subject-Token", subject)
	must(s, err)
	s.mark("authentication code", begun.Code)
	b := s.newBrowser()
	page, err := b.open(ctx, s.provider, begun.Code)
	must(s, err)
	s.markQuery(page, "ticket")
	for _, cookie := range b.client.Jar.Cookies(&url.URL{Scheme: "http", Host: s.HTTP, Path: "/"}) {
		s.mark("cookie "+cookie.Name, cookie.Value)
	}
	back, err := b.visit(ctx, page, url.Values{"viewer": {"ada"}})
	must(s, want(back, err, http.StatusSeeOther, nil))
	callback := back.Headers.Get("Location")
	s.markQuery(callback, "state")
	s.markQuery(callback, "code")
	s.stolen(s.newBrowser(), callback)
	_, _, err = b.follow(ctx, callback, nil)
	must(s, err)
	s.watchAndLeave(d, b)
	s.do4xx("GET", "/api/v2/one/sessions/"+begun.Code+"x", map[string]string{"Authorization": "Bearer " + s.token}, "")
	s.do4xx("GET", "/api/v2/one/sessions/"+begun.Code, map[string]string{"Authorization": "Bearer " + s.token}, "")
	s.do4xx("GET", "/api/v2/one/profiles", map[string]string{"Authorization": "Bearer " + d.token}, "")
}

// playSecondScreen types the code of a device on the service's pages, with what these prove to
// a browser marked.
func (s *secrets) playSecondScreen() {
	s.Helper()
	ctx := s.Context()
	begun, err := s.begin(ctx, newDevice("device that shows a code"), url.Values{"verification": {"true"}})
	must(s, err)
	s.mark("authentication code of a second screen", begun.Code)
	b, enter := s.newBrowser(), publicURL+"/activate/"+s.provider
	form, err := b.visit(ctx, enter, nil)
	must(s, want(form, err, http.StatusOK, nil))
	typed := url.Values{"token": {s.markAfter("token of the page for codes", form, `name="token" value="`)}, "code": {begun.Code}}
	opened, err := b.visit(ctx, enter, typed)
	must(s, want(opened, err, http.StatusSeeOther, nil))
	at := opened.Headers.Get("Location")
	s.markQuery(at, "opened")
	choice, err := b.visit(ctx, at, nil)
	must(s, want(choice, err, http.StatusOK, nil))
	s.markAfter("token of the page for providers", choice, `name="token" value="`)
	s.stolen(s.newBrowser(), enter+"/x")
}

// playTrial watches without a login, under a name that an app should not have sent in
// plain.
func (s *secrets) playTrial() {
	s.Helper()
	who := base64.StdEncoding.EncodeToString([]byte(`{"email":"marked-4716@viewer.example"}`))
	s.mark("identity for temporary access", who)
	s.mark("e-mail address", "marked-4716@viewer.example")
	d := newDevice("device that tries it out")
	answer, err := s.v2(s.Context(), "POST", "decisions/authorize/trial", d, `{"resources":["channel-1"]}`, "AP-TempPass-Identity", who)
	must(s, want(answer, err, http.StatusOK, nil))
	s.markAfter("media token", answer, `"serializedToken":"`)
	s.do4xx("GET", "/api/v2/one/profiles/trial", map[string]string{"Authorization": "Bearer " + s.token, "AP-TempPass-Identity": who + "!"}, "")
}

// watchAndLeave gets a media token and a logout agent URL, and uses that twice.
func (s *secrets) watchAndLeave(d *device, b *browser) {
	s.Helper()
	ctx := s.Context()
	answer, err := s.v2(ctx, "POST", "decisions/authorize/AcmeTV", d, `{"resources":["channel-1"]}`, "AD-Service-Token", d.token)
	must(s, want(answer, err, http.StatusOK, nil))
	s.markAfter("media token", answer, `"serializedToken":"`)
	answer, err = s.v2(ctx, "GET", "logout/AcmeTV?redirectUrl="+url.QueryEscape(home), d, "", "AD-Service-Token", d.token)
	must(s, want(answer, err, http.StatusOK, nil))
	agent := s.markAfter("logout agent URL", answer, `"url":"`)
	end, _, err := b.follow(ctx, publicURL+agent, nil)
	must(s, err)
	if end != home {
		s.Errorf("the browser ended at %s", end)
	}
	s.stolen(b, publicURL+agent)
}

// stolen opens an address that must not work, and keeps the page.
func (s *secrets) stolen(b *browser, address string) {
	s.Helper()
	answer, err := b.visit(s.Context(), address, nil)
	s.keep(answer, err)
}

// markQuery marks a parameter of a URL.
func (s *secrets) markQuery(address, name string) {
	s.Helper()
	u, err := url.Parse(address)
	must(s, err)
	s.mark(name+" of "+u.Path, u.Query().Get(name))
}

// markAfter marks what stands behind some words in a JSON body.
func (s *secrets) markAfter(what string, answer examples.Answer, words string) string {
	s.Helper()
	_, rest, _ := strings.Cut(string(answer.Body), words)
	secret, _, _ := strings.Cut(rest, `"`)
	s.mark(what, secret)
	return secret
}
