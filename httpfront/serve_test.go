package httpfront

import (
	"bufio"
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"ssod/httpfront/config"
)

// script is a connection that has sent everything it will ever send.
type script struct {
	net.Conn
	in  io.Reader
	out bytes.Buffer
}

func (s *script) Read(p []byte) (int, error)       { return s.in.Read(p) }
func (s *script) Write(p []byte) (int, error)      { return s.out.Write(p) }
func (s *script) Close() error                     { return nil }
func (s *script) SetReadDeadline(time.Time) error  { return nil }
func (s *script) SetWriteDeadline(time.Time) error { return nil }
func (s *script) SetDeadline(time.Time) error      { return nil }
func (s *script) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

func (s *script) LocalAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 2} }

// FuzzServe: whatever arrives on a connection, what goes back is a sequence of
// well-formed answers, and the one that closes is the last.
func FuzzServe(f *testing.F) {
	for _, s := range []string{
		follow, follow + follow, "GET / HTTP/1.1\r\n\r\n" + follow,
		"POST /api/tv/unlink HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}" + follow,
		"POST /o/client/token HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n" + follow,
		"HEAD /api/tv/list HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS /api/tv/list HTTP/1.1\r\nHost: a\r\nOrigin: https://tv.acme.example\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	cfg := testConfig()
	s := newServer(Options{
		Settings: func() *config.Config { return cfg }, Log: slog.New(slog.DiscardHandler),
		Handlers: Handlers{Mint: echo, Refresh: echo, Link: echo, ReadLink: echo, ConfirmLink: echo, Unlink: echo, List: echo, Register: echo, Token: echo, JWKS: echo},
	})
	f.Fuzz(func(t *testing.T, raw []byte) {
		c := &script{in: bytes.NewReader(raw)}
		s.ServeConn(c)
		out := bufio.NewReader(&c.out)
		for closed := false; ; {
			if _, err := out.Peek(1); err == io.EOF {
				return
			}
			if closed {
				t.Fatalf("%q is answered beyond the end", raw)
			}
			r, err := http.ReadResponse(out, nil)
			if err != nil {
				t.Fatalf("%q is answered with nonsense: %v", raw, err)
			}
			if bytes.HasPrefix(raw, []byte("HEAD")) {
				return // the length of a body that is not there
			}
			if _, err := io.ReadAll(r.Body); err != nil {
				t.Fatalf("%q: body: %v", raw, err)
			}
			closed = r.Close
			if r.StatusCode >= 500 {
				t.Fatalf("%q: %d", raw, r.StatusCode)
			}
		}
	})
}
