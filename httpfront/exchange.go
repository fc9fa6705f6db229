package httpfront

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/valyala/fasthttp"

	"ssod/httpfront/api"
	"ssod/httpfront/api/headers"
	"ssod/httpfront/throttle"
	"ssod/httpfront/wire"
)

// exchange is one request and its answer: the adapter around every handler.
// Exchanges are pooled.
type exchange struct {
	api.Request
	server   *Server
	http     *fasthttp.RequestCtx
	conn     *wire.Conn
	resource *resource
	op       *operation
	family   api.Family
	ids      idSource
	buffer   []byte
	began    time.Time // by the machine's clock, for what is measured and not compared with a date
}

// serve is fasthttp's handler.
func (s *Server) serve(ctx *fasthttp.RequestCtx) {
	conn := ctx.Conn().(*wire.Conn)
	r, refusal, _ := conn.Take()
	if refusal.Status != 0 {
		s.refuse(ctx, refusal)
		return
	}
	p, ok := splitPath(r.Target)
	if !ok {
		conn.CloseAfter()
		s.refuse(ctx, errPath)
		return
	}
	x := s.exchanges.Get().(*exchange)
	x.begin(s, ctx, conn, r, &p)
	x.answer()
	if s.draining.Load() {
		ctx.SetConnectionClose()
	}
	x.end()
}

// errPath is wire's word on paths, which it does not take apart.
var errPath = wire.Refusal{Status: fasthttp.StatusBadRequest, Reason: "a path that can be read in two ways"}

// refuse answers a request that is not understood beyond doubt: an empty body,
// and the end of the connection. Why is in the log, with the id that the client has.
func (s *Server) refuse(ctx *fasthttp.RequestCtx, why wire.Refusal) {
	ctx.SetStatusCode(why.Status)
	ctx.SetConnectionClose()
	ctx.Response.Header.SetNoDefaultContentType(true)
	x := s.exchanges.Get().(*exchange)
	id := x.ids.next()
	s.exchanges.Put(x)
	s.setCommon(ctx, id)
	s.other.count(why.Status, "refused", 0)
	if s.log.Enabled(ctx, slog.LevelDebug) {
		var trace [api.TraceSize]byte
		s.log.Debug("refused", "status", why.Status, "reason", why.Reason, "trace", string(api.AppendUUID(trace[:0], id)))
	}
}

// begin fills the exchange from what the wire and the path say.
func (x *exchange) begin(s *Server, ctx *fasthttp.RequestCtx, conn *wire.Conn, r *wire.Request, p *path) {
	x.server, x.http, x.conn, x.began = s, ctx, conn, time.Now()
	x.Request = api.Request{
		Request:  r,
		ID:       x.ids.next(),
		Received: s.now(),
		Config:   s.settings(),
		Buffer:   x.buffer[:0],
	}
	peer := addressOf(conn.RemoteAddr())
	x.Address = throttle.ClientAddress(peer, r.Header(wire.ForwardedFor), x.Config.Throttle.TrustedProxies)
	named := s.routes.find(p)
	if named.resource == s.routes.docs && !x.Config.Docs {
		named = found{}
	}
	x.resource, x.family = named.resource, named.family
	if x.resource == nil {
		return
	}
	x.op = x.resource.operation(r.Method)
	x.Parameter, x.Item = string(named.parameter), string(named.item)
	if p.is(0, "api") || p.is(0, "activate") {
		x.Realm, _, _ = x.Config.ServiceProvider(x.Parameter)
	}
}

// end gives the exchange back. What the handler appended to the buffer keeps
// its room for the next one, within reason.
func (x *exchange) end() {
	const keep = 16 << 10
	if cap(x.Buffer) <= keep {
		x.buffer = x.Buffer[:0]
	}
	x.Request = api.Request{}
	x.http, x.conn, x.resource, x.op = nil, nil, nil, nil
	x.server.exchanges.Put(x)
}

// answer runs the request and writes what came out.
func (x *exchange) answer() {
	response, err := x.run()
	x.addCommon()
	switch {
	case err != nil:
		x.fail(err)
	case x.asksOptions():
		x.answerOptions()
		x.account(fasthttp.StatusNoContent, codeOK)
	default:
		x.succeed(response)
	}
}

// run takes the first steps of httpfront/docs/sso.md#check-order, which are the same for
// all operations, and then the handler. Whatever is asked takes a token of the throttle,
// also what there is not; only a player's preflight takes none, since it could not be
// told apart from the call that it announces.
func (x *exchange) run() (api.Response, error) {
	repeated := x.op != nil && x.repeatsSecurityHeader()
	if repeated {
		x.conn.CloseAfter()
		x.http.SetConnectionClose()
	}
	preflight := x.asksOptions() && x.isPreflight()
	if preflight {
		x.makeRoom()
	}
	switch {
	case !preflight && !x.server.admit(&x.Request, x.family, x.began):
		x.makeRoom()
		return api.Response{}, api.ErrThrottled
	case x.resource == nil:
		return api.Response{}, api.ErrNotFound
	case x.asksOptions():
		return api.Response{}, nil
	case x.op == nil:
		return api.Response{}, api.ErrMethod
	case repeated && x.repeatedError() != nil:
		return api.Response{}, x.repeatedError()
	case x.TooLarge && x.op.tooLarge != nil:
		return api.Response{}, x.op.tooLarge
	case x.op.ownPages && x.CrossSite():
		return api.Response{}, api.ErrStranger
	case x.server.cutOff(x.began):
		return api.Response{}, api.ErrCutOff
	}
	return x.handle(x.server.deadlines.at(x.began))
}

// makeRoom ends the connection of a request that took no token when places are scarce: it
// could be held for ever at no cost to the client.
func (x *exchange) makeRoom() {
	if x.conn.Crowded() {
		x.http.SetConnectionClose()
	}
}

// handle calls the handler. A panic is a fault of ours like any other: it is
// logged and answered, and the node goes on.
func (x *exchange) handle(ctx context.Context) (response api.Response, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{value: v, stack: debug.Stack()}
		}
	}()
	return x.op.handler(ctx, &x.Request)
}

// panicError keeps what a panic said for the log. Only the runtime's own words
// are kept: another value may hold a token.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string {
	if err, ok := e.value.(runtime.Error); ok {
		return "panic: " + err.Error()
	}
	return fmt.Sprintf("panic with a %T", e.value)
}

func (x *exchange) repeatsSecurityHeader() bool {
	return x.Repeated(wire.Authorization) || x.Repeated(wire.ServiceToken) || x.Repeated(wire.SSOID) ||
		x.Repeated(wire.SSOLink) || x.Repeated(wire.DeviceIdentifier)
}

// repeatedError is what a client is told of it. The entitlement API has no code
// for it: an access token is then not usable, a device not named, and a service
// token as if it were not good, which its handlers see to.
func (x *exchange) repeatedError() error {
	switch {
	case x.family != api.V2:
		return api.ErrRepeatedHeader
	case x.Repeated(wire.Authorization):
		return api.ErrClientApplication
	case x.Repeated(wire.DeviceIdentifier):
		return api.ErrDevice
	}
	return nil
}

// account counts and logs the answer; without the path's variable part, which
// may be anything, and without headers, which hold secrets, but for the visitor's
// id.
func (x *exchange) account(status int, code string) {
	took := time.Since(x.began)
	meter, name := x.server.other, "other"
	if x.op != nil {
		meter, name = x.op.meter, x.op.name
	}
	meter.count(status, code, took)
	if log := x.server.log; log.Enabled(context.Background(), slog.LevelDebug) {
		log.Debug("answered", "endpoint", name, "status", status, "code", code,
			"trace", string(x.AppendTrace(nil)), "took", took.Round(time.Microsecond), "visitor", headers.Visitor(&x.Request))
	}
}
