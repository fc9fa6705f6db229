package ambiguous

import (
	"fmt"
	"strings"
)

// Request is what a client may send, byte by byte.
type Request struct {
	Name string
	Raw  string
}

const (
	post = "POST /api/tv/unlink HTTP/1.1\r\nHost: a\r\n"
	get  = "GET /api/tv/list HTTP/1.1\r\nHost: a\r\n"
)

// Requests returns them all. Each is to be refused, and its connection closed.
func Requests() []Request { return append(hiding(), unclear...) }

var unclear = []Request{
	{"two lengths, equal", post + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}"},
	{"two lengths, different", post + "Content-Length: 0\r\nContent-Length: 2\r\n\r\n{}"},
	{"two lengths in one line", post + "Content-Length: 2, 2\r\n\r\n{}"},
	{"length with a sign", post + "Content-Length: +2\r\n\r\n{}"},
	{"negative length", post + "Content-Length: -2\r\n\r\n{}"},
	{"length in hexadecimal", post + "Content-Length: 0x2\r\n\r\n{}"},
	{"length with a blank inside", post + "Content-Length: 1 2\r\n\r\n{}"},
	{"empty length", post + "Content-Length:\r\n\r\n{}"},
	{"length beyond 64 bits", post + "Content-Length: 18446744073709551618\r\n\r\n{}"},
	{"length and chunked", post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
	{"chunked and length", post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"},
	{"chunked twice", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
	{"chunked and identity", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"},
	{"chunked in a list", post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
	{"chunked in quotes", post + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"},
	{"chunked with a tab", post + "Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n"},
	{"identity", post + "Transfer-Encoding: identity\r\n\r\n"},
	{"empty coding", post + "Transfer-Encoding:\r\n\r\n"},
	{"unknown coding", post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"},
	{"chunked on GET", get + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
	{"chunked on HEAD", "HEAD /api/tv/list HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
	{"chunked in HTTP/1.0", "POST /api/tv/unlink HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
	{"blank before the colon", post + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"},
	{"blank before the colon of the length", post + "Content-Length : 2\r\n\r\n{}"},
	{"chunk size with a sign", post + "Transfer-Encoding: chunked\r\n\r\n+0\r\n\r\n"},
	{"chunk size with a prefix", post + "Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n"},
	{"chunk size with an extension", post + "Transfer-Encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\n\r\n"},
	{"chunk size overflows", post + "Transfer-Encoding: chunked\r\n\r\n10000000000000002\r\n{}\r\n0\r\n\r\n"},
	{"chunk longer than its size", post + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}x\r\n0\r\n\r\n"},
	{"bare line feed in chunks", post + "Transfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n"},
	{"trailer", post + "Transfer-Encoding: chunked\r\n\r\n0\r\nX-SSO-ID: a\r\n\r\n"},
	{"two hosts", get + "Host: b\r\n\r\n"},
	{"two hosts, equal", get + "Host: a\r\n\r\n"},
	{"two hosts in one line", "GET /api/tv/list HTTP/1.1\r\nHost: a, b\r\n\r\n"},
	{"no host", "GET /api/tv/list HTTP/1.1\r\n\r\n"},
	{"empty host in HTTP/1.0", "GET /api/tv/list HTTP/1.0\r\nHost:\r\n\r\n"},
	{"two hosts in HTTP/1.0", "GET /api/tv/list HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"},
	{"empty host", "GET /api/tv/list HTTP/1.1\r\nHost: \r\n\r\n"},
	{"host with a path", "GET /api/tv/list HTTP/1.1\r\nHost: a/b\r\n\r\n"},
	{"host with a user", "GET /api/tv/list HTTP/1.1\r\nHost: u@a\r\n\r\n"},
	{"folded line", get + "X-A: b\r\n c\r\n\r\n"},
	{"folded line with a tab", get + "X-A: b\r\n\tc\r\n\r\n"},
	{"folded first line", "GET /api/tv/list HTTP/1.1\r\n Host: a\r\nHost: a\r\n\r\n"},
	{"line without a colon", get + "X-A\r\n\r\n"},
	{"line without a name", get + ": b\r\n\r\n"},
	{"name with a blank", get + "X A: b\r\n\r\n"},
	{"name with a NUL", get + "X\x00A: b\r\n\r\n"},
	{"name beyond ASCII", get + "X-\xc3\xa4: b\r\n\r\n"},
	{"value with a NUL", get + "X-A: b\x00c\r\n\r\n"},
	{"value with an escape", get + "X-A: b\x1bc\r\n\r\n"},
	{"value with DEL", get + "X-A: aaaaaaaabbbbbbb\x7f\r\n\r\n"},
	{"bare carriage return", get + "X-A: b\rX-B: c\r\n\r\n"},
	{"bare line feed after the request line", "GET /api/tv/list HTTP/1.1\nHost: a\r\n\r\n"},
	{"bare line feed in the headers", get + "X-A: b\nX-B: c\r\n\r\n"},
	{"bare line feed before the end", get + "X-A: b\r\n\n"},
	{"bare line feeds only", "GET /api/tv/list HTTP/1.1\nHost: a\n\n"},
	{"line feed and carriage return", "GET /api/tv/list HTTP/1.1\r\nHost: a\n\r\n"},
	{"many empty lines first", strings.Repeat("\r\n", 5) + get + "\r\n"},
	{"line feed first", "\n" + get + "\r\n"},
	{"line feed behind an empty line", "\r\n\n" + get + "\r\n"},
	{"carriage return first", "\r" + get + "\r\n"},
	{"two carriage returns first", "\r\r\n" + get + "\r\n"},
	{"blank first", " " + get + "\r\n"},
	{"line of blanks first", " \r\n" + get + "\r\n"},
	{"NUL first", "\x00\r\n" + get + "\r\n"},
	{"no version", "GET /api/tv/list\r\nHost: a\r\n\r\n"},
	{"unknown version", "GET /api/tv/list HTTP/2.0\r\nHost: a\r\n\r\n"},
	{"version in lower case", "GET /api/tv/list http/1.1\r\nHost: a\r\n\r\n"},
	{"three digits of version", "GET /api/tv/list HTTP/1.10\r\nHost: a\r\n\r\n"},
	{"two blanks in the request line", "GET  /api/tv/list HTTP/1.1\r\nHost: a\r\n\r\n"},
	{"blank after the version", "GET /api/tv/list HTTP/1.1 \r\nHost: a\r\n\r\n"},
	{"tab in the request line", "GET\t/api/tv/list HTTP/1.1\r\nHost: a\r\n\r\n"},
	{"blank in the target", "GET /api/tv/list x HTTP/1.1\r\nHost: a\r\n\r\n"},
	{"method with a bracket", "G(T /api/tv/list HTTP/1.1\r\nHost: a\r\n\r\n"},
	{"absolute target", "GET http://a/api/tv/list HTTP/1.1\r\nHost: a\r\n\r\n"},
	{"authority target", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"},
	{"asterisk target", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"},
	{"target without a slash", "GET api/tv/list HTTP/1.1\r\nHost: a\r\n\r\n"},
	{"fragment", "GET /api/tv/list#x HTTP/1.1\r\nHost: a\r\n\r\n"},
	{"target beyond ASCII", "GET /api/tv/l\xc3\xafst HTTP/1.1\r\nHost: a\r\n\r\n"},
	{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
	{"TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"},
	{"encoded slash", "GET /api%2ftv/list HTTP/1.1\r\nHost: a\r\n\r\n"},
	{"dot segment", "GET /api/x/../tv/list HTTP/1.1\r\nHost: a\r\n\r\n"},
	{"empty segment", "GET /api//tv/list HTTP/1.1\r\nHost: a\r\n\r\n"},
}

// Hidden is a request inside the body of another. Whoever sees the body end too
// early takes it for one of its own.
const Hidden = "GET /.well-known/acme/jwks.json HTTP/1.1\r\nHost: a\r\n\r\n"

// hiding are requests that hide one from a server that goes by the length, or
// show one to it that goes by the chunks.
func hiding() []Request {
	const end = "0\r\n\r\n"
	chunk := fmt.Sprintf("%x\r\n%s\r\n%s", len(Hidden), Hidden, end)
	requests := []Request{
		{"hidden in a chunk from a length of 0", post + "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk},
		{"hidden in a chunk from a length of 4", post + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk},
		{"hidden in the body of a GET", get + "Transfer-Encoding: chunked\r\n\r\n" + chunk},
	}
	for _, coding := range []Request{
		{"plain", "Transfer-Encoding: chunked"},
		{"tab before the coding", "Transfer-Encoding:\tchunked"},
		{"VT before the coding", "Transfer-Encoding:\x0bchunked"},
		{"blank before the colon", "Transfer-Encoding : chunked"},
		{"blank before the name", " Transfer-Encoding: chunked"},
		{"upper case", "TRANSFER-ENCODING: CHUNKED"},
		{"unknown coding", "Transfer-Encoding: xchunked"},
		{"unknown coding after", "Transfer-Encoding: chunked\r\nTransfer-Encoding: x"},
		{"unknown coding before", "Transfer-Encoding: x\r\nTransfer-Encoding: chunked"},
		{"bare line feed before", "X-A: a\nTransfer-Encoding: chunked"},
		{"bare return before", "X-A: a\rTransfer-Encoding: chunked"},
		{"folded", "Transfer-Encoding:\r\n chunked"},
		{"NUL after the coding", "Transfer-Encoding: chunked\x00"},
	} {
		requests = append(requests, Request{
			"hidden behind the last chunk: " + coding.Name,
			fmt.Sprintf("%sContent-Length: %d\r\n%s\r\n\r\n%s%s", post, len(end+Hidden), coding.Raw, end, Hidden),
		})
	}
	return requests
}
