package loadgen

import (
	"errors"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	tests := []struct {
		name, in   string
		status     int
		body       string
		incomplete bool
		err        error
	}{
		{name: "body", in: "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}", status: 201, body: "{}"},
		{name: "next answer follows", in: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1", status: 200, body: "a"},
		{name: "header in lower case, last of many", in: "HTTP/1.1 200 OK\r\nA: b\r\ncontent-length:3\r\n\r\nabc", status: 200, body: "abc"},
		{name: "no content", in: "HTTP/1.1 204 No Content\r\nA: b\r\n\r\n", status: 204},
		{name: "half a head", in: "HTTP/1.1 200 OK\r\nContent-Le", incomplete: true},
		{name: "half a body", in: "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", incomplete: true},
		{name: "a name that ends alike", in: "HTTP/1.1 200 OK\r\nX-Content-Length: 1\r\n\r\na", err: errAnswer},
		{name: "no length", in: "HTTP/1.1 200 OK\r\n\r\n", err: errAnswer},
		{name: "negative length", in: "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", err: errAnswer},
		{name: "not HTTP", in: "SSH-2.0-OpenSSH\r\n\r\n", err: errAnswer},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok, err := parse([]byte(tt.in))
			if !errors.Is(err, tt.err) || ok != (tt.err == nil && !tt.incomplete) {
				t.Fatalf("parse: got ok=%v err=%v, want incomplete=%v err=%v", ok, err, tt.incomplete, tt.err)
			}
			if ok && (got.status != tt.status || string(got.body) != tt.body) {
				t.Fatalf("parse: got %d %q, want %d %q", got.status, got.body, tt.status, tt.body)
			}
			if ok && !strings.HasPrefix(tt.in[:got.size], "HTTP/1.1") {
				t.Fatalf("size %d does not cover the answer", got.size)
			}
		})
	}
}
