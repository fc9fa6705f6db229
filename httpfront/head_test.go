package httpfront

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strconv"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// TestHead: a document is described as GET has it, and its body stays here. What
// acts on GET is not to be touched by whoever only looks.
func TestHead(t *testing.T) {
	registry := prometheus.NewRegistry()
	s := startTest(t, func(o *Options) {
		o.Metrics = registry
		o.Handlers.V2 = V2{Authenticate: echo, LogoutAgent: echo, ActivateBrands: echo, Activate: echo, ActivateSession: echo, AllProfiles: echo, Logout: echo}
		o.Handlers.Sandbox = SandboxHandlers{Login: echo}
	})
	for _, path := range []string{"/.well-known/acme/jwks.json", "/openapi.yaml"} {
		get, head := ask(t, s, "GET", path), ask(t, s, "HEAD", path)
		if head.status != 200 || head.body != "" || head.header.Get("Content-Length") != strconv.Itoa(len(get.body)) {
			t.Errorf("HEAD %s: %d, %q, %v; GET has %d bytes", path, head.status, head.body, head.header, len(get.body))
		}
		for _, name := range []string{"Content-Type", "Cache-Control", "Vary"} {
			if head.header.Get(name) != get.header.Get(name) {
				t.Errorf("HEAD %s: %s %q, GET has %q", path, name, head.header.Get(name), get.header.Get(name))
			}
		}
	}
	checkNothingFollowsHead(t, s)
	if got := metric(t, registry, "ssod_http_requests_total", "jwks", "200", "ok"); got != 2 {
		t.Errorf("counted %v requests of the key set, want 2", got)
	}
	for _, path := range []string{
		"/api/tv/list", "/api/tv/link/123456", "/api/tv/serviceToken", "/api/v2/tv/profiles", "/api/v2/tv/logout/m",
		"/api/v2/authenticate/tv/ABCDEFG", "/api/v2/logout-agent/tv.x", "/sandbox/acme/m/login",
		"/activate", "/activate/tv", "/activate/tv/ABCDEFG",
	} {
		if a := ask(t, s, "HEAD", path); a.status != 405 || a.header.Get("Allow") == "" || a.body != "" {
			t.Errorf("HEAD %s: %d %v, want 405", path, a.status, a.header)
		}
	}
}

// checkNothingFollowsHead looks at the bytes: what is behind the head of one
// answer is the next.
func checkNothingFollowsHead(t *testing.T, s *Server) {
	t.Helper()
	c, err := net.Dial("tcp", s.Address().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	go io.WriteString(c, "HEAD /openapi.yaml HTTP/1.1\r\nHost: a\r\n\r\nGET /api/tv/list HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	in := bufio.NewReader(c)
	for _, method := range []string{"HEAD", "GET"} {
		r, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil || r.StatusCode != 200 {
			t.Fatalf("%s: %v, %v", method, r, err)
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := in.ReadByte(); err != io.EOF {
		t.Errorf("behind the answers: %v, want the end", err)
	}
}
