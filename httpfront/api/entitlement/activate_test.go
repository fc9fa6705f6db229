package entitlement_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"ssod/httpfront/fronttest"
	"ssod/httpfront/page/texts"
)

const tvInfo = `{"primaryHardwareType":"TV","manufacturer":"Samsung","model":"QX-55"}`

// tv begins a login with nothing but what a TV without a browser knows.
func (a *app) tv(header ...string) (code string, r fronttest.Answer) {
	a.Helper()
	header = append(header, "X-Device-Info", base64.StdEncoding.EncodeToString([]byte(tvInfo)))
	r = a.begin("tv", "verification=true", header...)
	if r.StatusCode != http.StatusOK {
		a.Fatalf("begin: %d %s", r.StatusCode, r.Raw)
	}
	return r.Text("code"), r
}

var hidden = regexp.MustCompile(`name="token" value="([^"]+)"`)

// token is that of a page with a form.
func token(r fronttest.Answer) string {
	if m := hidden.FindStringSubmatch(string(r.Raw)); m != nil {
		return m[1]
	}
	return ""
}

// typed types a code and returns where that leads; "" where the page comes again.
func (b *browser) typed(code string) (at string, r fronttest.Answer) {
	b.Helper()
	form := b.visit("/activate/"+b.sp, nil)
	r = b.visit("/activate/"+b.sp, url.Values{"token": {token(form)}, "code": {code}})
	if r.StatusCode == http.StatusSeeOther {
		at = r.Header.Get("Location")
	}
	return at, r
}

// opened types a code that is good and returns the address of its session.
func (b *browser) opened(code string) string {
	b.Helper()
	at, r := b.typed(code)
	if !strings.Contains(at, "/activate/"+b.sp+"/"+code+"?opened=") {
		b.Fatalf("a good code: %d to %q: %s", r.StatusCode, at, r.Raw)
	}
	return at
}

// chooses sends the form of the page at an address.
func (b *browser) chooses(at string, values url.Values) fronttest.Answer {
	b.Helper()
	values.Set("token", token(b.visit(at, nil)))
	return b.visit(at, values)
}

// expectPage checks status and heading of a page.
func (b *browser) expectPage(what string, r fronttest.Answer, status int, title string) {
	b.Helper()
	if r.StatusCode != status || !strings.Contains(string(r.Raw), "<h1>"+strings.ReplaceAll(title, "'", "&#39;")+"</h1>") {
		b.Errorf("%s: got %d, want %d %q: %s", what, r.StatusCode, status, title, headings(r))
	}
}

func headings(r fronttest.Answer) string {
	return fmt.Sprint(regexp.MustCompile(`<h1>[^<]*</h1>`).FindAllString(string(r.Raw), -1), r.Header.Get("Location"))
}

// TestWhatASecondScreenNeeds is in the answer when it is asked for, and then only.
func TestWhatASecondScreenNeeds(t *testing.T) {
	a := start(t, realms)
	code, r := a.tv()
	base := a.node.Settings.Config().PublicURL + "/activate/STREAM1"
	a.same("url", r.Text("verificationUrl"), base+"?code="+code)
	a.same("short url", r.Text("verificationUrlShort"), base)
	a.same("interval", r.JSON["interval"], float64(5))
	a.same("action", r.Text("actionName"), "resume")
	if !strings.HasPrefix(r.Text("qr"), "<svg ") {
		t.Errorf("the picture is %.30q", r.Text("qr"))
	}
	for _, form := range []string{"", "verification=false", whole("cable")} {
		r := a.begin("tv", form)
		for _, name := range []string{"verificationUrl", "verificationUrlShort", "qr", "interval"} {
			if _, there := r.JSON[name]; there {
				t.Errorf("%q is answered with %s", form, name)
			}
		}
	}
	a.logIn("tv", "cable", "ada")
	if r := a.begin("tv", "verification=true&mvpd=cable"); r.Text("actionName") != "authorize" || r.Text("qr") != "" {
		t.Errorf("a device with a login: %s", r.Raw)
	}
}

// TestASecondScreen is the whole way of a viewer who types a code: nothing but a code is
// known, and the pages do the rest.
func TestASecondScreen(t *testing.T) {
	a := start(t, strings.Replace(realms, "{id: cable,", `{id: cable, displayName: "Acme <TV>",`, 1))
	code, _ := a.tv()
	b := a.browser()
	form := b.visit("/activate/STREAM1?code="+code, nil)
	b.expectPage("the link", form, 200, "Connect your TV")
	if !strings.Contains(string(form.Raw), `value="`+code[:3]+" "+code[3:]+`"`) {
		t.Error("the code that came with the link is not in the field")
	}
	at := b.opened(code)
	choice := b.visit(at, nil)
	b.expectPage("the session", choice, 200, "Choose your TV provider")
	for _, want := range []string{
		"<bdi>test</bdi>", "<bdi>TV, Samsung QX-55</bdi>", code[:3] + " " + code[3:], "<bdi>STREAM1</bdi>", `<span class="name">Acme &lt;TV&gt;</span>`,
		`name="mvpd" value="plain"`, `src="https://static.example/cable.png"`,
	} {
		if !strings.Contains(string(choice.Raw), want) {
			t.Errorf("the page does not have %q", want)
		}
	}
	for _, closed := range []string{`value="closed"`, `value="later"`, `value="trial"`} {
		if strings.Contains(string(choice.Raw), closed) {
			t.Errorf("%s can be chosen", closed)
		}
	}
	if policy := choice.Header.Get("Content-Security-Policy"); !strings.HasSuffix(policy, "; img-src https://static.example") {
		t.Errorf("policy %q", policy)
	}
	r := b.chooses(at, url.Values{"mvpd": {"cable"}})
	if r.StatusCode != http.StatusSeeOther || !strings.Contains(r.Header.Get("Location"), "/sandbox/acme/cable/login") {
		t.Fatalf("a choice: %d %s", r.StatusCode, headings(r))
	}
	end, last := b.follow(b.callback(r.Header.Get("Location"), "ada"), nil)
	a.same("the browser ends", end, at)
	b.expectPage("the end", last, 200, "You're done")
	a.same("found", a.found("tv"), found{"cable": "regular"})
	again, _ := b.typed(code)
	b.expectPage("the code again in the same browser", b.visit(again, nil), 200, "You're done")
}

// TestAppsMayKnowMore: with an MVPD there is no choice, and with a URL the browser ends there.
func TestAppsMayKnowMore(t *testing.T) {
	a := start(t, realms)
	b := a.browser()
	code := a.begin("tv", "verification=true&mvpd=plain").Text("code")
	at := b.opened(code)
	page := b.visit(at, nil)
	b.expectPage("one MVPD", page, 200, "Sign in with your TV provider")
	if !strings.Contains(string(page.Raw), ">Continue with plain</button>") {
		t.Errorf("the page is %s", page.Raw)
	}
	if r := b.chooses(at, url.Values{"mvpd": {"cable"}}); !strings.Contains(r.Header.Get("Location"), "/sandbox/acme/plain/login") {
		t.Errorf("another than the app's: %d %s", r.StatusCode, r.Header.Get("Location"))
	}
	code = a.begin("tv", "verification=true&redirectUrl="+url.QueryEscape(home)).Text("code")
	r := b.chooses(b.opened(code), url.Values{"mvpd": {"cable"}})
	end, _ := b.follow(b.callback(r.Header.Get("Location"), "ada"), nil)
	a.same("with a URL the browser ends", end, home)
	code = a.begin("tablet", "redirectUrl="+url.QueryEscape(home)).Text("code")
	r = b.chooses(b.opened(code), url.Values{"mvpd": {"cable"}})
	end, _ = b.follow(r.Header.Get("Location"), url.Values{"cancel": {"yes"}})
	a.same("with a URL a cancelled login ends", end, home+"?error=access_denied")
}

// TestHowCodesAreTyped: as they are read off a screen, on any keyboard.
func TestHowCodesAreTyped(t *testing.T) {
	a := start(t, realms)
	code, _ := a.tv()
	b := a.browser()
	for _, typed := range []string{
		code, strings.ToLower(code), code[:3] + " " + code[3:], " " + code[:3] + "-" + code[3:] + "\n", "\u201c" + code + "\u201d",
		strings.Map(func(r rune) rune { return r + 0xfee0 }, code), // full-width
	} {
		if at, r := b.typed(typed); !strings.Contains(at, "/"+code+"?") {
			t.Errorf("%q: %d %s", typed, r.StatusCode, headings(r))
		}
		if r := b.visit("/activate/STREAM1?code="+url.QueryEscape(typed), nil); !strings.Contains(string(r.Raw), `value="`+code[:3]+" "+code[3:]+`"`) {
			t.Errorf("%q in the link is not in the field", typed)
		}
	}
	for _, typed := range []string{"", "x", "1234567", code + "2", "<script>", strings.Repeat("Z", 500)} {
		_, r := b.typed(typed)
		b.expectPage(fmt.Sprintf("%q", typed), r, 400, "This code is not valid")
		if r := b.visit("/activate/STREAM1?code="+url.QueryEscape(typed), nil); !strings.Contains(string(r.Raw), ` value="" `) {
			t.Errorf("%q in the link is in the field: %s", typed, r.Raw)
		}
	}
}

// TestPagesAfterTheEnd: the browser that saw a session open is told how it ended, with one
// thing to do about it. To any other the code is not valid, and to no browser does opening the
// page change anything.
func TestPagesAfterTheEnd(t *testing.T) {
	for name, tt := range map[string]struct {
		end   func(a *app, b *browser, code string)
		title string
	}{
		"expired":  {func(a *app, _ *browser, _ string) { a.node.Sleep(31 * time.Minute) }, "This code has expired"},
		"replaced": {func(a *app, _ *browser, _ string) { a.tv() }, "There is a newer code"},
		"used": {func(a *app, _ *browser, code string) {
			other := a.browser()
			r := other.chooses(other.opened(code), url.Values{"mvpd": {"cable"}})
			other.follow(other.callback(r.Header.Get("Location"), "ada"), nil)
		}, "Already signed in"},
		"declined": {func(_ *app, b *browser, code string) {
			r := b.chooses(b.opened(code), url.Values{"answer": {"decline"}})
			b.expectPage("decline", r, 200, "The login has ended")
			expectOneAction(b, r)
		}, "The login has ended"},
		"forgotten": {func(a *app, _ *browser, _ string) { a.node.Sleep(2 * time.Hour) }, "This code has expired"},
	} {
		t.Run(name, func(t *testing.T) {
			a := start(t, realms)
			code, _ := a.tv()
			b := a.browser()
			at := b.opened(code)
			for range 3 {
				b.expectPage("before", b.visit(at, nil), 200, "Choose your TV provider")
			}
			waiting := url.Values{"token": {token(b.visit(at, nil))}, "mvpd": {"cable"}}
			tt.end(a, b, code)
			r := b.visit(at, nil)
			b.expectPage("after", r, 200, tt.title)
			expectOneAction(b, r)
			b.expectPage("a choice on a page that was open", b.visit(at, waiting), 200, tt.title)
			for who, b := range map[string]*browser{"a stranger": a.browser(), "the browser": b} {
				_, r := b.typed(code)
				b.expectPage(who+" types it", r, 400, "This code is not valid")
			}
			stranger := a.browser().visit(at, nil)
			a.same("a stranger at the address", stranger.Header.Get("Location"), a.node.Settings.Config().PublicURL+"/activate/STREAM1?code="+code)
		})
	}
}

var actions = regexp.MustCompile(`<a |<button`)

func expectOneAction(b *browser, r fronttest.Answer) {
	b.Helper()
	if n := len(actions.FindAll(r.Raw, -1)); n != 1 {
		b.Errorf("the page has %d actions: %s", n, r.Raw)
	}
}

// TestALoginThatIsNotMade: the viewer is told whether they cancelled it or the provider
// failed, and tries again with the same code.
func TestALoginThatIsNotMade(t *testing.T) {
	a := start(t, realms)
	code, _ := a.tv()
	b := a.browser()
	at := b.opened(code)
	for title, answer := range map[string]url.Values{"You cancelled the login": {"cancel": {"yes"}}, "The login did not work": {"viewer": {"leo"}}} {
		r := b.chooses(at, url.Values{"mvpd": {"cable"}})
		_, r = b.follow(r.Header.Get("Location"), answer)
		b.expectPage("the end", r, 200, title)
		expectOneAction(b, r)
		if !strings.Contains(string(r.Raw), `href="`+at+`"`) {
			t.Errorf("%s: the way back is not %s: %s", title, at, r.Raw)
		}
	}
	b.expectPage("once more", b.visit(at, nil), 200, "Choose your TV provider")
}

// TestWhoseDeviceOnThePage: in another network the viewer is asked after the choice.
func TestWhoseDeviceOnThePage(t *testing.T) {
	a := start(t, realms)
	code, _ := a.tv("X-Forwarded-For", "192.0.2.1")
	b := a.browserAt("198.51.100.7")
	at := b.opened(code)
	r := b.chooses(at, url.Values{"mvpd": {"cable"}})
	ask := r.Header.Get("Location")
	page := b.visit(ask, nil)
	b.expectPage("in another network", page, 200, "Is this your device?")
	for _, want := range []string{"<bdi>cable</bdi>", "<bdi>STREAM1</bdi>", "TV, Samsung QX-55", code[:3] + " " + code[3:]} {
		if !strings.Contains(string(page.Raw), want) {
			t.Errorf("the question does not have %q", want)
		}
	}
	r = b.visit(at, url.Values{"token": {token(page)}, "mvpd": {"cable"}, "answer": {"continue"}})
	if !strings.Contains(r.Header.Get("Location"), "/sandbox/acme/cable/login") {
		t.Errorf("continue: %d %s", r.StatusCode, headings(r))
	}
	b.expectPage("an MVPD that is not there", b.visit(at+"&mvpd=closed", nil), 200, "Choose your TV provider")
	r = b.visit(at, url.Values{"token": {token(page)}, "mvpd": {"cable"}, "answer": {"decline"}})
	b.expectPage("decline", r, 200, "The login has ended")
	b.expectPage("after it", b.visit(at, nil), 200, "The login has ended")
}

// TestNobodyTypesForAViewer: a form counts from the browser that it was made for.
func TestNobodyTypesForAViewer(t *testing.T) {
	a := start(t, realms)
	code, _ := a.tv()
	b, stranger := a.browser(), a.browser()
	at := b.opened(code)
	theirs := token(stranger.visit("/activate/STREAM1", nil))
	for name, given := range map[string]string{"none": "", "a stranger's": theirs, "another service provider's": token(b.visit("/activate/STREAM2", nil))} {
		r := b.visit("/activate/STREAM1", url.Values{"token": {given}, "code": {code}})
		b.expectPage("token: "+name, r, 400, "Connect your TV")
		r = b.visit(at, url.Values{"token": {given}, "mvpd": {"cable"}})
		a.same("token: "+name, r.Header.Get("Location"), a.node.Settings.Config().PublicURL+"/activate/STREAM1?code="+code)
	}
	bare, again := a.browser().follow("/activate/STREAM1", url.Values{"token": {theirs}, "code": {code}})
	stranger.expectPage("a browser without cookies", again, 400, "Connect your TV")
	if !strings.HasSuffix(bare, "?code="+code+"&stale=") || !strings.Contains(string(again.Raw), "your browser does not keep cookies") {
		t.Errorf("a browser without cookies is at %s: %s", bare, again.Raw)
	}
	// The address alone is no way in.
	_, query, _ := strings.Cut(at, "?")
	if r := stranger.visit("/activate/STREAM1/"+code+"?"+query, nil); r.StatusCode != http.StatusFound {
		t.Errorf("a stranger with the address: %d", r.StatusCode)
	}
	other, _ := a.at("STREAM2").tv()
	if r := b.visit("/activate/STREAM2/"+other+"?"+query, nil); r.StatusCode != http.StatusFound {
		t.Errorf("another session with the proof of the first: %d", r.StatusCode)
	}
	for path, want := range map[string]int{"/activate/nobody": 400, "/activate/v2": 404, "/activate/STREAM1/x": 400, "/activate/STREAM1/" + code + "/x": 404} {
		if r := b.visit(path, nil); r.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, r.StatusCode, want)
		}
	}
}

// TestTypingRunsOutOfGuesses on the budget of codes in paths, and a viewer who has opened a
// code goes on.
func TestTypingRunsOutOfGuesses(t *testing.T) {
	a := start(t, realms)
	code, _ := a.tv("X-Forwarded-For", "192.0.2.1")
	b := a.browserAt("192.0.2.1")
	at := b.opened(code)
	for i := range 60 {
		if _, r := b.typed(nobodys(i)); r.StatusCode != http.StatusBadRequest {
			t.Fatalf("guess %d: %d", i, r.StatusCode)
		}
	}
	for name, code := range map[string]string{"a live code": code, "nobody's": nobodys(100)} {
		_, r := b.typed(code)
		b.expectPage(name, r, 429, "Too many requests")
		if r.Header.Get("Refresh") == "" {
			t.Error("the page does not load again by itself")
		}
	}
	if r := a.do(a.call("GET", "sessions/"+code, "", "X-Forwarded-For", "192.0.2.1")); r.StatusCode != http.StatusTooManyRequests {
		t.Errorf("the API: %d", r.StatusCode)
	}
	b.expectPage("a session that is open", b.visit(at, nil), 200, "Choose your TV provider")
	if _, r := a.browserAt("192.0.2.9").typed(code); r.StatusCode != http.StatusSeeOther {
		t.Errorf("a neighbour: %d", r.StatusCode)
	}
}

// TestManyProviders are searched, without script.
func TestManyProviders(t *testing.T) {
	var many strings.Builder
	for i := range 60 {
		fmt.Fprintf(&many, "      - {id: tv%d, displayName: \"Télé %d\", kind: sandbox}\n", i, i)
	}
	a := start(t, strings.Replace(realms, "    mvpds:\n      - {id: cable,", "    mvpds:\n"+many.String()+"      - {id: cable,", 1))
	code, _ := a.tv()
	b := a.browser()
	at := b.opened(code)
	count := func(query string) (int, string) {
		r := b.visit(at+"&q="+url.QueryEscape(query), nil)
		return strings.Count(string(r.Raw), `name="mvpd"`), string(r.Raw)
	}
	for query, want := range map[string]int{"": 24, "tele 5": 11, "TÉLÉ-59": 1, "cable": 1, "<q>": 0, "nobody": 0} {
		n, html := count(query)
		if n != want || !strings.Contains(html, `role="search"`) || strings.Contains(html, "There are more") != (n == 24) || strings.Contains(html, "No provider matches") != (n == 0) {
			t.Errorf("%q: %d providers, want %d", query, n, want)
		}
		if strings.Contains(html, "Show all") != (query != "") || strings.Contains(html, "<q>") {
			t.Errorf("%q: the way back to all is there, or markup: %v", query, strings.Contains(html, "Show all"))
		}
	}
}

// TestBrandsAreChosen where a viewer came without a link, and the code goes along.
func TestBrandsAreChosen(t *testing.T) {
	a := start(t, strings.Replace(realms, "{id: STREAM1,", `{id: STREAM1, displayName: Stream & One, logoUrl: "https://logos.example/1.svg", color: "#7a1f5c",`, 1))
	b := a.browser()
	r := b.visit("/activate?code=8er-64hm", nil)
	b.expectPage("all brands", r, 200, "What do you want to watch?")
	base := a.node.Settings.Config().PublicURL + "/activate/"
	for _, want := range []string{`href="` + base + `STREAM1?code=8ER64HM"`, `href="` + base + `RIVAL1?code=8ER64HM"`, "Stream &amp; One", `src="https://logos.example/1.svg"`} {
		if !strings.Contains(string(r.Raw), want) {
			t.Errorf("the page does not have %q: %s", want, r.Raw)
		}
	}
	branded := b.visit("/activate/STREAM1", nil)
	for _, want := range []string{`alt="Stream &amp; One"`, "#7a1f5c"} {
		if !strings.Contains(string(branded.Raw), want) {
			t.Errorf("the page of a brand does not have %q", want)
		}
	}
	if policy := branded.Header.Get("Content-Security-Policy"); !strings.HasSuffix(policy, "; img-src https://logos.example") {
		t.Errorf("policy %q", policy)
	}
}

// TestBrandsThatAreNotListed have a page that only those find who know it.
func TestBrandsThatAreNotListed(t *testing.T) {
	a := start(t, strings.NewReplacer("{id: STREAM2,", "{id: STREAM2, listed: false,", "[RIVAL1]", "[{id: RIVAL1, listed: false}]").Replace(realms))
	b := a.browser()
	r := b.visit("/activate", nil)
	b.expectPage("the brands", r, 200, "What do you want to watch?")
	for sp, listed := range map[string]bool{"STREAM1": true, "ALONE": true, "STREAM2": false, "RIVAL1": false} {
		if got := strings.Contains(string(r.Raw), sp); got != listed {
			t.Errorf("%s is listed: %v, want %v", sp, got, listed)
		}
		b.expectPage("the page of "+sp, b.visit("/activate/"+sp, nil), 200, "Connect your TV")
	}
}

func TestNoBrandIsListed(t *testing.T) {
	n := fronttest.Start(t, fronttest.Options{Config: "realms: [{id: acme, serviceProviders: [{id: STREAM1, listed: false}]}]"})
	a := &app{t, n, "", "STREAM1"}
	b := a.browser()
	b.expectPage("the brands", b.visit("/activate", nil), 404, "There is no such page")
	b.expectPage("the page of one", b.visit("/activate/STREAM1", nil), 200, "Connect your TV")
}

func TestTheOnlyBrandIsNotChosen(t *testing.T) {
	n := fronttest.Start(t, fronttest.Options{Config: "realms: [{id: acme, serviceProviders: [STREAM1]}]"})
	a := &app{t, n, "", "STREAM1"}
	r := a.browser().visit("/activate?code=8ER64HM", nil)
	if want := n.Settings.Config().PublicURL + "/activate/STREAM1?code=8ER64HM"; r.StatusCode != http.StatusFound || r.Header.Get("Location") != want {
		t.Errorf("got %d %s, want %s", r.StatusCode, r.Header.Get("Location"), want)
	}
}

// TestPagesSpeakTheViewersLanguage, those of errors too.
func TestPagesSpeakTheViewersLanguage(t *testing.T) {
	a := start(t, asking("always"))
	code := a.code("phone", "cable")
	for _, lang := range []string{"en", "de", "es", "fr"} {
		words := texts.For([]byte(lang))
		for path, title := range map[string]string{
			"/activate": words.Brands.Title, "/activate/STREAM1": words.Enter.Title, "/api/v2/authenticate/STREAM1/" + code: words.Question.Title,
			"/activate/nobody": words.Problems.Link.Title, "/activate/a/b/c": words.Problems.Page.Title,
		} {
			c := fronttest.Call{Method: "GET", Path: path}
			r := a.do(c.With("Accept-Language", lang+"-XX,it;q=0.5"))
			for _, want := range []string{`<html lang="` + lang + `">`, "<h1>" + title + "</h1>"} {
				if !strings.Contains(string(r.Raw), want) {
					t.Errorf("%s in %s does not have %q: %s", path, lang, want, headings(r))
				}
			}
		}
	}
}
