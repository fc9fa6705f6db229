package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"

	"ssod/cmd/internal/e2e/examples"
	"ssod/httpfront/fronttest/openapitest"
)

// browser is a viewer's browser: it keeps cookies and is told where to go.
type browser struct {
	*node
	client  *http.Client
	address string // as of a device
}

// publicURL is what a configuration may call the service when its address
// changes; browsers find it wherever it is.
const publicURL = "http://sso.internal"

func (n *node) newBrowser() *browser {
	n.Helper()
	jar, err := cookiejar.New(nil)
	must(n, err)
	return &browser{node: n, client: &http.Client{
		Jar: jar, Transport: n.client.Transport, Timeout: n.client.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// beside puts the browser into the network of a device.
func (b *browser) beside(d *device) *browser {
	b.address = d.address
	return b
}

// visit opens an address, with a form if there is one. Answers of the service are as
// the OpenAPI document says.
func (b *browser) visit(ctx context.Context, address string, form url.Values) (examples.Answer, error) {
	path, public := strings.CutPrefix(address, publicURL)
	foreign := !public && !strings.HasPrefix(address, "http://"+b.HTTP+"/")
	if public {
		address = "http://" + b.at().HTTP + path
	}
	method, body := http.MethodGet, ""
	if form != nil {
		method, body = http.MethodPost, form.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return examples.Answer{}, err
	}
	request.Header.Set("User-Agent", "Mozilla/5.0")
	if b.address != "" {
		request.Header.Set("X-Forwarded-For", b.address)
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := b.client.Do(request)
	if err != nil {
		return examples.Answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return examples.Answer{}, err
	}
	if err := openapitest.Validate(request, []byte(body), response, text); err != nil && !foreign {
		b.Errorf("%s %s was answered %s: %v", method, request.URL.Path, response.Status, err)
	}
	return examples.Answer{Status: response.StatusCode, Headers: response.Header, Body: text}, nil
}

// follow opens an address and goes where it is sent, as long as that is on the
// service. It returns where it ends: an address elsewhere, or its own with the
// answer.
func (b *browser) follow(ctx context.Context, address string, form url.Values) (string, examples.Answer, error) {
	for range 10 {
		a, err := b.visit(ctx, address, form)
		if err != nil || a.Status/100 != 3 {
			return address, a, err
		}
		address, form = a.Headers.Get("Location"), nil
		if !strings.HasPrefix(address, "http://"+b.HTTP+"/") && !strings.HasPrefix(address, publicURL+"/") {
			return address, a, nil
		}
	}
	return address, examples.Answer{}, errors.New("a circle of redirects")
}

// open opens the login of a code and returns the address of the sandbox's login
// page.
func (b *browser) open(ctx context.Context, provider, code string) (string, error) {
	at, a, err := b.follow(ctx, publicURL+"/api/v2/authenticate/"+provider+"/"+code, nil)
	if err == nil && (a.Status != http.StatusOK || !strings.Contains(at, "/sandbox/")) {
		err = fmt.Errorf("%w: open the login: %d %s at %s", errStatus, a.Status, a.Body, at)
	}
	return at, err
}

// login opens the login of a code, chooses a viewer and returns where the
// browser ends.
func (b *browser) login(ctx context.Context, provider, code, viewer string) (string, error) {
	at, err := b.open(ctx, provider, code)
	if err != nil {
		return "", err
	}
	at, a, err := b.follow(ctx, at, url.Values{"viewer": {viewer}})
	if err == nil && a.Status/100 != 3 {
		err = fmt.Errorf("%w: choose a viewer: %d %s at %s", errStatus, a.Status, a.Body, at)
	}
	return at, err
}

// home is where the cases send browsers after a login.
const home = "https://stream.example/done"

// begun is what a call to begin a session answers.
type begun struct {
	ActionName string `json:"actionName"`
	ReasonType string `json:"reasonType"`
	Code       string `json:"code"`
	URL        string `json:"url"`
	NotAfter   string `json:"notAfter"`
}

// begin begins a session; more are pairs of further headers.
func (a *app) begin(ctx context.Context, d *device, form url.Values, more ...string) (begun, error) {
	h := a.headers(d, more...)
	h["Content-Type"] = "application/x-www-form-urlencoded"
	answer, err := a.do(ctx, call{method: "POST", target: "/api/v2/" + a.provider + "/sessions", headers: h, body: []byte(form.Encode())})
	var s begun
	return s, want(answer, err, http.StatusOK, &s)
}

// whole are all parameters of a login at an MVPD.
func whole(mvpd string) url.Values {
	return url.Values{"mvpd": {mvpd}, "domainName": {"stream.example"}, "redirectUrl": {home}}
}

// logIn is a whole login of a device at an MVPD of kind sandbox.
func (a *app) logIn(ctx context.Context, d *device, mvpd, viewer string, more ...string) (code string, err error) {
	s, err := a.begin(ctx, d, whole(mvpd), more...)
	if err != nil {
		return "", err
	}
	if s.ActionName != "authenticate" {
		return "", fmt.Errorf("%w: action %s, want a login", errStatus, s.ActionName)
	}
	end, err := a.newBrowser().beside(d).login(ctx, a.provider, s.Code, viewer)
	if err == nil && end != home {
		err = fmt.Errorf("%w: the browser ended at %s", errStatus, end)
	}
	return s.Code, err
}

// v2 makes a call of the entitlement API for a device.
func (a *app) v2(ctx context.Context, method, path string, d *device, body string, more ...string) (examples.Answer, error) {
	h := a.headers(d, more...)
	if body != "" {
		h["Content-Type"] = "application/json"
	}
	return a.do(ctx, call{method: method, target: "/api/v2/" + a.provider + "/" + path, headers: h, body: []byte(body)})
}
