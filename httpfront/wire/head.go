package wire

import (
	"bytes"
	"encoding/binary"
)

// parseHead reads the head of a request, request line to empty line included,
// into r. Every line feed of head is known to follow a carriage return. It
// fails with a [Refusal] unless the head is well-formed and its framing beyond doubt.
func parseHead(head []byte, r *Request) error {
	line, rest := cutLine(head)
	if !parseRequestLine(line, r) {
		return errRequestLine
	}
	for {
		line, rest = cutLine(rest)
		if len(line) == 0 {
			return framed(r)
		}
		if !parseHeaderLine(line, r) {
			return errHeaderLine
		}
	}
}

// cutLine splits b behind its first line and returns the line without its end.
func cutLine(b []byte) (line, rest []byte) {
	i := bytes.IndexByte(b, '\n')
	return b[:i-1], b[i+1:]
}

// parseRequestLine accepts method SP origin-form SP HTTP/1.x, exactly.
func parseRequestLine(line []byte, r *Request) bool {
	method, rest, ok := bytes.Cut(line, space)
	if !ok || !isToken(method) {
		return false
	}
	target, version, ok := bytes.Cut(rest, space)
	if !ok || !isTarget(target) {
		return false
	}
	r.Method, r.Target = method, target
	r.oldVersion = string(version) == "HTTP/1.0"
	return r.oldVersion || string(version) == "HTTP/1.1"
}

// isTarget accepts the origin-form only: all others (an absolute URL, an
// authority, an asterisk) are for proxies.
func isTarget(b []byte) bool {
	if len(b) == 0 || b[0] != '/' {
		return false
	}
	for _, c := range b {
		if c <= ' ' || c >= 0x7f || c == '#' {
			return false
		}
	}
	return true
}

// parseHeaderLine accepts name ":" value. A line that begins with a blank
// continues the one before it (an obsolete form) and is refused here because a
// blank is no token.
func parseHeaderLine(line []byte, r *Request) bool {
	colon := bytes.IndexByte(line, ':')
	if colon < 0 || !isToken(line[:colon]) {
		return false
	}
	value := trim(line[colon+1:])
	if !isText(value) {
		return false
	}
	if n := nameOf(line[:colon]); n != None {
		r.add(n, value)
	}
	return true
}

// framed judges the headers that say where the request ends; RFC 9112, 6. In
// HTTP/1.0 there may be no Host (RFC 9112, 3.2): probes of load balancers speak
// it, nothing here depends on the host, and the connection ends with the answer.
func framed(r *Request) error {
	switch {
	case !r.sent(Host) && !r.oldVersion, r.sent(Host) && !isHost(r.values[Host]), r.Repeated(Host):
		return errHost
	case r.Repeated(ContentLength):
		return errLength
	case r.sent(TransferEncoding) && !isChunked(r):
		return errCoding
	}
	r.close = r.oldVersion || hasToken(r.values[Connection], "close")
	return nil
}

// isChunked accepts only the very word: lists and other codings are never needed here.
func isChunked(r *Request) bool {
	return string(r.values[TransferEncoding]) == "chunked" && !r.Repeated(TransferEncoding) &&
		!r.sent(ContentLength) && !r.oldVersion &&
		string(r.Method) != "GET" && string(r.Method) != "HEAD"
}

func isHost(b []byte) bool {
	if len(b) == 0 || len(b) > maxHost {
		return false
	}
	for _, c := range b {
		if c <= ' ' || c >= 0x7f || c == '/' || c == '?' || c == '#' || c == '@' || c == ',' {
			return false
		}
	}
	return true
}

// contentLength returns the value of Content-Length, which may have digits
// only, and at most as many as no arithmetic can suffer from.
func contentLength(r *Request) (n int, ok bool) {
	v := r.values[ContentLength]
	if !r.sent(ContentLength) {
		return 0, true
	}
	if len(v) == 0 || len(v) > 18 {
		return 0, false
	}
	for _, c := range v {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return n, true
}

// hasToken looks for a word in a comma-separated list, in any case.
func hasToken(list []byte, word string) bool {
	for len(list) > 0 {
		item, rest, _ := bytes.Cut(list, comma)
		if equalFold(trim(item), word) {
			return true
		}
		list = rest
	}
	return false
}

var (
	space = []byte{' '}
	comma = []byte{','}
)

func trim(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

// token marks the characters of RFC 9110, 5.6.2.
var token = func() (t [256]bool) {
	for c := '0'; c <= '9'; c++ {
		t[c] = true
	}
	for c := 'a'; c <= 'z'; c++ {
		t[c], t[c-0x20] = true, true
	}
	for _, c := range "!#$%&'*+-.^_`|~" {
		t[c] = true
	}
	return t
}()

func isToken(b []byte) bool {
	for _, c := range b {
		if !token[c] {
			return false
		}
	}
	return len(b) > 0
}

// isText refuses control characters other than the tab. Tokens make values
// long, so eight bytes are looked at together: some byte of x is below 0x20
// or is 0x7f exactly when the respective trick leaves a high bit.
func isText(b []byte) bool {
	const (
		ones  = 0x0101010101010101
		highs = 0x8080808080808080
	)
	for len(b) >= 8 {
		x := binary.LittleEndian.Uint64(b)
		del := x ^ 0x7f*ones
		if ((x-0x20*ones)&^x|(del-ones)&^del)&highs != 0 && !isTextSlow(b[:8]) {
			return false
		}
		b = b[8:]
	}
	return isTextSlow(b)
}

func isTextSlow(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
