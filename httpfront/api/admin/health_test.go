package admin_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"ssod/httpfront/api/admin"
)

func TestReadiness(t *testing.T) {
	tests := []struct {
		name   string
		change func(*world)
		status int
		line   string
	}{
		{"ready", func(*world) {}, 200, `{"ready":true,"state":"ready","node":"n1","conditions":[`},
		{"starting", func(w *world) { w.state = admin.Starting }, 503, `{"condition":"lifecycle","ok":false}`},
		{"draining", func(w *world) { w.state = admin.Draining }, 503, `{"ready":false,"state":"draining","node":"n1","conditions":[`},
		{"a condition fails", func(w *world) { w.storeBad = true }, 503, `{"condition":"store","ok":false,"detail":"as the test wants"}`},
		{"advice only", func(w *world) { w.storeBad, w.advice = true, true }, 200, `{"condition":"store","ok":false,"detail":"as the test wants","advice":true}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := start(t)
			tt.change(f.world)
			status, body := f.call("GET", "/readyz", "")
			if status != tt.status {
				t.Errorf("got %d, want %d", status, tt.status)
			}
			if !hasLine(body, tt.line) {
				t.Errorf("got\n%s\nwant a line %s", body, tt.line)
			}
			if status, _ := f.call("GET", "/livez", ""); status != 200 {
				t.Errorf("livez: got %d, want 200 whatever the state", status)
			}
		})
	}
}

func hasLine(text, want string) bool {
	for line := range strings.Lines(text) {
		if strings.Trim(line, " ,\n") == want {
			return true
		}
	}
	return false
}

func TestAPIWaitsForTheServices(t *testing.T) {
	w := &world{state: admin.Starting}
	s, err := admin.Start(admin.Options{Address: "127.0.0.1:0", Status: w.status})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Shutdown(context.Background())
	f := &face{world: w, t: t, url: "http://" + s.Address().String()}
	if status, body := f.call("GET", "/admin/v1/keys", ""); status != 503 {
		t.Fatalf("got %d %s, want 503 while the node starts", status, body)
	}
	s.Serve(w.services(t))
	if status, body := f.call("GET", "/admin/v1/keys", ""); status != 200 {
		t.Fatalf("got %d %s, want 200 afterwards", status, body)
	}
}

func TestHealthListenerHasNothingElse(t *testing.T) {
	w := &world{state: admin.Ready}
	s, err := admin.Health(admin.Options{Address: "127.0.0.1:0", Status: w.status, Tokens: admin.NewTokens("ignored")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Shutdown(context.Background())
	f := &face{health: true, world: w, t: t, url: "http://" + s.Address().String()}
	for path, want := range map[string]int{
		"/livez": 200, "/readyz": 200, "/metrics": 200, "/": 404, "/debug/pprof/": 404, "/admin/v1/keys": 404,
	} {
		if got, _ := f.call("GET", path, ""); got != want {
			t.Errorf("GET %s: got %d, want %d", path, got, want)
		}
	}
}

func TestTokenGuardsEverything(t *testing.T) {
	f := start(t, func(o *admin.Options) { o.Tokens = admin.NewTokens("correct horse battery") })
	for _, path := range []string{"/", "/livez", "/readyz", "/metrics", "/debug/pprof/", "/admin/v1/keys"} {
		if got, _ := f.call("GET", path, ""); got != 401 {
			t.Errorf("GET %s without the token: got %d, want 401", path, got)
		}
		if got, _ := f.call("GET", path, "", "Authorization", "Bearer wrong horse battery!"); got != 401 {
			t.Errorf("GET %s with another token: got %d, want 401", path, got)
		}
		if got, _ := f.call("GET", path, "", "Authorization", "bearer correct horse battery"); got != 200 {
			t.Errorf("GET %s with the token: got %d, want 200", path, got)
		}
	}
	if log := f.logged(); strings.Contains(log, "horse") || !strings.Contains(log, "who=stranger") {
		t.Errorf("got the log\n%s\nwant strangers noticed and no token", log)
	}
}

// TestProfilesAreNotForPages: what costs CPU is no plain GET unless a token is asked for,
// because a page of another site can send one.
func TestProfilesAreNotForPages(t *testing.T) {
	const token = "correct horse battery"
	open := start(t)
	guarded := start(t, func(o *admin.Options) { o.Tokens = admin.NewTokens(token) })
	page := []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}
	for _, tt := range []struct {
		face    *face
		method  string
		headers []string
		want    int
	}{
		{open, "POST", nil, 200},
		{open, "GET", nil, 405},
		{open, "HEAD", nil, 405},
		{open, "POST", page, 403},
		{guarded, "GET", nil, 401},
		{guarded, "POST", nil, 401},
		{guarded, "GET", []string{"Authorization", "Bearer " + token}, 200},
		{guarded, "POST", []string{"Authorization", "Bearer " + token}, 200},
	} {
		for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/goroutine?debug=2", "/debug/pprof/cmdline"} {
			if got, _ := tt.face.call(tt.method, path, "", tt.headers...); got != tt.want {
				t.Errorf("%s %s %v: got %d, want %d", tt.method, path, tt.headers, got, tt.want)
			}
		}
	}
}

func TestWebPagesAreRefused(t *testing.T) {
	tests := []struct {
		name, method string
		headers      []string
		want         int
	}{
		{"curl", "POST", nil, 200},
		{"localhost", "POST", []string{"Host", "localhost:8081"}, 200},
		{"IPv6", "GET", []string{"Host", "[::1]:8081"}, 405},
		{"a name that was made to point here", "GET", []string{"Host", "evil.example"}, 403},
		{"a form of another site", "POST", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, 403},
		{"an old browser", "POST", []string{"Origin", "https://evil.example"}, 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := start(t)
			if got, body := f.call(tt.method, "/admin/v1/reload", "", tt.headers...); got != tt.want {
				t.Fatalf("got %d %s, want %d", got, body, tt.want)
			}
			if asked := len(f.asked) > 0; asked != (tt.want == http.StatusOK) {
				t.Fatalf("asked %q", f.asked)
			}
		})
	}
}
