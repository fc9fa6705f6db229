package wire

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

// headOf is a request of HTTP/1.1 with some lines.
func headOf(lines ...string) string {
	return "GET / HTTP/1.1\r\nHost: a\r\n" + strings.Join(lines, "\r\n") + "\r\n\r\n"
}

// TestLinesOfAList: a list is the same on one line and on several.
func TestLinesOfAList(t *testing.T) {
	for _, tt := range []struct {
		name  Name
		lines []string
		want  string
	}{
		{Accept, []string{"Accept: text/plain", "accept: application/json"}, "text/plain, application/json"},
		{Accept, []string{"Accept: ", "ACCEPT: application/json", "Accept:"}, "application/json"},
		{Accept, []string{"Accept:", "Accept:"}, ""},
		{Cookie, []string{"Cookie: a=b", "X: y", "Cookie: c=d", "cookie: e=f; g=h"}, "a=b; c=d; e=f; g=h"},
		{ForwardedFor, []string{"X-Forwarded-For: 192.0.2.1", "x-forwarded-for: 10.0.0.1, 10.0.0.2"}, "192.0.2.1, 10.0.0.1, 10.0.0.2"},
		{Connection, []string{"Connection: keep-alive", "Connection: TE", "Connection: x"}, "keep-alive, TE, x"},
		// One value only: a second line is a second opinion, which its reader sees.
		{UserAgent, []string{"User-Agent: a", "User-Agent: b"}, "a"},
		{Authorization, []string{"Authorization: a", "Authorization: b"}, "a"},
	} {
		c, client := pipe(t, DefaultLimits)
		go io.WriteString(client, headOf(tt.lines...)+unlink)
		_, r, refusal := next(t, c)
		if refusal != 0 || string(r.Header(tt.name)) != tt.want || !r.Repeated(tt.name) {
			t.Errorf("%q: refusal %d, %q, repeated %v; want %q", tt.lines, refusal, r.Header(tt.name), r.Repeated(tt.name), tt.want)
		}
		reduced, r, refusal := next(t, c) // the bytes behind are as they were
		checkUnlink(t, reduced, r, refusal)
	}
}

// TestCloseWins: on whichever line and place it stands, and whatever else is
// said (RFC 9112, 9.3 and 9.6).
func TestCloseWins(t *testing.T) {
	for _, tt := range []struct {
		lines string
		close bool
	}{
		{"Connection: close", true},
		{"Connection: keep-alive\r\nConnection: close", true},
		{"Connection: close\r\nConnection: keep-alive", true},
		{"connection: TE\r\nX: y\r\nCONNECTION: a ,\tCLOSE , b", true},
		{"Connection:\r\nConnection: Close", true},
		{"Connection: ,,close", true},
		{"Connection: keep-alive\r\nConnection: closed", false},
		{"Connection: x-close\r\nClose: close", false},
		{"Connection: \"close\"", false},
	} {
		c, client := pipe(t, DefaultLimits)
		go io.WriteString(client, headOf(tt.lines))
		reduced, _, refusal := next(t, c)
		if refusal != 0 || strings.Contains(reduced, "Connection: close") != tt.close || c.last != tt.close {
			t.Errorf("%q: refusal %d, reduced to %q, last %v; want close %v", tt.lines, refusal, reduced, c.last, tt.close)
		}
	}
}

// TestManyLinesOfAList stay within the limit of a head.
func TestManyLinesOfAList(t *testing.T) {
	const n = 2000
	c, client := pipe(t, DefaultLimits)
	go fmt.Fprintf(client, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", strings.Repeat("Accept: b\r\n", n))
	_, r, refusal := next(t, c)
	if got := strings.Count(string(r.Header(Accept)), "b"); refusal != 0 || got != n {
		t.Errorf("refusal %d, %d items, want %d", refusal, got, n)
	}
}

// TestExpectOnSeveralLines is asked for its body all the same.
func TestExpectOnSeveralLines(t *testing.T) {
	c, client := pipe(t, DefaultLimits)
	head, body, _ := strings.Cut(unlink, "\r\n\r\n")
	go func() {
		io.WriteString(client, head+"\r\nExpect: 100-Continue\r\nExpect: 100-continue\r\n\r\n")
		b := make([]byte, len("HTTP/1.1 100 Continue\r\n\r\n"))
		if _, err := io.ReadFull(client, b); err == nil && strings.HasPrefix(string(b), "HTTP/1.1 100 ") {
			io.WriteString(client, body)
		}
	}()
	reduced, r, refusal := next(t, c)
	checkUnlink(t, reduced, r, refusal)
}

// TestHostByVersion: HTTP/1.0 knows no Host, and ends with its answer.
func TestHostByVersion(t *testing.T) {
	for raw, want := range map[string]int{
		"GET / HTTP/1.0\r\n\r\n":                            0,
		"HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n": 0,
		"GET / HTTP/1.0\r\nHost: a\r\n\r\n":                 0,
		"GET / HTTP/1.0\r\nHost:\r\n\r\n":                   400,
		"GET / HTTP/1.0\r\nHost: a b\r\n\r\n":               400,
		"GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n":      400,
		"GET / HTTP/1.1\r\n\r\n":                            400,
		"GET / HTTP/1.1\r\nHost:\r\n\r\n":                   400,
	} {
		c, client := pipe(t, DefaultLimits)
		go io.WriteString(client, raw)
		reduced, _, refusal := next(t, c)
		if refusal != want || !strings.Contains(reduced, "\r\nConnection: close\r\n") || strings.Count(reduced, "\r\nHost: ") != 1 {
			t.Errorf("%q: refusal %d, reduced to %q; want %d and the end", raw, refusal, reduced, want)
		}
	}
}
