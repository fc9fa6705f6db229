package main

import "strconv"

// request appends an HTTP/1.1 request part by part.
type request []byte

func newRequest(buf []byte, method, provider, operation, bearer string) request {
	buf = append(buf, method...)
	buf = append(buf, " /api/"...)
	buf = append(buf, provider...)
	buf = append(buf, '/')
	buf = append(buf, operation...)
	buf = append(buf, " HTTP/1.1\r\nHost: sso.bench.example\r\nAccept: application/json\r\nAuthorization: Bearer "...)
	buf = append(buf, bearer...)
	return append(buf, "\r\n"...)
}

func (r request) header(name, value string) request {
	r = append(r, name...)
	r = append(r, ": "...)
	r = append(r, value...)
	return append(r, "\r\n"...)
}

func (r request) device(id string) request {
	r = append(r, "AP-Device-Identifier: fingerprint "...)
	r = append(r, id...)
	return append(r, "\r\n"...)
}

// end closes the head and appends the body.
func (r request) end(body string) []byte {
	if body != "" {
		r = r.header("Content-Type", "application/json")
	}
	r = append(r, "Content-Length: "...)
	r = strconv.AppendInt(r, int64(len(body)), 10)
	r = append(r, "\r\n\r\n"...)
	return append(r, body...)
}
