package wire

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipe returns a Conn and the client's end of a real connection.
func pipe(t testing.TB, limits Limits) (*Conn, net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c := NewConn(server, &limits)
	t.Cleanup(func() { client.Close(); c.Close() })
	return c, client
}

// next plays fasthttp: it reads a reduced head and takes the request.
func next(t testing.TB, c *Conn) (reduced string, r *Request, refusal int) {
	t.Helper()
	var head []byte
	for !bytes.HasSuffix(head, []byte("\r\n\r\n")) {
		var b [7]byte
		n, err := c.Read(b[:])
		if err != nil {
			t.Fatalf("read: %v", err)
		}
		head = append(head, b[:n]...)
	}
	r, why, _ := c.Take()
	return string(head), r, why.Status
}

const unlink = "POST /api/tv/unlink HTTP/1.1\r\nHost: sso.example\r\nauthorization:\tBearer a.b.c \r\nX-Other: x\r\nContent-Length: 15\r\n\r\n{\"devices\":[1]}"

func checkUnlink(t *testing.T, reduced string, r *Request, refusal int) {
	t.Helper()
	if refusal != 0 {
		t.Fatalf("refused with %d", refusal)
	}
	if want := "POST /api/tv/unlink HTTP/1.1\r\nHost: sso.example\r\n\r\n"; reduced != want {
		t.Errorf("fasthttp sees %q, want %q", reduced, want)
	}
	if string(r.Method) != "POST" || string(r.Target) != "/api/tv/unlink" {
		t.Errorf("got %s %s", r.Method, r.Target)
	}
	if got := string(r.Header(Authorization)); got != "Bearer a.b.c" {
		t.Errorf("Authorization = %q", got)
	}
	if r.Header(SSOID) != nil || r.Repeated(Authorization) {
		t.Error("headers that were not sent")
	}
	if got := string(r.Body); got != `{"devices":[1]}` {
		t.Errorf("body %q", got)
	}
}

// scripted is a connection on which the client's bytes arrive in given parts.
type scripted struct {
	net.Conn
	parts []string
}

func (s *scripted) Read(p []byte) (int, error) {
	if len(s.parts) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.parts[0])
	if s.parts[0] = s.parts[0][n:]; s.parts[0] == "" {
		s.parts = s.parts[1:]
	}
	return n, nil
}

func (s *scripted) SetReadDeadline(time.Time) error { return nil }

// TestSplitAnywhere sends a request in two parts, cut at every byte: where the
// network cuts must not matter.
func TestSplitAnywhere(t *testing.T) {
	for cut := 1; cut < len(unlink); cut++ {
		c := NewConn(&scripted{parts: []string{unlink[:cut], unlink[cut:]}}, &DefaultLimits)
		reduced, r, refusal := next(t, c)
		checkUnlink(t, reduced, r, refusal)
	}
}

// TestChunksSplitAnywhere does the same to a chunked body.
func TestChunksSplitAnywhere(t *testing.T) {
	const raw = "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n06\r\n world\r\n0\r\n\r\n"
	for cut := 1; cut < len(raw); cut++ {
		c := NewConn(&scripted{parts: []string{raw[:cut], raw[cut:] + unlink}}, &DefaultLimits)
		if _, r, refusal := next(t, c); refusal != 0 || string(r.Body) != "hello world" {
			t.Fatalf("cut at %d: refusal %d, body %q", cut, refusal, r.Body)
		}
		reduced, r, refusal := next(t, c)
		checkUnlink(t, reduced, r, refusal)
	}
}

// TestPipelined: requests that arrive together are handed over one by one.
func TestPipelined(t *testing.T) {
	c, client := pipe(t, DefaultLimits)
	const n = 100
	go io.WriteString(client, strings.Repeat(unlink, n))
	for range n {
		reduced, r, refusal := next(t, c)
		checkUnlink(t, reduced, r, refusal)
	}
}

func TestChunkedBody(t *testing.T) {
	head := "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	tests := []struct {
		name, chunks, want string
	}{
		{"empty", "0\r\n\r\n", ""},
		{"one", "5\r\nhello\r\n0\r\n\r\n", "hello"},
		{"several", "1\r\nh\r\n4\r\nello\r\n0\r\n\r\n", "hello"},
		{"hexadecimal", "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789"},
		{"leading zeros", "0005\r\nhello\r\n000\r\n\r\n", "hello"},
		{"line ends inside", "4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, client := pipe(t, DefaultLimits)
			go func() {
				io.WriteString(client, head+tt.chunks+head)
				for _, b := range []byte(tt.chunks) { // and byte by byte
					client.Write([]byte{b})
				}
			}()
			for range 2 {
				if _, r, refusal := next(t, c); refusal != 0 || string(r.Body) != tt.want {
					t.Fatalf("refusal %d, body %q, want %q", refusal, r.Body, tt.want)
				}
			}
		})
	}
}

func TestLimits(t *testing.T) {
	limits := Limits{Head: 1000, Body: 100, Request: time.Minute, Idle: time.Minute, Write: time.Minute}
	limits.Long = &LongBodies{Size: 200, Most: 1, Of: func(target []byte) bool { return string(target) == "/long" }}
	filler := func(n int) string { return "GET / HTTP/1.1\r\nHost: a\r\nX-A: " + strings.Repeat("a", n) }
	post := "POST / HTTP/1.1\r\nHost: a\r\n"
	long := "POST /long HTTP/1.1\r\nHost: a\r\n"
	tests := []struct {
		name, raw string
		refusal   int
		tooLarge  bool
	}{
		{"head at the limit", filler(1000-len(filler(0))-4) + "\r\n\r\n", 0, false},
		{"head over the limit", filler(1000-len(filler(0))-3) + "\r\n\r\n", 431, false},
		{"head without an end", filler(5000), 431, false},
		{"body at the limit", post + "Content-Length: 100\r\n\r\n" + strings.Repeat("a", 100), 0, false},
		{"body over the limit", post + "Content-Length: 101\r\n\r\n" + strings.Repeat("a", 101), 0, true},
		{"body far over the limit, not sent", post + "Content-Length: 99999999999\r\n\r\n", 0, true},
		{"chunks at the limit", post + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("a\r\n0123456789\r\n", 10) + "0\r\n\r\n", 0, false},
		{"chunks over the limit", post + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("a\r\n0123456789\r\n", 10) + "1\r\na\r\n0\r\n\r\n", 0, true},
		{"long body", long + "Content-Length: 200\r\n\r\n" + strings.Repeat("a", 200), 0, false},
		{"long body over its limit", long + "Content-Length: 201\r\n\r\n" + strings.Repeat("a", 201), 0, true},
		{"long body in chunks", long + "Transfer-Encoding: chunked\r\n\r\n65\r\n", 0, true},
		{"one chunk over the limit", post + "Transfer-Encoding: chunked\r\n\r\n65\r\n", 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, client := pipe(t, limits)
			go io.WriteString(client, tt.raw)
			reduced, r, refusal := next(t, c)
			if refusal != tt.refusal || r.TooLarge != tt.tooLarge {
				t.Fatalf("refusal %d, too large %v; want %d, %v", refusal, r.TooLarge, tt.refusal, tt.tooLarge)
			}
			closes := strings.Contains(reduced, "Connection: close")
			if want := refusal != 0 || tt.tooLarge; closes != want {
				t.Errorf("connection closes: %v, want %v", closes, want)
			}
		})
	}
}

// While as many long bodies as may be are in hand, the limit is that of all; who is
// answered, or gone, leaves room.
func TestLongBodiesAreFew(t *testing.T) {
	limits := Limits{Head: 1000, Body: 10, Request: time.Minute, Idle: time.Minute, Write: time.Minute}
	limits.Long = &LongBodies{Size: 20, Most: 1, Of: func([]byte) bool { return true }}
	raw := "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n" + strings.Repeat("a", 20)
	tooLarge := func(c *Conn, client io.Writer) bool {
		t.Helper()
		go io.WriteString(client, raw)
		_, r, refusal := next(t, c)
		if refusal != 0 {
			t.Fatalf("refusal %d", refusal)
		}
		return r.TooLarge
	}
	first, firstClient := pipe(t, limits)
	if tooLarge(first, firstClient) {
		t.Fatal("the only long body is too large")
	}
	if second, client := pipe(t, limits); !tooLarge(second, client) {
		t.Error("two long bodies are in hand")
	}
	if tooLarge(first, firstClient) {
		t.Error("the next of a connection is too large, after the one before was answered")
	}
	first.Close()
	if third, client := pipe(t, limits); tooLarge(third, client) {
		t.Error("a long body is too large, after the other connection was closed")
	}
}

func TestLongLineIsRefused(t *testing.T) {
	c, client := pipe(t, DefaultLimits)
	go fmt.Fprintf(client, "GET /%s HTTP/1.1\r\nHost: a\r\n\r\n", strings.Repeat("a", maxLine))
	if _, _, refusal := next(t, c); refusal != 414 {
		t.Errorf("refusal %d, want 414", refusal)
	}
}

// timed is pipe in a bubble of package synctest, whose clock moves only when all
// wait: what is measured there is not what the machine did.
func timed(t *testing.T, limits Limits) (*Conn, net.Conn) {
	t.Helper()
	server, client := net.Pipe()
	c := NewConn(server, &limits)
	t.Cleanup(func() { client.Close(); c.Close() })
	return c, client
}

// TestSlowRequest: the time is for the whole request, so bytes that trickle
// faster than any time-out do not help.
func TestSlowRequest(t *testing.T) {
	for _, tt := range []struct{ name, sent string }{
		{"head", "GET / HTTP/1.1\r\nX-A: "},
		{"body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n"},
		{"chunks", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { trickles(t, tt.sent) }) })
	}
}

// trickles sends the begin of a request, and then one byte after the other.
func trickles(t *testing.T, begin string) {
	limits := Limits{Head: 1 << 20, Body: 1 << 20, Request: 2 * time.Second, Idle: time.Hour}
	c, client := timed(t, limits)
	began := time.Now()
	var sending sync.WaitGroup
	defer sending.Wait()
	defer client.Close()
	sending.Go(func() {
		io.WriteString(client, begin)
		trickle := time.NewTicker(5 * time.Millisecond)
		defer trickle.Stop()
		for range trickle.C {
			if _, err := client.Write([]byte{'a'}); err != nil {
				return
			}
		}
	})
	if _, _, refusal := next(t, c); refusal != 408 {
		t.Errorf("refusal %d, want 408", refusal)
	}
	if took := time.Since(began); took != limits.Request {
		t.Errorf("held for %v, want %v", took, limits.Request)
	}
}

// TestSilence: a connection that sends nothing is closed without a word, a new
// one after the request time and an old one after the idle time.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := Limits{Head: 1000, Body: 100, Request: 2 * time.Second, Idle: time.Minute}
		silent := func(c *Conn, want time.Duration) {
			t.Helper()
			began := time.Now()
			if _, err := c.Read(make([]byte, 1)); err == nil {
				t.Fatal("a silent connection was kept")
			}
			if took := time.Since(began); took < want || took > want+deadlineSlack {
				t.Errorf("silent for %v, want %v", took, want)
			}
		}
		c, _ := timed(t, limits)
		silent(c, limits.Request)
		c, client := timed(t, limits)
		go io.WriteString(client, unlink)
		next(t, c)
		silent(c, limits.Idle+deadlineSlack) // never before its time
		if c.buf != nil {
			t.Error("an idle connection holds a buffer")
		}
	})
}

// TestSlowAfterSlow: the time of one request is not that of the one before.
func TestSlowAfterSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, client := timed(t, Limits{Head: 1000, Body: 100, Request: 4 * time.Second, Idle: time.Hour})
		go func() {
			for range 4 {
				io.WriteString(client, unlink[:20])
				<-time.After(3 * time.Second)
				io.WriteString(client, unlink[20:])
			}
		}()
		for range 4 {
			reduced, r, refusal := next(t, c)
			checkUnlink(t, reduced, r, refusal)
		}
	})
}

func TestExpectContinue(t *testing.T) {
	c, client := pipe(t, DefaultLimits)
	head, body, _ := strings.Cut(unlink, "\r\n\r\n")
	go func() {
		io.WriteString(client, head+"\r\nExpect: 100-Continue\r\n\r\n")
		b := make([]byte, len("HTTP/1.1 100 Continue\r\n\r\n"))
		if _, err := io.ReadFull(client, b); err == nil && strings.HasPrefix(string(b), "HTTP/1.1 100 ") {
			io.WriteString(client, body)
		}
	}()
	reduced, r, refusal := next(t, c)
	checkUnlink(t, reduced, r, refusal)
}

// TestUntaken: if fasthttp ever asked for more than it was given, the two would
// disagree about where a request ends, and the connection ends instead.
func TestUntaken(t *testing.T) {
	c, client := pipe(t, DefaultLimits)
	go io.WriteString(client, unlink+unlink)
	b := make([]byte, 1000)
	if _, err := c.Read(b); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(b); err != io.EOF {
		t.Fatalf("second read without a handler: %d, %v; want EOF", n, err)
	}
}

// TestAnswerSurvivesUnreadBytes: the client of a refused request sees the
// answer although it is still sending.
func TestAnswerSurvivesUnreadBytes(t *testing.T) {
	c, client := pipe(t, DefaultLimits)
	go func() {
		client.Write(bytes.Repeat([]byte("a: b\r\n"), 1<<20/6))
	}()
	if _, _, refusal := next(t, c); refusal == 0 {
		t.Fatal("not refused")
	}
	io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
	go c.Close()
	got, err := io.ReadAll(client)
	if err != nil || !strings.HasPrefix(string(got), "HTTP/1.1 400") {
		t.Fatalf("got %q, %v", got, err)
	}
}

func FuzzHead(f *testing.F) {
	f.Add([]byte(unlink))
	f.Add([]byte("GET / HTTP/1.0\r\nHost: a\r\n\r\n"))
	f.Add([]byte("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"))
	f.Add([]byte("GET / HTTP/1.1\nHost: a\n\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		end, _, err := endOfHead(raw, 0)
		if err != nil || end == 0 {
			return
		}
		var r Request
		if parseHead(raw[:end], &r) != nil {
			return
		}
		if bytes.Count(raw[:end], []byte("\n")) != bytes.Count(raw[:end], []byte("\r\n")) {
			t.Error("a bare line feed was accepted")
		}
		if len(r.Target) == 0 || r.Target[0] != '/' || len(r.Header(Host)) == 0 && !(r.oldVersion && !r.sent(Host)) {
			t.Errorf("accepted target %q, host %q", r.Target, r.Header(Host))
		}
		if r.sent(TransferEncoding) && r.sent(ContentLength) {
			t.Error("two framings were accepted")
		}
		var chunks chunkReader
		if n, err := chunks.read(raw[end:], 1000); err == nil && (n > len(raw)-end || len(chunks.body) > 1000) {
			t.Errorf("used %d of %d bytes, decoded %d", n, len(raw)-end, len(chunks.body))
		}
	})
}

func BenchmarkRead(b *testing.B) {
	c, client := pipe(b, DefaultLimits)
	token := strings.Repeat("abcdefgh", 40)
	request := []byte("GET /api/demo/serviceToken HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: bench/1\r\nAuthorization: Bearer " +
		token + "\r\nAD-Service-Token: " + token + "\r\nAccept: application/json\r\n\r\n")
	reduced := make([]byte, 4096)
	b.ReportAllocs()
	for b.Loop() {
		client.Write(request)
		if _, err := c.Read(reduced); err != nil {
			b.Fatal(err)
		}
		c.Take()
	}
}

func BenchmarkParse(b *testing.B) {
	token := strings.Repeat("abcdefgh", 40)
	request := []byte("GET /api/demo/serviceToken HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: bench/1\r\nAuthorization: Bearer " +
		token + "\r\nAD-Service-Token: " + token + "\r\nAccept: application/json\r\n\r\n")
	b.ReportAllocs()
	for b.Loop() {
		var r Request
		end, _, err := endOfHead(request, 0)
		if err != nil || parseHead(request[:end], &r) != nil {
			b.Fatal("refused")
		}
	}
}
