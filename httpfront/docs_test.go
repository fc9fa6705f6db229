package httpfront

import (
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"ssod/httpfront/api/apidoc"
	"ssod/httpfront/config"
)

func startWithDocs(t *testing.T, on bool, change ...func(*Options)) *Server {
	t.Helper()
	cfg := testConfig()
	cfg.Docs = on
	return startTest(t, append(change, func(o *Options) { o.Settings = func() *config.Config { return cfg } })...)
}

func TestDocsAreServed(t *testing.T) {
	registry := prometheus.NewRegistry()
	s := startWithDocs(t, true, func(o *Options) { o.Metrics = registry })
	for path, contentType := range map[string]string{
		"/docs": "text/html; charset=utf-8", "/docs/": "text/html; charset=utf-8", "/docs/reference": "text/html; charset=utf-8",
		"/docs/tv?x=y": "text/html; charset=utf-8", "/docs/search.json": "application/json",
	} {
		get, head := ask(t, s, "GET", path, "Accept-Encoding", "identity"), ask(t, s, "HEAD", path, "Accept-Encoding", "identity")
		if get.status != 200 || get.header.Get("Content-Type") != contentType || get.header.Get("Cache-Control") != "public, max-age=300" {
			t.Errorf("GET %s: %d %v", path, get.status, get.header)
		}
		if strings.HasPrefix(contentType, "text/html") && get.header.Get("Content-Security-Policy") != apidoc.Policy {
			t.Errorf("GET %s: policy %q", path, get.header.Get("Content-Security-Policy"))
		}
		if head.status != 200 || head.body != "" || head.header.Get("Content-Length") != strconv.Itoa(len(get.body)) {
			t.Errorf("HEAD %s: %d with %d bytes, %v", path, head.status, len(head.body), head.header)
		}
		again := ask(t, s, "GET", path, "If-None-Match", get.header.Get("ETag"))
		if again.status != 304 || again.body != "" {
			t.Errorf("GET %s again: %d with %d bytes", path, again.status, len(again.body))
		}
		zipped := ask(t, s, "GET", path, "Accept-Encoding", "gzip")
		if zipped.header.Get("Content-Encoding") != "gzip" || len(zipped.body) > len(get.body)/2 {
			t.Errorf("GET %s compressed: %d bytes of %d", path, len(zipped.body), len(get.body))
		}
	}
	if got := metric(t, registry, "ssod_http_requests_total", "docs", "304", "ok"); got != 5 {
		t.Errorf("counted %v requests that were answered 304, want 5", got)
	}
}

func TestDocsThatAreNotThere(t *testing.T) {
	s := startWithDocs(t, true)
	for path, want := range map[string]int{
		"/docs/nothing": 404, "/docs/admin": 404, "/docs/admin.json": 404, "/docs/reference.html": 404, "/docs/index": 404, "/docs/tv/x": 404, "/docs/..": 400,
	} {
		if a := ask(t, s, "GET", path); a.status != want {
			t.Errorf("GET %s: %d, want %d", path, a.status, want)
		}
	}
	if a := ask(t, s, "POST", "/docs"); a.status != 405 || a.header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST /docs: %d, Allow %q", a.status, a.header.Get("Allow"))
	}
}

// TestDocsCanBeSwitchedOff: nothing tells /docs from any other unknown path.
func TestDocsCanBeSwitchedOff(t *testing.T) {
	s := startWithDocs(t, false)
	for _, method := range []string{"GET", "HEAD", "POST", "OPTIONS"} {
		unknown := ask(t, s, method, "/nothing")
		for _, path := range []string{"/docs", "/docs/", "/docs/reference", "/docs/search.json", "/docs/nothing"} {
			a := ask(t, s, method, path)
			if a.status != 404 || a.header.Get("Content-Type") != unknown.header.Get("Content-Type") || len(a.body) != len(unknown.body) || a.header.Get("Allow") != "" {
				t.Errorf("%s %s: %d %v %q, an unknown path gets %d %q", method, path, a.status, a.header, a.body, unknown.status, unknown.body)
			}
		}
	}
	if a := ask(t, s, "GET", "/openapi.yaml"); a.status != 200 {
		t.Errorf("/openapi.yaml: %d", a.status)
	}
}
