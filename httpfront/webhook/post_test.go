package webhook

import (
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ssod/httpfront/config"
)

// deliver posts one event to a URL.
func deliver(t *testing.T, url, caFile string) verdict {
	t.Helper()
	r := newReceiver("one", "name", config.Webhook{URL: url, SecretFile: secretFile(t), CAFile: caFile})
	if r.broken != "" {
		t.Fatal(r.broken)
	}
	defer r.client.CloseIdleConnections()
	return r.post(t.Context(), letter{JSON: []byte("{}")}, time.Now())
}

// TestAnswersAreCut: neither the headers nor the body of an answer are read for long.
func TestAnswersAreCut(t *testing.T) {
	const fits, tooLong = 8, 24 // headers of 256 bytes
	for _, secure := range []bool{false, true} {
		for headers, delivered := range map[int]bool{fits: true, tooLong: false} {
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, q *http.Request) {
				if q.ProtoMajor != 1 != secure {
					t.Errorf("delivered by %s", q.Proto)
				}
				for n := range headers {
					rw.Header().Set(fmt.Sprint("X-", n), strings.Repeat("x", 256))
				}
				rw.Write(make([]byte, 4*answerBytes))
			}))
			caFile := ""
			if server.EnableHTTP2 = secure; secure {
				server.StartTLS()
				caFile = filepath.Join(t.TempDir(), "ca.pem")
				block := &pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}
				if err := os.WriteFile(caFile, pem.EncodeToMemory(block), 0o600); err != nil {
					t.Fatal(err)
				}
			} else {
				server.Start()
			}
			v := deliver(t, server.URL, caFile)
			if server.Close(); v.delivered != delivered || !delivered && !strings.Contains(v.why, "headers") {
				t.Errorf("%d headers, https %v: %+v", headers, secure, v)
			}
		}
	}
}

// TestReceiversAreNotQuoted: what a receiver answers, or has in its URL, may be a secret.
func TestReceiversAreNotQuoted(t *testing.T) {
	const secret = "s3cret"
	for _, answer := range []string{
		"", secret, "HTTP/1.1 " + secret + "\r\n\r\n", "HTTP/" + secret + " 200 OK\r\n\r\n", "HTTP/1.1 500 " + secret + "\r\n\r\n",
		"HTTP/1.1 200 OK\r\n" + secret + "\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: " + secret + "\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: " + secret + "\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + secret + "\r\n",
		"HTTP/1.1 302 Found\r\nLocation: http://" + secret + ".example/\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 503 no\r\nRetry-After: " + secret + "\r\nContent-Length: 0\r\n\r\n",
	} {
		host := answerWith(t, answer)
		for _, url := range []string{"http://" + host + "/" + secret, "https://" + host + "/" + secret} {
			if v := deliver(t, url, ""); v.delivered || v.why == "" || strings.Contains(v.why, secret) {
				t.Errorf("%s, answered with %q: %+v", url[:5], answer, v)
			}
		}
	}
	if v := deliver(t, "http://127.0.0.1:1/"+secret, ""); v.why != "connection refused" {
		t.Errorf("nobody listens: %+v", v)
	}
	if r := newReceiver("one", "name", config.Webhook{URL: "http://127.0.0.1:port/" + secret, SecretFile: secretFile(t)}); r.broken != errURL.Error() {
		t.Errorf("a url that cannot be parsed: %s", r.broken)
	}
}

// answerWith answers any connection's first bytes, and returns its host.
func answerWith(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Read(make([]byte, 4<<10))
			io.WriteString(c, answer)
			c.Close()
		}
	}()
	return l.Addr().String()
}
