// Package wire reads HTTP/1 requests from a connection, strictly.
//
// A server that forgives what others refuse can be made to see another request
// than the proxy in front of it saw. fasthttp forgives a lot (a bare line
// feed, a length beside a transfer coding, several hosts), so it is not given
// the bytes of the client. A [Conn] stands between: it reads one request at a
// time, and only a request that is complete and beyond doubt reaches fasthttp,
// reduced to its request line and its host. Its headers and its body are in the
// [Request] that [Conn.Take] returns. httpfront/DESIGN.md#reading-http has the
// alternative that was measured.
//
//	socket -> Conn: head, body, limits, deadline -> fasthttp -> handler
//	                 \______ Request: headers, body _________/
//
// What is doubtful becomes a [Refusal] from [Conn.Take]: the handler
// answers with its status and an empty body, and nothing that follows on the connection
// is looked at. Refused are: two Content-Length, Host or Transfer-Encoding
// lines, a length beside a transfer coding, a transfer coding on GET or in
// HTTP/1.0, no Host in HTTP/1.1, folded or malformed lines, bare line feeds and
// control characters, any target that does not begin with a slash, chunk
// extensions and trailers, more than a few blank lines before a request (431 and
// 408 where a limit is exceeded). A body over the limit
// is no refusal, since its request can be understood: it is not read, and
// [Request.TooLarge] says so.
//
// What RFC 9110 and 9112 leave no doubt about is understood: the lines of a list
// are one list ([Request.Header]), so that "close" on any of them closes the
// connection and a cookie on any of them is found, and a few blank lines before a
// request are no part of it.
//
// A connection that waits for a request holds no buffer. One that is in the
// middle of a request holds what it has sent, at most [Limits.Head] and
// [Limits.Body] or one of a few [LongBodies], and has [Limits.Request] to send
// all of it, however the bytes trickle.
package wire
