package httpfront

import (
	"net/netip"
	"testing"

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
		o.Handlers.V2 = V2{ProfileByCode: echo, Authenticate: echo}
	})
	const (
		poll  = "/api/v2/tv/profiles/code/ABCDEFG"
		login = "/api/v2/authenticate/tv/ABCDEFG"
	)
	get := func(path, address string) answer { return ask(t, s, "GET", path, "X-Forwarded-For", address) }
	for range 6 {
		get(poll, "192.0.2.1")
	}
	if a := get(poll, "192.0.2.1"); a.status != 429 || a.header.Get("Refresh") != "" {
		t.Errorf("one poll too many: %d, Refresh %q", a.status, a.header.Get("Refresh"))
	}
	for i := range 6 {
		if a := get(login, "192.0.2.1"); a.status != 200 {
			t.Fatalf("page %d of a household whose TVs poll: %d", i, a.status)
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
