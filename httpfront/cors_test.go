package httpfront

import (
	"strings"
	"testing"

	"ssod/httpfront/config"
)

const webOrigin, appOrigin, otherOrigin = "https://tv.acme.example", "null", "https://tv.rival.example"

// twoRealms list an origin each, and one of packaged apps.
func twoRealms(o *Options) {
	cfg := testConfig()
	cfg.Realms[0].CORS.Origins = []string{webOrigin, appOrigin, "file://"}
	cfg.Realms = append(cfg.Realms, &config.Realm{
		ID: "rival", ServiceProviders: []config.ServiceProvider{{ID: "rival"}}, CORS: config.CORS{Origins: []string{otherOrigin}},
	})
	o.Settings = func() *config.Config { return cfg }
}

// TestCORSOfAWebPlayer: a player gets through all that it needs, from the
// registration to the key set, wherever its origin is listed; nobody else does.
func TestCORSOfAWebPlayer(t *testing.T) {
	s := startTest(t, twoRealms)
	shared := []string{"POST /o/client/register", "POST /o/client/token", "GET /.well-known/acme/jwks.json", "HEAD /.well-known/rival/jwks.json"}
	for _, tt := range []struct {
		origin  string
		allowed []string
		not     []string
	}{
		{webOrigin, append(shared, "POST /api/tv/serviceToken", "GET /api/tv/link/123456", "POST /api/tv/link/123456"), []string{"POST /api/rival/serviceToken"}},
		{appOrigin, append(shared, "POST /api/tv/serviceToken"), []string{"POST /api/rival/serviceToken"}},
		{"file://", append(shared, "POST /api/tv/serviceToken"), nil},
		{otherOrigin, append(shared, "POST /api/rival/serviceToken"), []string{"POST /api/tv/serviceToken"}},
		{"https://evil.example", nil, append(shared, "POST /api/tv/serviceToken", "GET /openapi.yaml", "GET /nowhere")},
		{"HTTPS://tv.acme.example", nil, shared},
		{"https://tv.acme.example:443", nil, shared},
		{"https://tv.acme.example/", nil, shared},
		{"*", nil, shared},
		{"", nil, shared},
	} {
		for _, call := range tt.allowed {
			checkCORS(t, s, call, tt.origin, true)
		}
		for _, call := range tt.not {
			checkCORS(t, s, call, tt.origin, false)
		}
	}
}

// checkCORS makes a call as a browser would, with its preflight.
func checkCORS(t *testing.T, s *Server, call, origin string, allowed bool) {
	t.Helper()
	method, path, _ := strings.Cut(call, " ")
	before := ask(t, s, "OPTIONS", path, "Origin", origin, "Access-Control-Request-Method", method, "Access-Control-Request-Headers", "content-type,authorization")
	after := ask(t, s, method, path, "Origin", origin)
	for name, a := range map[string]answer{"preflight": before, "answer": after} {
		if got := a.header.Get("Access-Control-Allow-Origin"); got != "" != allowed || allowed && got != origin {
			t.Errorf("%s of %s from %q: allowed for %q, want allowed %v", name, call, origin, got, allowed)
		}
		if a.header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s of %s from %q asks for cookies", name, call, origin)
		}
		if shared := strings.HasPrefix(path, "/o/") || strings.HasPrefix(path, "/.well-known/"); shared && a.header.Get("Vary") != "Origin" {
			t.Errorf("%s of %s from %q: a cache would give it to others", name, call, origin)
		}
	}
	if allowed && (!strings.Contains(before.header.Get("Access-Control-Allow-Methods"), method) || !strings.Contains(before.header.Get("Access-Control-Allow-Headers"), "Content-Type")) {
		t.Errorf("preflight of %s from %q: %v", call, origin, before.header)
	}
}

// TestCORSOfErrors: a player reads why it was refused.
func TestCORSOfErrors(t *testing.T) {
	s := startTest(t, twoRealms)
	for _, call := range []string{"GET /o/client/token", "PUT /api/tv/list", "DELETE /.well-known/acme/jwks.json"} {
		checkCORS(t, s, call, "https://evil.example", false)
		method, path, _ := strings.Cut(call, " ")
		if a := ask(t, s, method, path, "Origin", webOrigin); a.status != 405 || a.header.Get("Access-Control-Allow-Origin") != webOrigin {
			t.Errorf("%s: %d %v", call, a.status, a.header)
		}
	}
}

// TestTwoOriginsAreNone: nobody knows which of them the page has.
func TestTwoOriginsAreNone(t *testing.T) {
	s := startTest(t, twoRealms)
	for _, origins := range [][2]string{{webOrigin, webOrigin}, {webOrigin, "https://evil.example"}, {"https://evil.example", webOrigin}} {
		for _, path := range []string{"/api/tv/serviceToken", "/o/client/token"} {
			if a := ask(t, s, "POST", path, "Origin", origins[0], "Origin", origins[1]); a.header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s from %q: %v", path, origins, a.header)
			}
		}
	}
}

// TestNobodyListsAnOrigin: then answers do not differ, and caches may keep them.
func TestNobodyListsAnOrigin(t *testing.T) {
	s := startTest(t, func(o *Options) {
		cfg := testConfig()
		cfg.Realms[0].CORS.Origins = nil
		o.Settings = func() *config.Config { return cfg }
	})
	if a := ask(t, s, "GET", "/.well-known/acme/jwks.json", "Origin", webOrigin); a.header.Get("Vary") != "" || a.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("got %v", a.header)
	}
}
