package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"ssod/httpfront/fronttest/ambiguous"
)

const smuggleConfig = `
throttle: {enabled: false}
realms:
  - {id: acme, serviceProviders: [tv]}
`

// last is the honest request that follows each case on its connection.
const last = "GET /api/tv/list HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

// puzzling are requests that are allowed, or refused for another reason than
// their form, and whose end a proxy and the node might still see in different
// places: the node answers some of them before it needs their bodies.
func puzzling() []ambiguous.Request {
	with := func(line, more string) string {
		return fmt.Sprintf("%s HTTP/1.1\r\nHost: a\r\n%sContent-Length: %d\r\n\r\n%s", line, more, len(ambiguous.Hidden), ambiguous.Hidden)
	}
	chunked := fmt.Sprintf("POST /api/tv/unlink HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(ambiguous.Hidden), ambiguous.Hidden)
	return []ambiguous.Request{
		{Name: "body of a POST", Raw: with("POST /api/tv/unlink", "")},
		{Name: "body of a GET", Raw: with("GET /api/tv/list", "")},
		{Name: "body of OPTIONS", Raw: with("OPTIONS /api/tv/list", "")},
		{Name: "body for nobody", Raw: with("POST /nowhere", "")},
		{Name: "body with a wrong method", Raw: with("PUT /api/tv/list", "")},
		{Name: "body with a path that is refused", Raw: with("POST /api/tv/%2e%2e/list", "")},
		{Name: "body with a repeated header", Raw: with("POST /api/tv/link", "X-SSO-ID: a\r\nX-SSO-ID: b\r\n")},
		{Name: "chunked body", Raw: chunked},
		{Name: "body that waits to be asked for", Raw: with("POST /api/tv/unlink", "Expect: 100-continue\r\n")},
		{Name: "body with an unknown expectation", Raw: with("POST /api/tv/unlink", "Expect: 200-ok\r\n")},
		{Name: "length of one hop only", Raw: with("POST /api/tv/unlink", "Connection: Content-Length\r\n")},
		{Name: "coding of one hop only", Raw: strings.Replace(chunked, "\r\n\r\n", "\r\nConnection: Transfer-Encoding\r\n\r\n", 1)},
		{Name: "coding with an underscore", Raw: with("POST /api/tv/unlink", "Transfer_Encoding: chunked\r\n")},
		{Name: "upgrade to HTTP/2", Raw: with("GET /api/tv/list", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n")},
		{Name: "upgrade to WebSocket", Raw: with("GET /api/tv/list", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n")},
		{Name: "empty lines first", Raw: "\r\n\r\nGET /api/tv/list HTTP/1.1\r\nHost: a\r\n\r\n"},
		{Name: "empty line behind a body", Raw: with("POST /api/tv/unlink", "") + "\r\n"},
		{Name: "no host in HTTP/1.0", Raw: "GET /api/tv/list HTTP/1.0\r\n\r\n"},
		{Name: "close on the second line", Raw: with("POST /api/tv/unlink", "Connection: keep-alive\r\nConnection: close\r\n")},
		{Name: "two requests at once", Raw: "GET /api/tv/list HTTP/1.1\r\nHost: a\r\n\r\n"},
	}
}

// TestNothingIsSmuggledThroughProxies sends what is ambiguous through proxies
// that pass on as much as they can. What one of them makes of a request is its
// affair; but the node must see each request that the proxy passed on, no other,
// and answer it once, and the proxy's next client must get its own answer.
func TestNothingIsSmuggledThroughProxies(t *testing.T) {
	for _, kind := range proxies {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			n := startNode(t, smuggleConfig)
			p := startProxy(t, kind, n.HTTP)
			var all passed
			cases := append(puzzling(), ambiguous.Requests()...)
			for _, c := range cases {
				t.Run(c.Name, func(t *testing.T) {
					got := p.smuggle(t, n, c.Raw)
					all.tried, all.answered = all.tried+got.tried, all.answered+got.answered
				})
			}
			if !t.Failed() {
				t.Logf("%d cases; passed on: %v; smuggled=0", len(cases), all)
			}
			if all.answered < len(cases) {
				t.Errorf("the proxy passed on %v: too little to prove anything", all)
			}
		})
	}
}

// smuggle sends one case and the honest request after it, then another client's
// request.
func (p *proxy) smuggle(t *testing.T, n *node, raw string) passed {
	t.Helper()
	before, logged := n.answers(), len(p.log())
	got := converse(t, p.address, raw+last)
	innocent := converse(t, p.address, "GET /openapi.yaml HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	if len(innocent) != 1 || innocent[0].status != http.StatusOK || !strings.HasPrefix(innocent[0].body, "openapi:") {
		t.Errorf("another client got %v, want its own answer", innocent)
	}
	if sent := 2 + strings.Count(raw, ambiguous.Hidden); len(got) > sent {
		t.Errorf("got %d answers to at most %d requests: %v", len(got), sent, got)
	}
	ids := map[string]bool{}
	for _, a := range append(got, innocent...) {
		if a.id != "" && ids[a.id] {
			t.Errorf("an answer came twice: %v", got)
		}
		ids[a.id] = true
	}
	delete(ids, "") // answers of the proxy itself
	return p.agrees(t, n, before, logged, len(ids))
}

// agrees compares what the node answered with what the proxy passed on, once
// the proxy has logged the other client's request and the node has counted it.
func (p *proxy) agrees(t *testing.T, n *node, before, logged, received int) passed {
	t.Helper()
	until(t, "the proxy has logged its last request", func() bool { return strings.Contains(p.log()[logged:], "GET /openapi.yaml") })
	var seen int
	var sent passed
	settled := time.Now().Add(2 * time.Minute)
	for tick := time.NewTicker(5 * time.Millisecond); ; <-tick.C {
		seen, sent = n.answers()-before, p.passed(logged)
		if sent.answered <= seen && seen <= sent.tried && received <= seen {
			tick.Stop()
			return sent
		}
		if time.Now().After(settled) {
			t.Fatalf("the node answered %d requests and clients got %d of its answers; the proxy passed on %v:\n%s",
				seen, received, sent, p.log()[logged:])
		}
	}
}

// answers is how many requests the node has answered or refused.
func (n *node) answers() int {
	n.Helper()
	return int(n.metric("ssod_http_requests_total"))
}

// reply is an answer on a raw connection; id is empty when a proxy gave it.
type reply struct {
	status   int
	id, body string
}

func (r reply) String() string { return fmt.Sprintf("%d %s", r.status, r.id) }

// converse sends bytes and reads answers until the connection is closed or what
// comes is no HTTP/1 any more.
func converse(t *testing.T, address, raw string) (replies []reply) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	must(t, err)
	defer c.Close()
	must(t, c.SetDeadline(time.Now().Add(2*time.Minute)))
	go io.WriteString(c, raw) // the other side may close before it has read all
	in := bufio.NewReader(c)
	first, _, _ := strings.Cut(raw, " ")
	for {
		r, err := http.ReadResponse(in, &http.Request{Method: first})
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the connection is still open after %v", replies)
		}
		if err != nil {
			return replies
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("body after %v: %v", replies, err)
		}
		if r.StatusCode >= http.StatusOK {
			first = ""
			replies = append(replies, reply{r.StatusCode, r.Header.Get("X-Request-Id"), string(body)})
		}
	}
}
