package wire

import (
	"bufio"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// FuzzAgainstNetHTTP compares with Go's own server: where both understand a
// request they must understand the same, above all where it ends.
func FuzzAgainstNetHTTP(f *testing.F) {
	for _, s := range []string{
		unlink,
		"GET /a?b=c HTTP/1.1\r\nHost: a:80\r\nConnection: close\r\n\r\n",
		"POST / HTTP/1.0\r\nhost: [::1]\r\ncontent-length: 1\r\n\r\nx",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n000A\r\n0123456789\r\n0\r\n\r\nrest",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nX: \x80\r\n\r\n",
		"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\nrest",
		"GET / HTTP/1.0\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nconnection: x, Close\r\nAccept: a\r\nAccept: b\r\n\r\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		c := NewConn(&scripted{parts: []string{raw}}, &DefaultLimits)
		if raw == "" || c.next() != nil {
			return
		}
		r, refusal, last := c.Take()
		if refusal.Status != 0 || r.TooLarge {
			return
		}
		// Their server skips blank lines in front of a request, this function of
		// theirs does not.
		for range c.blankLines {
			raw = strings.TrimPrefix(raw, "\r\n")
		}
		in := strings.NewReader(raw)
		buffered := bufio.NewReaderSize(in, 1<<20)
		theirs, err := http.ReadRequest(buffered)
		if err != nil {
			return
		}
		body, err := io.ReadAll(theirs.Body)
		if err != nil {
			return
		}
		if theirs.Method != string(r.Method) || theirs.RequestURI != string(r.Target) || string(body) != string(r.Body) {
			t.Fatalf("%q\nwe see     %q %q %q\nthey see   %q %q %q", raw, r.Method, r.Target, r.Body, theirs.Method, theirs.RequestURI, body)
		}
		if theirs.Close && !last {
			t.Errorf("%q: they close the connection", raw)
		}
		rest := raw[len(raw)-buffered.Buffered():]
		if ours := string(c.buf.in[c.size:]); ours != rest {
			t.Errorf("%q\nwe go on with   %q\nthey go on with %q", raw, ours, rest)
		}
		for name, separator := range map[Name]string{Accept: ", ", Cookie: "; ", ForwardedFor: ", "} {
			lines := slices.DeleteFunc(theirs.Header.Values(spelling[name]), func(line string) bool { return line == "" })
			if got := string(r.Header(name)); got != strings.Join(lines, separator) {
				t.Errorf("%q: %s %q, they see %q", raw, spelling[name], got, lines)
			}
		}
		authorization := theirs.Header.Values("Authorization")
		if len(authorization) > 1 != r.Repeated(Authorization) || len(authorization) == 1 && authorization[0] != string(r.Header(Authorization)) {
			t.Errorf("%q: Authorization %q, they see %q", raw, r.Header(Authorization), authorization)
		}
	})
}
