package httpfront

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"ssod/httpfront/api"
	"ssod/httpfront/wire"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// fasthttp refreshes the Date header for ever, and its worker pool
		// notices the end of the server at its next look.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))
}

// ask sends one honest request.
func ask(t *testing.T, s *Server, method, path string, header ...string) answer {
	t.Helper()
	return askBody(t, s, method, path, "", header...)
}

func askBody(t *testing.T, s *Server, method, path, body string, header ...string) answer {
	t.Helper()
	request, err := http.NewRequest(method, "http://"+s.Address().String()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Add(header[i], header[i+1])
	}
	transport := &http.Transport{DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, string(got), response.Header, response.Close}
}

// code is the error code of an answer in whatever shape.
func (a answer) code(t *testing.T) string {
	t.Helper()
	var body struct {
		Code  string
		Error json.RawMessage
	}
	if err := json.Unmarshal([]byte(a.body), &body); err != nil {
		t.Fatalf("body %q: %v", a.body, err)
	}
	var nested struct{ Code, Trace string }
	if json.Unmarshal(body.Error, &nested) == nil {
		if nested.Trace != a.header.Get("X-Request-Id") {
			t.Errorf("trace %q, X-Request-Id %q", nested.Trace, a.header.Get("X-Request-Id"))
		}
		return nested.Code
	}
	var oauth string
	if json.Unmarshal(body.Error, &oauth) == nil {
		return oauth
	}
	return body.Code
}

var uuid4 = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

func TestEveryAnswer(t *testing.T) {
	s := startTest(t)
	seen := make(map[string]bool)
	for _, tt := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/api/tv/list", 200},
		{"POST", "/api/tv/serviceToken", 200},
		{"GET", "/openapi.yaml", 200},
		{"OPTIONS", "/api/tv/list", 204},
		{"GET", "/nothing", 404},
		{"PUT", "/api/tv/list", 405},
		{"GET", "/api/../x", 400},
	} {
		a := ask(t, s, tt.method, tt.path)
		id := a.header.Get("X-Request-Id")
		if a.status != tt.status || !uuid4.MatchString(id) || seen[id] || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s: %d, X-Request-Id %q, Cache-Control %q", tt.method, tt.path, a.status, id, a.header.Get("Cache-Control"))
		}
		seen[id] = true
	}
}

func TestMethods(t *testing.T) {
	s := startTest(t)
	allow := map[string]string{
		"/api/tv/serviceToken": "GET, POST", "/api/tv/link": "POST", "/api/tv/link/123456": "GET, POST", "/api/tv/unlink": "POST", "/api/tv/list": "GET",
		"/o/client/register": "POST", "/o/client/token": "POST", "/.well-known/acme/jwks.json": "GET, HEAD", "/openapi.yaml": "GET, HEAD",
	}
	for path, want := range allow {
		for _, method := range []string{"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "TRACE", "PROPFIND", "get", "OPTIONS"} {
			a := ask(t, s, method, path)
			switch {
			case method == "OPTIONS":
				if a.status != 204 || a.header.Get("Allow") != want || a.body != "" {
					t.Errorf("OPTIONS %s: %d, Allow %q, want 204 and %q", path, a.status, a.header.Get("Allow"), want)
				}
			case strings.Contains(want, method):
				if a.status != 200 {
					t.Errorf("%s %s: %d, want 200", method, path, a.status)
				}
			case a.status != 405 || a.header.Get("Allow") != want:
				t.Errorf("%s %s: %d, Allow %q, want 405 and %q", method, path, a.status, a.header.Get("Allow"), want)
			case method == "HEAD":
				if a.body != "" {
					t.Errorf("HEAD %s: body %q", path, a.body)
				}
			default:
				if got := a.code(t); got != "method_not_allowed" {
					t.Errorf("%s %s: code %q", method, path, got)
				}
			}
		}
	}
}

func TestNotFoundByFamily(t *testing.T) {
	s := startTest(t)
	for path, want := range map[string]string{
		"/api/tv/x":            `{"status":"NOT_FOUND","error":{"status":404,`,
		"/x":                   `{"status":"NOT_FOUND","error":{"status":404,`,
		"/api/v2/tv/x":         `{"status":404,"code":"not_found",`,
		"/o/client/scopes":     `{"error":"not_found","error_description":"No such resource"}`,
		"/o/client/register/x": `{"error":"not_found","error_description":"No such resource"}`,
	} {
		if a := ask(t, s, "GET", path); a.status != 404 || !strings.HasPrefix(a.body, want) {
			t.Errorf("%s: %d %s, want %s", path, a.status, a.body, want)
		}
	}
}

// TestRepeatedSecurityHeaders: two values could be read differently by two
// servers, so the request is refused in both orders and the connection ends.
func TestRepeatedSecurityHeaders(t *testing.T) {
	s := startTest(t)
	for _, name := range []string{"Authorization", "AD-Service-Token", "X-SSO-ID", "X-SSO-LINK", "AP-Device-Identifier"} {
		for _, values := range [][2]string{{"a", "b"}, {"b", "a"}, {"a", "a"}, {"a", ""}, {"", "a"}} {
			raw := "POST /api/tv/serviceToken HTTP/1.1\r\nHost: a\r\n" + name + ": " + values[0] + "\r\n" + strings.ToLower(name) + ": " + values[1] + "\r\n\r\n"
			answers, closed := talk(t, s, raw+follow, time.Minute)
			if len(answers) != 1 || !closed || !answers[0].last || answers[0].status != 400 {
				t.Fatalf("%s %q: %v, closed %v; want one 400 and the end", name, values, answers, closed)
			}
			if got := answers[0].code(t); got != "header_invalid" {
				t.Errorf("%s: code %q", name, got)
			}
		}
	}
	raw := "POST /o/client/token HTTP/1.1\r\nHost: a\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n"
	if answers, _ := dialogue(t, s, raw, 1); len(answers) != 1 || answers[0].body != `{"error":"invalid_request"}` {
		t.Errorf("below /o/: %v", answers)
	}
	both := "POST /api/tv/serviceToken HTTP/1.1\r\nHost: a\r\nX-SSO-ID: a\r\nX-SSO-LINK: b\r\nConnection: close\r\n\r\n"
	if answers, _ := dialogue(t, s, both, 1); len(answers) != 1 || answers[0].status != 200 {
		t.Errorf("X-SSO-ID beside X-SSO-LINK is legal, got %v", answers)
	}
}

func TestHeaderSizes(t *testing.T) {
	s := startTest(t)
	for kib, want := range map[int]int{31: 200, 33: 431, 64: 431, 100 << 10: 431} {
		filler := "X-A: " + strings.Repeat("a", 994) + "\r\n" // 1001 bytes
		raw := "GET /api/tv/list HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + strings.Repeat(filler, kib*1024/len(filler)) + "\r\n"
		answers, closed := talk(t, s, raw, time.Minute)
		if len(answers) != 1 || !closed || answers[0].status != want || want == 431 && answers[0].body != "" {
			t.Errorf("%d KiB of headers: %v, closed %v; want one %d", kib, answers, closed, want)
		}
	}
}

func TestBodySizes(t *testing.T) {
	s := startTest(t)
	for size, want := range map[int]int{0: 200, 64 << 10: 200, 64<<10 + 1: 400, 1 << 20: 400} {
		a := askBody(t, s, "POST", "/api/tv/unlink", strings.Repeat("a", size))
		if a.status != want {
			t.Errorf("%d bytes: %d, want %d", size, a.status, want)
		}
		if want == 400 && (a.code(t) != "request_invalid" || !a.last) {
			t.Errorf("%d bytes: %s, closed %v", size, a.body, a.last)
		}
	}
	if a := askBody(t, s, "POST", "/nothing", strings.Repeat("a", 1<<20)); a.status != 404 {
		t.Errorf("unknown path with a big body: %d, want 404 first", a.status)
	}
	if a := askBody(t, s, "POST", "/o/client/register", strings.Repeat("a", 1<<20)); a.body != `{"error":"invalid_request"}` {
		t.Errorf("registration with a big body: %s", a.body)
	}
}

func TestCORS(t *testing.T) {
	s := startTest(t)
	const origin = "https://tv.acme.example"
	a := ask(t, s, "OPTIONS", "/api/tv/serviceToken", "Origin", origin, "Access-Control-Request-Method", "POST")
	h := a.header
	if a.status != 204 || h.Get("Access-Control-Allow-Origin") != origin || h.Get("Access-Control-Allow-Methods") != "GET, POST" ||
		h.Get("Access-Control-Max-Age") != "600" || h.Get("Vary") != "Origin" || !strings.Contains(h.Get("Access-Control-Allow-Headers"), "AP-Device-Identifier") {
		t.Errorf("preflight: %d %v", a.status, h)
	}
	for _, method := range []string{"GET", "PUT"} {
		h = ask(t, s, method, "/api/tv/list", "Origin", origin).header
		if h.Get("Access-Control-Allow-Origin") != origin || h.Get("Access-Control-Expose-Headers") != "X-Request-Id, Retry-After" || h.Get("Vary") != "Origin" {
			t.Errorf("%s: %v", method, h)
		}
	}
	for _, tt := range [][2]string{
		{"/api/tv/list", "https://evil.example"},
		{"/api/tv/list", "https://tv.acme.example.evil.example"},
		{"/api/tv/list", "null"},
		{"/api/other/list", origin},
		{"/openapi.yaml", origin},
	} {
		a := ask(t, s, "OPTIONS", tt[0], "Origin", tt[1], "Access-Control-Request-Method", "GET")
		for name := range a.header {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%v: got %s", tt, name)
			}
		}
		if a.status != 204 {
			t.Errorf("%v: %d, want the plain answer", tt, a.status)
		}
	}
}

// lockedBuffer is a log that a test reads.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestFaults: a panic and an unknown error look the same to the client; the
// log has the trace and no value that a panic carried.
func TestFaults(t *testing.T) {
	var log lockedBuffer
	registry := prometheus.NewRegistry()
	s := startTest(t, func(o *Options) {
		o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		o.Metrics = registry
		o.Handlers.List = func(context.Context, *api.Request) (api.Response, error) { panic("secret-4711") }
		o.Handlers.Link = func(context.Context, *api.Request) (api.Response, error) { panic(error(nil)) }
		o.Handlers.Unlink = func(context.Context, *api.Request) (api.Response, error) {
			return api.Response{}, errors.New("surprise")
		}
	})
	for path, method := range map[string]string{"/api/tv/list": "GET", "/api/tv/link": "POST", "/api/tv/unlink": "POST"} {
		a := ask(t, s, method, path, "Authorization", "Bearer secret-4712")
		if a.status != 500 || a.code(t) != "internal_error" || strings.Contains(a.body, "surprise") {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
		if trace := a.header.Get("X-Request-Id"); !strings.Contains(log.String(), trace) {
			t.Errorf("%s: trace %s is not in the log", path, trace)
		}
	}
	if ask(t, s, "GET", "/api/tv/serviceToken").status != 200 {
		t.Error("the server did not go on")
	}
	for _, want := range []string{"surprise", "panic with a string", "exchange.go"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q", want)
		}
	}
	if strings.Contains(log.String(), "secret-") {
		t.Error("the log has a secret")
	}
	if got := metric(t, registry, "ssod_http_requests_total", "list", "500", "internal_error"); got != 1 {
		t.Errorf("failed requests of list: %v, want 1", got)
	}
	if got := metric(t, registry, "ssod_http_requests_total", "refresh", "200", "ok"); got != 1 {
		t.Errorf("refreshes: %v, want 1", got)
	}
	if got := metric(t, registry, "ssod_http_request_duration_seconds", "list"); got != 1 {
		t.Errorf("durations of list: %v, want 1", got)
	}
}

func TestDeadline(t *testing.T) {
	s := startTest(t, func(o *Options) {
		o.Handlers.List = func(ctx context.Context, r *api.Request) (api.Response, error) {
			deadline, ok := ctx.Deadline()
			return api.Response{Status: 200, Body: fmt.Appendf(r.Buffer, "%v %v", ok, deadline.Sub(r.Received).Round(time.Second))}, nil
		}
		o.Handlers.Link = func(context.Context, *api.Request) (api.Response, error) {
			return api.Response{}, context.DeadlineExceeded
		}
	})
	if a := ask(t, s, "GET", "/api/tv/list"); a.body != "true 10s" {
		t.Errorf("deadline: %s", a.body)
	}
	a := ask(t, s, "POST", "/api/tv/link")
	if a.status != 503 || a.header.Get("Retry-After") != "1" || !strings.Contains(a.body, `"details":"the outcome is unknown; repeat the request"`) {
		t.Errorf("exceeded: %d %v %s", a.status, a.header, a.body)
	}
}

// TestKeepAlive: many requests on one connection, some of them wrong, without
// mixing anything up.
func TestKeepAlive(t *testing.T) {
	s := startTest(t)
	var raw strings.Builder
	const n = 200
	for i := range n {
		switch i % 4 {
		case 0:
			fmt.Fprintf(&raw, "POST /api/sp%d/unlink HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%d", i, len(fmt.Sprint(i)), i)
		case 1:
			fmt.Fprintf(&raw, "GET /api/sp%d/list HTTP/1.1\r\nHost: a\r\n\r\n", i)
		case 2:
			fmt.Fprintf(&raw, "POST /api/sp%d/link HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", i)
		case 3:
			fmt.Fprintf(&raw, "PUT /api/sp%d/list HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\ny", i)
		}
	}
	answers, closed := dialogue(t, s, raw.String(), n)
	if len(answers) != n || closed {
		t.Fatalf("got %d answers, closed %v", len(answers), closed)
	}
	for i, a := range answers {
		want := []string{fmt.Sprintf("sp%d|%d", i, i), fmt.Sprintf("sp%d|", i), fmt.Sprintf("sp%d|x", i), ""}[i%4]
		if want == "" && a.status == 405 {
			continue
		}
		if a.body != want {
			t.Errorf("answer %d: %q, want %q", i, a.body, want)
		}
	}
}

func TestHTTP10(t *testing.T) {
	s := startTest(t)
	answers, closed := talk(t, s, "GET /api/tv/list HTTP/1.0\r\nHost: a\r\n\r\n", time.Minute)
	if len(answers) != 1 || answers[0].status != 200 || !closed {
		t.Errorf("got %v, closed %v", answers, closed)
	}
}

// TestSlowClients: half a request costs its connection after the request time,
// whoever sends it, and no more than that.
func TestSlowClients(t *testing.T) {
	limits := wire.DefaultLimits
	limits.Request = 100 * time.Millisecond
	s := startTest(t, func(o *Options) { o.Limits = limits })
	answers, closed := talk(t, s, "GET /api/tv/list HTTP/1.1\r\nHost: a\r\nX-A", time.Minute)
	if len(answers) != 1 || answers[0].status != 408 || answers[0].body != "" || !closed {
		t.Errorf("got %v, closed %v; want an empty 408 and the end", answers, closed)
	}
	eventually(t, "no connection is left", func() bool { return s.Connections() == 0 })
}

// TestDraining serves what comes and lets no client keep its connection.
func TestDraining(t *testing.T) {
	s := startTest(t)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	for _, draining := range []bool{false, true} {
		if draining {
			s.Drain()
		}
		response, err := (&http.Client{Transport: transport}).Get("http://" + s.Address().String() + "/api/tv/list")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if response.StatusCode != http.StatusOK || response.Close != draining {
			t.Errorf("draining %v: %s, last on its connection %v", draining, response.Status, response.Close)
		}
	}
}
