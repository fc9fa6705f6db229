package admin_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestRawRequests sends what net/http judges before a handler does, and what never ends.
// Status 0 stands for no answer. Whatever is wrong ends its connection.
func TestRawRequests(t *testing.T) {
	t.Parallel()
	f := start(t)
	const get, post = "GET /livez HTTP/1.1\r\nHost: localhost\r\n", "POST /admin/v1/cluster/settings HTTP/1.1\r\nHost: localhost\r\n"
	large := get + "X: "
	large += strings.Repeat("a", 20<<10-len(large)) // all that is read of it: what is left unread may cost the answer
	for _, tt := range []struct {
		name, raw string
		status    int
		goesOn    bool
	}{
		{"a whole request", get + "\r\n", 200, true},
		{"a coding on GET, without a body", get + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, true},
		{"another protocol", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, false},
		{"no host", "GET /livez HTTP/1.1\r\n\r\n", 400, false},
		{"two hosts", get + "Host: localhost\r\n\r\n", 400, false},
		{"a malformed line", get + "X Y: z\r\n\r\n", 400, false},
		{"two lengths", post + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400, false},
		{"another coding", post + "Transfer-Encoding: gzip\r\n\r\n", 501, false},
		{"another version", "GET /livez HTTP/3.0\r\nHost: localhost\r\n\r\n", 505, false},
		{"a large head", large, 431, false},
		{"nothing", "", 0, false},
		{"half a head", get, 0, false},
		{"half a body", post + "Content-Length: 2\r\n\r\n{", 400, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := net.Dial("tcp", f.server.Address().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_, _ = io.WriteString(c, tt.raw) // the end may come before all of it
			_ = c.SetReadDeadline(time.Now().Add(time.Minute))
			answer, err := http.ReadResponse(bufio.NewReader(c), nil)
			if e, ok := err.(net.Error); ok && e.Timeout() {
				t.Fatal("neither an answer nor the end")
			}
			if err != nil {
				if tt.status != 0 {
					t.Fatalf("no answer: %v, want %d", err, tt.status)
				}
				return
			}
			defer answer.Body.Close()
			text, err := io.ReadAll(answer.Body)
			if err != nil || answer.StatusCode != tt.status || answer.Close == tt.goesOn || len(text) == 0 {
				t.Errorf("%d %q, %v, the last: %v; want %d with words, the last: %v", answer.StatusCode, text, err, answer.Close, tt.status, !tt.goesOn)
			}
		})
	}
}
