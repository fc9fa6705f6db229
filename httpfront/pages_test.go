package httpfront

import (
	"context"
	"net/netip"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"ssod/httpfront/api"
	"ssod/httpfront/config"
)

// TestPollingKeepsNobodyOut: the TVs of a household poll until they are refused,
// and a viewer behind the same address still gets the page of a login. One who
// opens too many is told when the browser tries again, and keeps no app out.
func TestPollingKeepsNobodyOut(t *testing.T) {
	cfg := testConfig()
	cfg.Throttle = config.Throttle{Enabled: true, Rate: 1e-6, Burst: 5, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	s := startTest(t, func(o *Options) {
		o.Settings = func() *config.Config { return cfg }
		o.Handlers.V2 = V2{ProfileByCode: echo, Authenticate: echo, Activate: echo, ActivateCode: echo, ActivateSession: echo, ActivateLogin: echo}
	})
	const (
		poll  = "/api/v2/tv/profiles/code/ABCDEFG"
		login = "/api/v2/authenticate/tv/ABCDEFG"
	)
	// activation is what a viewer's browser asks for in one login.
	activation := []struct{ method, path string }{
		{"GET", "/activate/tv"},
		{"POST", "/activate/tv"},
		{"GET", "/activate/tv/ABCDEFG"},
		{"POST", "/activate/tv/ABCDEFG"},
		{"GET", "/activate/tv/ABCDEFG"},
		{"GET", login},
	}
	get := func(path, address string) answer { return ask(t, s, "GET", path, "X-Forwarded-For", address) }
	for range 3 * 6 { // three TVs
		get(poll, "192.0.2.1")
	}
	if a := get(poll, "192.0.2.1"); a.status != 429 || a.header.Get("Refresh") != "" {
		t.Errorf("one poll too many: %d, Refresh %q", a.status, a.header.Get("Refresh"))
	}
	for _, page := range activation {
		if a := ask(t, s, page.method, page.path, "X-Forwarded-For", "192.0.2.1"); a.status != 200 {
			t.Fatalf("%s %s of a household whose TVs poll: %d", page.method, page.path, a.status)
		}
	}
	a := get(login, "192.0.2.1")
	if a.status != 429 || a.header.Get("Retry-After") != "1" || a.header.Get("Refresh") != "1" {
		t.Errorf("one page too many: %d, Retry-After %q, Refresh %q", a.status, a.header.Get("Retry-After"), a.header.Get("Refresh"))
	}
	for range 7 {
		get(login, "192.0.2.2")
	}
	if a := get(poll, "192.0.2.2"); a.status != 200 {
		t.Errorf("an app beside a browser that opens too many pages: %d", a.status)
	}
}

// TestAPageTellsAnError in its own words, and metrics count which one it was.
func TestAPageTellsAnError(t *testing.T) {
	registry := prometheus.NewRegistry()
	s := startTest(t, func(o *Options) {
		o.Metrics = registry
		o.Handlers.V2 = V2{ActivateCode: func(context.Context, *api.Request) (api.Response, error) {
			return api.Response{Status: 400, Code: "invalid_parameter_code"}, nil
		}}
	})
	if a := ask(t, s, "POST", "/activate/tv"); a.status != 400 {
		t.Errorf("answered %d", a.status)
	}
	if got := metric(t, registry, "ssod_http_requests_total", "activateCode", "400", "invalid_parameter_code"); got != 1 {
		t.Errorf("counted %v", got)
	}
}
