package entitlement_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"ssod/httpfront/api/entitlement"
	"ssod/httpfront/fronttest"
	"ssod/httpfront/webhook"
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

// benchmark answers one request of a TV b.N times without sockets: reading,
// adapter, tokens, actors, answer. The login was made on a phone.
func benchmark(b *testing.B, target, body string) {
	benchmarkWith(b, fronttest.Options{Config: realms}, target, body)
}

func benchmarkWith(b *testing.B, o fronttest.Options, target, body string) {
	n := fronttest.Start(b, o)
	a := &app{b, n, n.AccessToken(b, "STREAM1"), "STREAM1"}
	a.logIn("phone", "cable", "ada", "AD-Service-Token", a.mint("phone", "viewer"))
	method := "GET"
	if body != "" {
		method = "POST"
	}
	request := method + " " + target + " HTTP/1.1\r\nHost: localhost:8080\r\nAuthorization: Bearer " + a.access +
		"\r\nAP-Device-Identifier: " + fronttest.Device("tv") + "\r\nAD-Service-Token: " + a.mint("tv", "viewer") +
		"\r\nAccept: application/json\r\nUser-Agent: Roku/DVP-9.10 (519.10E04111A)\r\n"
	if body != "" {
		request += fmt.Sprintf("Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	c := &loop{request: []byte(request + "\r\n" + body), left: b.N}
	b.ReportAllocs()
	b.ResetTimer()
	if err := n.ServeConn(c); err != nil && !strings.Contains(err.Error(), "EOF") {
		b.Fatal(err)
	}
	b.StopTimer()
	if !bytes.HasPrefix(c.last, []byte("HTTP/1.1 200 OK\r\n")) {
		b.Fatalf("got %s", c.last)
	}
}

const oneResource = `{"resources":["channel-1"]}`

func BenchmarkList(b *testing.B) { benchmark(b, "/api/STREAM1/list", "") } // to compare with
func BenchmarkProfiles(b *testing.B) {
	benchmark(b, "/api/v2/STREAM1/profiles", "")
}

func BenchmarkPreauthorize(b *testing.B) {
	benchmark(b, "/api/v2/STREAM1/decisions/preauthorize/cable", oneResource)
}

func BenchmarkAuthorize(b *testing.B) {
	benchmark(b, "/api/v2/STREAM1/decisions/authorize/cable", oneResource)
}

// BenchmarkDenied is the cheapest denial, of too many resources: untold, and counted for a
// receiver that wants to know.
func BenchmarkDenied(b *testing.B) {
	const target, body = "/api/v2/STREAM1/decisions/authorize/cable", `{"resources":["channel-1","channel-2"]}`
	b.Run("untold", func(b *testing.B) { benchmark(b, target, body) })
	b.Run("told", func(b *testing.B) {
		sums := webhook.StartSums(webhook.SumOptions{Now: time.Now})
		defer sums.Close()
		benchmarkWith(b, fronttest.Options{
			Config:      withReceiver("decision.denied"),
			Entitlement: func(o *entitlement.Options) { o.Denials = sums },
		}, target, body)
	})
}
