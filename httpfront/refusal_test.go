package httpfront

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"ssod/httpfront/wire"
)

// TestRefusals sends what is refused before anybody looks at what it asks for. The
// answer is a status and nothing else, and the last of its connection; the log has the
// reason under the id of the answer.
func TestRefusals(t *testing.T) {
	const get, post = "GET /api/tv/list HTTP/1.1\r\nHost: a\r\n", "POST /api/tv/unlink HTTP/1.1\r\nHost: a\r\n"
	var log lockedBuffer
	limits := wire.DefaultLimits
	limits.Request = 3 * time.Second
	s := startTest(t, func(o *Options) {
		o.Limits = limits
		o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	for _, tt := range []struct {
		name, raw string
		status    int
		reason    string
		served    int // requests before
	}{
		{"another protocol", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, "first line", 0},
		{"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "first line", 0},
		{"an absolute target", "GET http://a/api/tv/list HTTP/1.1\r\nHost: a\r\n\r\n", 400, "first line", 0},
		{"a bare line feed", "GET /api/tv/list HTTP/1.1\nHost: a\n\n", 400, "line feed", 0},
		{"empty lines", strings.Repeat("\r\n", 9), 400, "empty lines", 0},
		{"a folded line", get + " x\r\n\r\n", 400, "header line", 0},
		{"no host", "GET /api/tv/list HTTP/1.1\r\n\r\n", 400, "host", 0},
		{"a long host", "GET /api/tv/list HTTP/1.1\r\nHost: " + strings.Repeat("a", 300) + "\r\n\r\n", 400, "host", 0},
		{"two lengths", post + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400, "length", 0},
		{"a length in words", post + "Content-Length: two\r\n\r\n{}", 400, "length", 0},
		{"a coding on GET", get + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "transfer coding", 0},
		{"a malformed chunk", post + "Transfer-Encoding: chunked\r\n\r\nx\r\n", 400, "chunk", 0},
		{"a path in two ways", "GET /api/../tv/list HTTP/1.1\r\nHost: a\r\n\r\n", 400, "path", 0},
		{"a long line", "GET /" + strings.Repeat("a", 9<<10) + " HTTP/1.1\r\nHost: a\r\n\r\n", 414, "too long", 0},
		{"a large head", get + "X: " + strings.Repeat("a", 40<<10), 431, "too large", 0},
		{"half a line", "GET /api/tv/l", 408, "in time", 0},
		{"half a head", get, 408, "in time", 0},
		{"no body", post + "Content-Length: 2\r\n\r\n", 408, "in time", 0},
		{"half a body", post + "Content-Length: 2\r\n\r\n{", 408, "in time", 0},
		{"half a chunk", post + "Transfer-Encoding: chunked\r\n\r\n2\r\n{", 408, "in time", 0},
		{"half a second request", get + "\r\n" + get, 408, "in time", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			answers, closed := talk(t, s, tt.raw, time.Minute)
			if len(answers) != tt.served+1 || !closed {
				t.Fatalf("got %v, closed %v; want %d served, one refused and the end", answers, closed, tt.served)
			}
			a := answers[tt.served]
			if a.status != tt.status || a.body != "" || !a.last {
				t.Errorf("got %+v, want an empty %d, the last", a, tt.status)
			}
			trace, said := a.header.Get("X-Request-Id"), ""
			for line := range strings.Lines(log.String()) {
				if strings.Contains(line, trace) {
					said = line
				}
			}
			if trace == "" || !strings.Contains(said, tt.reason) {
				t.Errorf("of %q the log says %q, want %q", trace, said, tt.reason)
			}
		})
	}
}

// TestSilenceIsNotAnswered: a client that ends in the middle of a request, or sends
// nothing but empty lines, gets no answer.
func TestSilenceIsNotAnswered(t *testing.T) {
	limits := wire.DefaultLimits
	limits.Request = 3 * time.Second
	s := startTest(t, func(o *Options) { o.Limits = limits })
	for _, tt := range []struct {
		name, raw string
		ends      bool // the client does, else its time
	}{
		{"nothing", "", false},
		{"empty lines", "\r\n\r\n", false},
		{"nothing, ended", "", true},
		{"half a head, ended", "GET /api/tv/list HTTP/1.1\r\nHost", true},
		{"half a body, ended", "POST /api/tv/unlink HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := net.Dial("tcp", s.Address().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			io.WriteString(c, tt.raw)
			if tt.ends {
				c.(*net.TCPConn).CloseWrite()
			}
			c.SetReadDeadline(time.Now().Add(time.Minute))
			if r, err := http.ReadResponse(bufio.NewReader(c), nil); err == nil || isTimeout(err) {
				t.Errorf("got %v, %v; want the end", r, err)
			}
		})
	}
}
