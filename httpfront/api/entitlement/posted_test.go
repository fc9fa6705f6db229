package entitlement_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ssod/actors/answer"
	"ssod/httpfront/api/entitlement"
	"ssod/httpfront/config"
	"ssod/httpfront/fronttest"
	"ssod/httpfront/mvpd"
)

// poster is a TV provider that posts its answers from its own site, and ends logins itself.
// What it says is not signed: a form or a logout token is what it looks like.
type poster struct{ now func() time.Time }

func (p *poster) Begin(_ context.Context, l mvpd.Login) (mvpd.Step, error) {
	return mvpd.Step{URL: "https://idp.example/?state=" + url.QueryEscape(l.State)}, nil
}

func (p *poster) Receive(_ context.Context, form url.Values) (mvpd.Answer, error) {
	switch form.Get("viewer") {
	case "forged":
		return mvpd.Answer{}, &mvpd.LoginError{Code: mvpd.InvalidRequest, Cause: errors.New("no such signature")}
	case "unreachable":
		return mvpd.Answer{}, errors.New("no keys")
	}
	a := mvpd.Answer{State: form.Get("state"), Values: form, Once: []mvpd.Once{{ID: form.Get("id"), Until: p.now().Add(time.Minute)}}}
	if other := form.Get("really"); other != "" {
		a.State = other
	}
	return a, nil
}

func (p *poster) Complete(_ context.Context, _ mvpd.Login, values url.Values) (mvpd.Identity, error) {
	who := mvpd.Identity{Subject: values.Get("viewer"), Session: values.Get("sid"), Issued: p.now()}
	if ms, err := strconv.ParseInt(values.Get("issued"), 10, 64); err == nil {
		who.Issued = time.UnixMilli(ms)
	}
	return who, nil
}

func (p *poster) Decide(_ context.Context, q mvpd.Question) ([]mvpd.Decision, error) {
	return make([]mvpd.Decision, len(q.Resources)), nil
}

func (p *poster) Logout(context.Context, mvpd.Logout) (mvpd.Step, error) { return mvpd.Step{}, nil }

func (p *poster) LogoutToken(_ context.Context, token string) (mvpd.End, error) {
	encoded, _, _ := strings.Cut(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(encoded)
	said, _ := url.ParseQuery(string(text))
	if err != nil || said.Get("sub")+said.Get("sid") == "" {
		return mvpd.End{}, &mvpd.LoginError{Code: mvpd.InvalidRequest, Cause: errors.New("no logout token")}
	}
	e := mvpd.End{Subject: said.Get("sub"), Issued: p.now(), Once: mvpd.Once{ID: said.Get("jti"), Until: p.now().Add(time.Minute)}}
	if sid := said.Get("sid"); sid != "" {
		e.Sessions = []string{sid}
	}
	return e, nil
}

// posting is a service provider's app whose MVPDs cable and sat are posters.
type posting struct {
	*app
	level  atomic.Int64
	hidden atomic.Int64 // how often no MVPD is found from now on
	warned warned
	serial int
}

// warned counts the warnings in a log.
type warned struct {
	atomic.Int64
}

func (w *warned) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }
func (w *warned) Handle(context.Context, slog.Record) error    { w.Add(1); return nil }
func (w *warned) WithAttrs([]slog.Attr) slog.Handler           { return w }
func (w *warned) WithGroup(string) slog.Handler                { return w }

// hiding are providers that are not found now and then, as while their files are replaced.
type hiding struct {
	*mvpd.Registry
	times *atomic.Int64
}

func (h hiding) Find(cfg *config.Config, realm *config.Realm, serviceProvider, id string) (*mvpd.Provider, error) {
	if h.times.Load() > 0 {
		h.times.Add(-1)
		return nil, mvpd.ErrInactive
	}
	return h.Registry.Find(cfg, realm, serviceProvider, id)
}

func startPosting(t *testing.T) *posting {
	t.Helper()
	t.Parallel()
	p := &posting{}
	p.level.Store(2)
	by := &poster{now: time.Now}
	makers := map[string]mvpd.Maker{"oidc": func(*config.Config, *config.Realm, *config.MVPD) (mvpd.Connector, error) { return by, nil }}
	p.app = startWith(t, `
throttle: {enabled: false}
realms:
  - id: acme
    serviceProviders: [{id: STREAM1, domains: [stream.example]}]
    session: {confirm: never}
    mvpds:
      - {id: cable, kind: oidc, issuer: "https://idp.example", clientId: ssod}
      - {id: sat, kind: oidc, issuer: "https://sat.example", clientId: ssod}
`, func(o *entitlement.Options) {
		o.Providers = hiding{mvpd.NewRegistry(makers, slog.New(&p.warned)), &p.hidden}
		o.Level = func() int { return int(p.level.Load()) }
	})
	by.now = p.node.Now
	return p
}

// sent begins a session, and opens it in a browser, which the MVPD sends back with a state.
func (p *posting) sent(device, mvpd string, header ...string) (b *browser, state string) {
	p.Helper()
	b = p.browser()
	at, r := b.follow("/api/v2/authenticate/STREAM1/"+p.code(device, mvpd, header...), nil)
	_, escaped, ok := strings.Cut(at, "state=")
	state, err := url.QueryUnescape(escaped)
	if !ok || err != nil {
		p.Fatalf("the browser is at %s: %d %s", at, r.StatusCode, r.Raw)
	}
	return b, state
}

// answers is a form of the MVPD with an id of its own.
func (p *posting) answers(state, viewer string, more ...string) url.Values {
	p.serial++
	form := url.Values{"state": {state}, "viewer": {viewer}, "id": {fmt.Sprint("_", p.serial)}}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return form
}

// post posts a form across sites: without the cookie.
func (p *posting) post(form url.Values) fronttest.Answer {
	p.Helper()
	return p.browser().visit("/api/v2/authenticate/callback", form)
}

// stored posts a form that counts, and returns where the browser is sent.
func (p *posting) stored(form url.Values) string {
	p.Helper()
	r := p.post(form)
	if r.StatusCode != http.StatusSeeOther {
		p.Fatalf("posted: %d %s", r.StatusCode, r.Raw)
	}
	return r.Header.Get("Location")
}

// in is a whole login.
func (p *posting) in(device, viewer string, more ...string) {
	p.Helper()
	b, state := p.sent(device, "cable")
	if end, r := b.follow(p.stored(p.answers(state, viewer, more...)), nil); end != home {
		p.Fatalf("the browser ended at %s: %d", end, r.StatusCode)
	}
}

// TestAPostedAnswer is judged without the cookie, and completes the login of the browser
// that has it, once; whatever else comes is refused with a page and leaves the login open.
func TestAPostedAnswer(t *testing.T) {
	p := startPosting(t)
	b, state := p.sent("phone", "cable")
	_, foreign := p.sent("tv", "sat")
	other, otherState := p.sent("tablet", "cable")
	form := p.answers(state, "ada")
	at := p.stored(form)

	pages := map[string]struct {
		got  fronttest.Answer
		want int
	}{
		"the same answer again":            {p.post(form), http.StatusBadRequest},
		"a forged answer":                  {p.post(p.answers(state, "forged")), http.StatusBadRequest},
		"an answer that cannot be judged":  {p.post(p.answers(state, "unreachable")), http.StatusServiceUnavailable},
		"an answer of another MVPD":        {p.post(p.answers(state, "ada", "really", foreign)), http.StatusBadRequest},
		"no state":                         {p.post(p.answers("", "ada")), http.StatusBadRequest},
		"a state that is none":             {p.post(p.answers("STREAM1.x.cable.y.z", "ada")), http.StatusBadRequest},
		"a state that nobody was given":    {p.post(p.answers(madeUp(state), "ada")), http.StatusBadRequest},
		"without the cookie":               {p.browser().visit(at, nil), http.StatusBadRequest},
		"another browser":                  {other.visit(at, nil), http.StatusBadRequest},
		"the state alone":                  {b.visit("/api/v2/authenticate/callback?state="+url.QueryEscape(state), nil), http.StatusBadRequest},
		"what a browser brings itself":     {b.visit("/api/v2/authenticate/callback?state="+url.QueryEscape(state)+"&viewer=eve", nil), http.StatusBadRequest},
		"another login with this answer":   {other.visit(strings.Replace(at, url.QueryEscape(state), url.QueryEscape(otherState), 1), nil), http.StatusBadRequest},
		"a parameter twice":                {p.raw("state=a&state=b", "application/x-www-form-urlencoded"), http.StatusBadRequest},
		"no form":                          {p.raw(form.Encode(), "application/json"), http.StatusBadRequest},
		"an answer that is far too large":  {p.post(p.answers(state, strings.Repeat("a", 70<<10))), http.StatusBadRequest},
		"an answer over the bound of ours": {p.post(p.answers(state, strings.Repeat("a", mvpd.MaxAnswer))), http.StatusInternalServerError},
	}
	for name, page := range pages {
		if page.got.StatusCode != page.want || !strings.HasPrefix(page.got.Header.Get("Content-Type"), "text/html") {
			t.Errorf("%s: %d %s, want a page with %d", name, page.got.StatusCode, page.got.Raw, page.want)
		}
	}
	if end, r := b.follow(at, nil); end != home {
		t.Fatalf("the browser ended at %s: %d", end, r.StatusCode)
	}
	if got := p.found("phone")["cable"]; got != "regular" {
		t.Errorf("the phone finds %q", got)
	}
	if end, _ := b.follow(at, nil); end != home {
		t.Errorf("the browser comes twice and ends at %s", end)
	}
	late := p.stored(p.answers(otherState, "ada"))
	p.node.Sleep(answer.TTL)
	if r := other.visit(late, nil); r.StatusCode != http.StatusBadRequest {
		t.Errorf("too late: %d", r.StatusCode)
	}
	if got := p.found("tablet"); len(got) != 0 {
		t.Errorf("the tablet finds %v", got)
	}
}

// madeUp is a state like another one, for a tab of its own.
func madeUp(state string) string {
	parts := strings.Split(state, ".")
	parts[3] = strings.Repeat("A", len(parts[3]))
	return strings.Join(parts, ".")
}

// raw posts a body of some type.
func (p *posting) raw(body, contentType string) fronttest.Answer {
	p.Helper()
	c := fronttest.Call{Method: "POST", Path: "/api/v2/authenticate/callback", Body: body}
	return p.do(c.With("Content-Type", contentType))
}

// TestABrowserIsNeverBelieved about what an MVPD said that posts its answers, not even while
// the MVPD cannot be found: it may be there again a moment later.
func TestABrowserIsNeverBelieved(t *testing.T) {
	p := startPosting(t)
	b, state := p.sent("phone", "cable")
	p.hidden.Store(1)
	at := "/api/v2/authenticate/callback?state=" + url.QueryEscape(state) + "&viewer=eve"
	if end, r := b.follow(at, nil); end != home+"?error=server_error" {
		t.Errorf("the browser ended at %s: %d", end, r.StatusCode)
	}
	if got := p.found("phone"); len(got) != 0 {
		t.Errorf("the phone finds %v", got)
	}
}

// TestPostedAnswersNeedALevel of the format: a viewer is told before logging in.
func TestPostedAnswersNeedALevel(t *testing.T) {
	p := startPosting(t)
	_, state := p.sent("phone", "cable")
	p.level.Store(1)
	b := p.browser()
	end, _ := b.follow("/api/v2/authenticate/STREAM1/"+p.code("tv", "cable"), nil)
	if end != home+"?error=temporarily_unavailable" {
		t.Errorf("the browser ended at %s", end)
	}
	p.level.Store(2)
	b, _ = p.sent("tv", "cable")
	if p.stored(p.answers(state, "ada")); b == nil {
		t.Error("no browser")
	}
}

// says sends a logout token, which has the form of one.
func (p *posting) says(path, token string) fronttest.Answer {
	p.Helper()
	c := fronttest.Call{Method: "POST", Path: "/api/v2/logout/backchannel/" + path}
	if token != "" {
		c.Body = url.Values{"logout_token": {base64.RawURLEncoding.EncodeToString([]byte(token)) + ".no.signature"}}.Encode()
	}
	return p.do(c.With("Content-Type", "application/x-www-form-urlencoded"))
}

// expectFound checks which devices have a login.
func (p *posting) expectFound(when string, want map[string]bool) {
	p.Helper()
	for device, in := range want {
		if got := len(p.found(device)) > 0; got != in {
			p.Errorf("%s: %s has a login: %v, want %v", when, device, got, in)
		}
	}
}

// TestAProviderEndsLogins: those of a session or of a subject, on every device, when it
// has answered; not those of others, and none that was made since.
func TestAProviderEndsLogins(t *testing.T) {
	p := startPosting(t)
	p.in("phone", "ada", "sid", "s1")
	p.in("tv", "ada", "sid", "s2")
	p.in("tablet", "ada")
	p.in("console", "bob", "sid", "s3")
	ok := func(token string) {
		t.Helper()
		p.node.Sleep(time.Second)
		if r := p.says("acme/cable", token); r.StatusCode != http.StatusOK || len(r.Raw) > 0 || r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s", token, r.StatusCode, r.Raw)
		}
		p.node.Sleep(time.Second)
	}
	ok("sid=s1&jti=1")
	p.expectFound("a session ended", map[string]bool{"phone": false, "tv": true, "tablet": true, "console": true})
	ok("sub=ada&jti=2")
	p.expectFound("a subject logged out", map[string]bool{"phone": false, "tv": false, "tablet": false, "console": true})
	p.in("phone", "ada", "sid", "s4")
	if r := p.says("acme/cable", "sub=ada&jti=2"); r.StatusCode != http.StatusBadRequest || r.Text("error") != "invalid_request" {
		t.Errorf("a token again: %d %s", r.StatusCode, r.Raw)
	}
	ok("sub=nobody&jti=3")
	if r := p.says("acme/sat", "sub=bob&jti=2"); r.StatusCode != http.StatusOK {
		t.Errorf("at another provider: %d %s", r.StatusCode, r.Raw)
	}
	p.expectFound("others", map[string]bool{"console": true})
}

// TestALogoutThatOvertakesItsLogin ends it as it arrives; one that was issued later lives.
func TestALogoutThatOvertakesItsLogin(t *testing.T) {
	p := startPosting(t)
	issued := fmt.Sprint(p.node.Now().UnixMilli())
	p.node.Sleep(time.Second)
	if r := p.says("acme/cable", "sub=ada&sid=s1&jti=1"); r.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", r.StatusCode, r.Raw)
	}
	p.node.Sleep(9 * time.Minute)
	p.in("phone", "ada", "sid", "s1", "issued", issued)
	p.in("tv", "ada", "sid", "s1")
	p.expectFound("afterwards", map[string]bool{"phone": false, "tv": true})
}

// TestNonsenseDoesNotFillTheLog: what anybody can post is refused each time, and told of ten
// times a minute.
func TestNonsenseDoesNotFillTheLog(t *testing.T) {
	p := startPosting(t)
	_, state := p.sent("phone", "cable")
	began := time.Now()
	for range 15 {
		if r := p.says("acme/cable", "nonsense"); r.StatusCode != http.StatusBadRequest {
			t.Fatalf("a logout: %d", r.StatusCode)
		}
		if r := p.post(p.answers(state, "forged")); r.StatusCode != http.StatusBadRequest {
			t.Fatalf("an answer: %d", r.StatusCode)
		}
	}
	minutes := int64(time.Since(began)/time.Minute) + 1
	if got := p.warned.Load(); got < 10 || got > 10*minutes {
		t.Errorf("30 requests left %d lines, want 10 for each of %d minutes at most", got, minutes)
	}
}

// TestLogoutsThatDoNotCount are refused as the specification says.
func TestLogoutsThatDoNotCount(t *testing.T) {
	p := startPosting(t)
	p.in("phone", "ada")
	for name, tt := range map[string]struct {
		got    fronttest.Answer
		status int
		code   string
	}{
		"no token that counts": {p.says("acme/cable", "jti=1"), http.StatusBadRequest, "invalid_request"},
		"no token":             {p.says("acme/cable", ""), http.StatusBadRequest, "invalid_request"},
		"no id":                {p.says("acme/cable", "sub=eve"), http.StatusBadRequest, "server_error"},
		"no such realm":        {p.says("other/cable", "sub=ada&jti=1"), http.StatusNotFound, "not_found"},
		"no such provider":     {p.says("acme/dish", "sub=ada&jti=1"), http.StatusNotFound, "not_found"},
		"a GET":                {p.do(fronttest.Call{Method: "GET", Path: "/api/v2/logout/backchannel/acme/cable"}), http.StatusMethodNotAllowed, "method_not_allowed"},
	} {
		if tt.got.StatusCode != tt.status || tt.got.Text("error") != tt.code {
			t.Errorf("%s: %d %s, want %d %s", name, tt.got.StatusCode, tt.got.Raw, tt.status, tt.code)
		}
	}
	p.expectFound("afterwards", map[string]bool{"phone": true})
}
