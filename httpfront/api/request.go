package api

import (
	"context"
	"encoding/hex"
	"net/netip"
	"strings"
	"time"

	"ssod/cluster"
	"ssod/httpfront/config"
	"ssod/httpfront/wire"
)

// Handler serves one operation. Request and Response are used until the
// handler returned and its response was written; copy what outlives that.
type Handler func(ctx context.Context, r *Request) (Response, error)

// Request is a request that passed the checks which all operations share.
type Request struct {
	*wire.Request
	// ID is drawn for every request, never taken from a client. It is the
	// trace of errors, X-Request-Id, and what makes a repeated command one.
	ID cluster.RequestID
	// Received is the time that tokens are judged at.
	Received time.Time
	// Address is the device's, as far as it can be trusted.
	Address netip.Addr
	// Config is the configuration for the whole request.
	Config *config.Config
	// Parameter is the variable segment of the path; the service provider where
	// there are two.
	Parameter string
	// Item is the second variable segment: a code or the id of an MVPD.
	Item string
	// Realm is the tenant of the service provider that Parameter names; nil
	// when there is none, or Parameter is something else.
	Realm *config.Realm
	// Buffer is empty and may be appended to for Response.Body.
	Buffer []byte
}

// Response is a handler's success.
type Response struct {
	Status int
	// ContentType is that of the family's JSON when empty.
	ContentType string
	// Code is that of an error which a page tells in its own words, for metrics and logs;
	// empty: it is none.
	Code string
	// CacheControl is no-store when empty.
	CacheControl string
	// Fields are further header fields: Location, Set-Cookie,
	// Content-Security-Policy.
	Fields []Field
	Body   []byte
}

// Field is a header field of an answer.
type Field struct{ Name, Value string }

// Query is what the target has behind its question mark.
func (r *Request) Query() string {
	_, query, _ := strings.Cut(string(r.Target), "?")
	return query
}

// HasForm reports whether the body says, once, that it is a form.
func (r *Request) HasForm() bool {
	return !r.Repeated(wire.ContentType) && isA(r.Header(wire.ContentType), "application/x-www-form-urlencoded")
}

// TraceSize is the length of a UUID in text.
const TraceSize = 36

// AppendTrace appends the request's id as a UUID.
func (r *Request) AppendTrace(b []byte) []byte { return AppendUUID(b, r.ID) }

// AppendUUID appends id in the text form of RFC 9562.
func AppendUUID(b []byte, id cluster.RequestID) []byte {
	b = append(hex.AppendEncode(b, id[:4]), '-')
	b = append(hex.AppendEncode(b, id[4:6]), '-')
	b = append(hex.AppendEncode(b, id[6:8]), '-')
	b = append(hex.AppendEncode(b, id[8:10]), '-')
	return hex.AppendEncode(b, id[10:])
}
