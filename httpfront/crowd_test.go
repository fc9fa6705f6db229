package httpfront

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ssod/httpfront/config"
)

func TestThrottle(t *testing.T) {
	cfg := testConfig()
	cfg.Throttle = config.Throttle{Enabled: true, Rate: 1, Burst: 1, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	now := time.Date(2026, 1, 2, 20, 0, 0, 0, time.UTC)
	registry := prometheus.NewRegistry()
	s := startTest(t, func(o *Options) {
		o.Settings = func() *config.Config { return cfg }
		o.Now = func() time.Time { return now }
		o.Metrics = registry
		o.Handlers.V2 = V2{AllProfiles: echo, CreateSession: echo}
	})
	const phone, tv = "192.0.2.1", "192.0.2.2"
	for range 2 {
		if a := ask(t, s, "GET", "/api/tv/list", "X-Forwarded-For", phone); a.status != 200 {
			t.Fatalf("within the burst: %d", a.status)
		}
	}
	tests := []struct {
		name, path, accept, contentType, body string
	}{
		{"a page", "/api/tv/list", "", "text/html", "<html>"},
		{"a page for anything", "/api/tv/list", "*/*", "text/html", "<html>"},
		{"nested", "/api/tv/list", "application/json", "application/json", `{"status":"TOO_MANY_REQUESTS","error":{"status":429,"code":"too_many_requests"`},
		{"nested for a code", "/api/tv/link/123456", "application/json", "application/json", `{"status":"TOO_MANY_REQUESTS","error":{"status":429,"code":"too_many_requests"`},
		{"flat", "/api/v2/tv/profiles", "application/json", "application/json", `{"status":429,"code":"too_many_requests","message":"Too many requests","action":"retry",`},
		{"flat after a POST", "/api/v2/tv/sessions", "application/json", "application/json", `{"status":429,"code":"too_many_requests","message":"Too many requests","action":"retry",`},
		{"a page of the entitlement API", "/api/v2/tv/profiles", "", "text/html", "<html>"},
		{"below /o/", "/o/client/token", "application/json", "text/html", "<html>"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			method := "GET"
			if strings.HasPrefix(tt.path, "/o/") || strings.HasSuffix(tt.path, "/sessions") {
				method = "POST"
			}
			a := ask(t, s, method, tt.path, "X-Forwarded-For", phone, "Accept", tt.accept)
			if a.status != 429 || a.header.Get("Retry-After") != "1" ||
				!strings.HasPrefix(a.header.Get("Content-Type"), tt.contentType) || !strings.HasPrefix(a.body, tt.body) {
				t.Errorf("got %d %v %s", a.status, a.header, a.body)
			}
		})
	}
	if a := ask(t, s, "GET", "/api/tv/list", "X-Forwarded-For", tv); a.status != 200 {
		t.Errorf("another device behind the proxy: %d", a.status)
	}
	if got := metric(t, registry, "ssod_throttled_total"); got != float64(len(tests)) {
		t.Errorf("ssod_throttled_total = %v, want %d", got, len(tests))
	}
}

// Whatever is asked takes a token, so that nobody can ask without end for what
// there is not. A player's preflight takes none.
func TestEverythingTakesAToken(t *testing.T) {
	const listed, ours = "https://player.example", "/api/tv/list"
	cfg := testConfig()
	cfg.Throttle = config.Throttle{Enabled: true, Rate: 1e-6, Burst: 0, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	cfg.Realms[0].CORS.Origins = []string{listed}
	s := startTest(t, func(o *Options) { o.Settings = func() *config.Config { return cfg } })
	for i, tt := range []struct {
		name, method, path, origin string
		first                      int
	}{
		{"a call", "GET", ours, "", 200},
		{"no such path", "GET", "/nothing", "", 404},
		{"no such path of the entitlement API", "GET", "/api/v2/tv/nothing", "", 404},
		{"no such page", "GET", "/sandbox/nothing", "", 404},
		{"no such method", "PUT", ours, "", 405},
		{"options", "OPTIONS", ours, "", 204},
		{"a stranger's preflight", "OPTIONS", ours, "https://evil.example", 204},
		{"a repeated header", "GET", ours, "twice", 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			from := fmt.Sprint("192.0.2.", 10+i)
			header := []string{"X-Forwarded-For", from}
			switch tt.origin {
			case "":
			case "twice":
				header = append(header, "Authorization", "Bearer a", "Authorization", "Bearer b")
			default:
				header = append(header, "Origin", tt.origin, "Access-Control-Request-Method", "GET")
			}
			preflight := func() {
				t.Helper()
				a := ask(t, s, "OPTIONS", ours, "X-Forwarded-For", from, "Origin", listed, "Access-Control-Request-Method", "GET")
				if a.status != 204 || a.header.Get("Access-Control-Allow-Methods") != "GET" {
					t.Errorf("a player's preflight: %d %v", a.status, a.header)
				}
			}
			preflight()
			if a := ask(t, s, tt.method, tt.path, header...); a.status != tt.first {
				t.Errorf("with a token: %d, want %d", a.status, tt.first)
			}
			if a := ask(t, s, tt.method, tt.path, header...); a.status != 429 || a.header.Get("Retry-After") == "" {
				t.Errorf("without one: %d %v, want 429 and when to come again", a.status, a.header)
			}
			preflight()
		})
	}
}

// What takes no token costs a client its connection when places are scarce.
func TestRefusalsCloseWhenCrowded(t *testing.T) {
	cfg := testConfig()
	cfg.Throttle = config.Throttle{Enabled: true, Rate: 1e-6, Burst: 0}
	s := startTest(t, func(o *Options) {
		o.Settings = func() *config.Config { return cfg }
		o.MaxConnections = 4
	})
	if answers, closed := dialogue(t, s, follow+follow+follow, 3); len(answers) != 3 || answers[2].status != 429 || closed {
		t.Errorf("places are free: %v, closed %v", answers, closed)
	}
	var clients []net.Conn
	for range 3 {
		c, err := net.Dial("tcp", s.Address().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		clients = append(clients, c)
	}
	eventually(t, "the three are there", func() bool { return s.Connections() == len(clients) })
	answers, closed := talk(t, s, follow+follow, time.Minute)
	if len(answers) != 1 || answers[0].status != 429 || !answers[0].last || !closed {
		t.Errorf("four of four: %v, closed %v, want the end after the first refusal", answers, closed)
	}
}

// TestConnectionLimit: idle connections make room for others.
func TestConnectionLimit(t *testing.T) {
	registry := prometheus.NewRegistry()
	s := startTest(t, func(o *Options) {
		o.MaxConnections = 3
		o.Metrics = registry
	})
	for range 3 {
		defer keepOpen(t, s).Close()
	}
	eventually(t, "one more is served", func() bool { // when those that were answered wait again
		answers, _ := dialogue(t, s, follow, 1)
		return len(answers) == 1
	})
	if open := s.Connections(); open > 3 {
		t.Errorf("%d connections are open", open)
	}
	if metric(t, registry, "ssod_http_connections_evicted_total") == 0 {
		t.Error("no eviction was counted")
	}
}

// TestConnectionsOfAnAddress: one has so many, and a trusted proxy any number.
func TestConnectionsOfAnAddress(t *testing.T) {
	for _, trusted := range []bool{false, true} {
		registry := prometheus.NewRegistry()
		cfg := testConfig()
		cfg.Throttle.PerAddressConnections, cfg.Throttle.TrustedProxies = 2, nil
		if trusted {
			cfg.Throttle.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		}
		s := startTest(t, func(o *Options) {
			o.Settings = func() *config.Config { return cfg }
			o.Metrics = registry
		})
		first := keepOpen(t, s)
		defer first.Close()
		defer keepOpen(t, s).Close()
		answers, closed := dialogue(t, s, follow, 1)
		if served := len(answers) == 1; served != trusted || !served && !closed {
			t.Errorf("the third, trusted %v: %v, closed %v", trusted, answers, closed)
		}
		if got := metric(t, registry, "ssod_http_connections_refused_total", "address"); (got == 1) == trusted {
			t.Errorf("trusted %v: %v refusals were counted", trusted, got)
		}
		first.Close()
		eventually(t, "the place of one that left is free", func() bool { return s.Connections() < 2 })
		if answers, _ := dialogue(t, s, follow, 1); len(answers) != 1 {
			t.Errorf("after one left: %v", answers)
		}
	}
}
