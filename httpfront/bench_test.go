package httpfront_test

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"ssod/httpfront/fronttest"
)

// loop is a connection whose client sends one request over and over and throws
// the answers away.
type loop struct {
	net.Conn
	request []byte
	left    int
	last    []byte
}

func (l *loop) Read(p []byte) (int, error) {
	if l.left == 0 {
		return 0, io.EOF
	}
	l.left--
	return copy(p, l.request), nil
}

func (l *loop) Write(p []byte) (int, error) {
	l.last = append(l.last[:0], p...)
	return len(p), nil
}

func (l *loop) Close() error                     { return nil }
func (l *loop) SetReadDeadline(time.Time) error  { return nil }
func (l *loop) SetWriteDeadline(time.Time) error { return nil }
func (l *loop) SetDeadline(time.Time) error      { return nil }
func (l *loop) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

func (l *loop) LocalAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 2} }

// benchmark answers one request b.N times without sockets: reading, adapter,
// tokens, actors, answer.
func benchmark(b *testing.B, method, resource string) {
	n := fronttest.Start(b, fronttest.Options{})
	access := n.AccessToken(b, "STREAM1")
	header := []string{"Authorization", "Bearer " + access, "AP-Device-Identifier", fronttest.Device("living-room-tv-0001"), "Accept", "application/json", "User-Agent", "Roku/DVP-9.10 (519.10E04111A)"}
	mint := fronttest.Call{Method: "POST", Path: "/api/STREAM1/serviceToken"}.With(header...).With("X-SSO-ID", "viewer-0001")
	token := n.Do(b, mint).Text("serviceToken")
	var request strings.Builder
	request.WriteString(method + " /api/STREAM1/" + resource + " HTTP/1.1\r\nHost: localhost:8080\r\nAD-Service-Token: " + token + "\r\n")
	for i := 0; i < len(header); i += 2 {
		request.WriteString(header[i] + ": " + header[i+1] + "\r\n")
	}
	request.WriteString("\r\n")
	c := &loop{request: []byte(request.String()), left: b.N}
	b.ReportAllocs()
	b.ResetTimer()
	n.ServeConn(c)
	b.StopTimer()
	if !bytes.HasPrefix(c.last, []byte("HTTP/1.1 200 OK\r\n")) {
		b.Fatalf("got %s", c.last)
	}
}

func BenchmarkRefresh(b *testing.B) { benchmark(b, "GET", "serviceToken") }
func BenchmarkList(b *testing.B)    { benchmark(b, "GET", "list") }
