package httpfront

import (
	"cmp"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"ssod/cluster"
	"ssod/httpfront/api"
	"ssod/httpfront/wire"
)

var (
	headerRequestID    = []byte("X-Request-Id")
	headerCacheControl = []byte("Cache-Control")
	noStore            = []byte("no-store")
	headerTransport    = []byte("Strict-Transport-Security")
	aYear              = []byte("max-age=31536000")
)

func (x *exchange) set(name, value string) { x.http.Response.Header.Set(name, value) }

// addCommon sets the headers that every answer of an operation has.
func (x *exchange) addCommon() {
	x.server.setCommon(x.http, x.ID)
	x.addCORS()
}

// setCommon sets the headers that every answer has.
func (s *Server) setCommon(ctx *fasthttp.RequestCtx, id cluster.RequestID) {
	var trace [api.TraceSize]byte
	h := &ctx.Response.Header
	h.SetCanonical(headerRequestID, api.AppendUUID(trace[:0], id))
	h.SetCanonical(headerCacheControl, noStore)
	if s.secure {
		h.SetCanonical(headerTransport, aYear)
	}
}

func (x *exchange) succeed(r api.Response) {
	h := &x.http.Response.Header
	h.SetStatusCode(r.Status)
	if r.CacheControl != "" {
		h.Set("Cache-Control", r.CacheControl)
	}
	h.SetContentType(cmp.Or(r.ContentType, x.family.ContentType()))
	for _, f := range r.Fields {
		h.Add(f.Name, f.Value)
	}
	x.http.Response.SetBody(r.Body)
	x.account(r.Status, cmp.Or(r.Code, codeOK))
}

// fail writes what the catalogue says about err, in the shape of the path.
func (x *exchange) fail(err error) {
	e, after := api.Classify(err)
	h := &x.http.Response.Header
	h.SetStatusCode(e.Status)
	if e.Challenge != "" {
		h.Set("WWW-Authenticate", e.Challenge)
	}
	if after > 0 {
		h.Set("Retry-After", seconds(after))
	}
	if e.Status == fasthttp.StatusMethodNotAllowed {
		h.Set("Allow", x.resource.allow)
	}
	if errors.Is(err, api.ErrThrottled) {
		x.server.metrics.throttled.Inc()
	}
	switch {
	case x.family == api.HTML:
		x.problem(e, after)
	case errors.Is(err, api.ErrThrottled) && !x.wantsJSON():
		x.page()
	default:
		h.SetContentType(x.family.ContentType())
		x.http.Response.SetBody(e.AppendBody(x.Buffer[:0], x.family, x.Config.HelpURL, &x.Request))
	}
	x.report(e, err)
	x.account(e.Status, e.Code)
}

// report logs our faults, with the trace that the client sees.
func (x *exchange) report(e *api.Error, err error) {
	if e.Status == fasthttp.StatusServiceUnavailable && x.server.log.Enabled(x.http, slog.LevelDebug) {
		x.server.log.Debug("unavailable", "trace", string(x.AppendTrace(nil)), "error", err)
	}
	if e != api.Internal {
		return
	}
	args := []any{"trace", string(x.AppendTrace(nil)), "error", err}
	if p, ok := errors.AsType[*panicError](err); ok {
		args = append(args, "stack", string(p.stack))
	}
	x.server.log.Error("internal error", args...)
}

// page is what the vendor's throttle answers: HTML; httpfront/docs/limits.md#throttle.
func (x *exchange) page() {
	x.http.Response.Header.SetContentType("text/html")
	x.http.Response.SetBodyString("<html><head><title>429 Too Many Requests</title></head>" +
		"<body><h1>429 Too Many Requests</h1></body></html>\n")
}

// wantsJSON reports whether a throttled client gets JSON: below /api/ and
// wherever else errors are documents, when Accept names it.
func (x *exchange) wantsJSON() bool {
	return x.family != api.OAuth && api.NamesJSON(x.Header(wire.Accept))
}

// seconds is d for Retry-After, rounded up.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}
