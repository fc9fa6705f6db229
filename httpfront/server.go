package httpfront

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"ssod/httpfront/api"
	"ssod/httpfront/config"
	"ssod/httpfront/throttle"
	"ssod/httpfront/wire"
)

// Options is what a [Server] needs.
type Options struct {
	// Address is host:port of the listener; port 0 takes a free one.
	Address string
	// TLSCert and TLSKey are PEM files; both empty means plain HTTP. They are
	// read again when they change.
	TLSCert, TLSKey string
	// Handlers are the operations.
	Handlers Handlers
	// Settings returns the current configuration.
	Settings func() *config.Config
	// CutOff reports whether a request that came at a time must not be served,
	// because the node may not know what was revoked by then; nil means never.
	CutOff func(at time.Time) bool
	// MaxConnections bounds open connections; one more takes the place of an idle
	// one, or is closed at once. One that is idle costs about 4 KB, one in the middle of a request up to
	// 100 KB. 0 means 20,000.
	MaxConnections int
	// Limits bounds a connection; zero means wire.DefaultLimits.
	Limits wire.Limits
	// Metrics may be nil.
	Metrics prometheus.Registerer
	// Log gets accesses at debug and our faults at error; nil means
	// slog.Default.
	Log *slog.Logger
	// Now is the clock that dates are compared with; nil means time.Now.
	Now func() time.Time
}

// Server is the public listener of a node.
type Server struct {
	http      *fasthttp.Server
	listener  *wire.Listener
	limits    wire.Limits
	routes    *routes
	throttle  *throttle.Throttle // of the calls of apps
	pages     *throttle.Throttle // of what viewers open: an app that polls must not keep them out
	deadlines *deadlines
	cancel    context.CancelFunc
	settings  func() *config.Config
	cutOff    func(time.Time) bool
	metrics   *metrics
	other     *meter // requests that name no operation
	log       *slog.Logger
	now       func() time.Time
	exchanges sync.Pool
	draining  atomic.Bool
	secure    bool // TLS ends here: browsers shall come with it again (RFC 6797)
	done      chan error
}

// Start listens and serves until [Server.Shutdown].
func Start(o Options) (*Server, error) {
	s := newServer(o)
	var tlsConfig *tls.Config
	if o.TLSCert != "" || o.TLSKey != "" {
		c, err := newCertificate(o.TLSCert, o.TLSKey, s.log)
		if err != nil {
			return nil, err
		}
		tlsConfig, s.secure = c.config(), true
	}
	l, err := net.Listen("tcp", o.Address)
	if err != nil {
		return nil, fmt.Errorf("listen for the public API: %w", err)
	}
	s.listener = wire.Listen(l, s.limits, connections(o), tlsConfig)
	s.listener.Share = s.share
	s.metrics.watch(o.Metrics, s.listener)
	s.listener.Failed = func(err error) { s.log.Warn("no connection can be accepted for now", "error", err) }
	go func() { s.done <- s.http.Serve(s.listener) }()
	return s, nil
}

func newServer(o Options) *Server {
	base, cancel := context.WithCancel(context.Background())
	s := &Server{
		limits:    o.Limits,
		throttle:  throttle.New(),
		pages:     throttle.New(),
		deadlines: newDeadlines(base),
		cancel:    cancel,
		settings:  o.Settings,
		cutOff:    o.CutOff,
		metrics:   newMetrics(o.Metrics),
		log:       o.Log,
		now:       o.Now,
		done:      make(chan error, 1),
	}
	if s.limits == (wire.Limits{}) {
		s.limits = wire.DefaultLimits
	}
	if s.cutOff == nil {
		s.cutOff = func(time.Time) bool { return false }
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.now == nil {
		s.now = time.Now
	}
	s.routes = newRoutes(o.Handlers, s.metrics)
	s.limits.Long = &wire.LongBodies{Size: longBody, Most: longBodies, Of: s.routes.long}
	s.other = s.metrics.meter("other")
	s.exchanges.New = func() any { return &exchange{buffer: make([]byte, 0, 2<<10)} }
	s.http = newFastHTTP(s, connections(o))
	return s
}

// A message of 256 KiB that a TV provider has signed is longer in Base64 and the escapes of a
// form. So many of them are in hand at once, which is 32 MiB.
const (
	longBody   = 400 << 10
	longBodies = 64
)

func connections(o Options) int {
	if o.MaxConnections == 0 {
		return 20_000
	}
	return o.MaxConnections
}

// errReduced is a fault: fasthttp did not understand what wire wrote.
var errReduced = wire.Refusal{Status: fasthttp.StatusBadRequest, Reason: "its reduced head was not understood"}

// newFastHTTP configures the part that fasthttp plays: it keeps a goroutine
// per connection and writes responses. Reading is package wire's.
func newFastHTTP(s *Server, connections int) *fasthttp.Server {
	return &fasthttp.Server{
		Handler: s.serve,
		// Never called as long as fasthttp understands what wire writes.
		ErrorHandler: func(ctx *fasthttp.RequestCtx, _ error) { s.refuse(ctx, errReduced) },
		// Package wire counts; one that is being closed still has its worker.
		Concurrency:           connections + 64,
		ReadBufferSize:        wire.MaxReduced,
		WriteTimeout:          s.limits.Write,
		ReduceMemoryUsage:     true,
		CloseOnShutdown:       true,
		NoDefaultServerHeader: true,
		SecureErrorLogMessage: true,
		Logger:                log.New(logWriter{s.log}, "", 0),
	}
}

// logWriter passes fasthttp's few messages on.
type logWriter struct{ log *slog.Logger }

func (w logWriter) Write(p []byte) (int, error) {
	w.log.Debug("http", "message", string(p))
	return len(p), nil
}

// ServeConn serves one connection that was not accepted by the listener, until
// it ends.
func (s *Server) ServeConn(c net.Conn) error {
	return s.http.ServeConn(wire.NewConn(c, &s.limits))
}

// Address is where the server listens.
func (s *Server) Address() net.Addr { return s.listener.Addr() }

// Connections returns the number of open connections.
func (s *Server) Connections() int { return s.listener.Counts().Open }

// Drain goes on to serve, and each answer is the last on its connection: clients
// and load balancers that keep connections have none left when [Server.Shutdown]
// closes them, which a request on its way could not survive.
func (s *Server) Drain() { s.draining.Store(true) }

// Resume takes Drain back.
func (s *Server) Resume() { s.draining.Store(false) }

// Shutdown stops accepting, lets requests finish until ctx ends, and closes
// idle connections at once.
func (s *Server) Shutdown(ctx context.Context) error {
	defer s.cancel()
	if err := s.http.ShutdownWithContext(ctx); err != nil {
		return fmt.Errorf("stop the public API: %w", err)
	}
	// Closed a second time as a rule; but right after the start fasthttp does
	// not know the listener yet, and would serve it after its own shutdown.
	_ = s.listener.Close()
	if err := <-s.done; err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("serve the public API: %w", err)
	}
	return nil
}

// share returns the holder that an address's connections count for, and how many it may
// have: an IPv6 client is its /64, and a trusted proxy may have any number.
func (s *Server) share(peer netip.Addr) (holder netip.Addr, most int) {
	t := &s.settings().Throttle
	if throttle.Trusts(t.TrustedProxies, peer) {
		return netip.Addr{}, 0
	}
	return throttle.Client(peer), t.PerAddressConnections
}

// admit asks the throttle; httpfront/docs/limits.md#throttle. The apps of a household and
// its viewers' browsers share an address, not a bucket.
func (s *Server) admit(r *api.Request, f api.Family, now time.Time) bool {
	t := &r.Config.Throttle
	if !t.Enabled {
		return true
	}
	buckets := s.throttle
	if f == api.HTML {
		buckets = s.pages
	}
	return buckets.Allow(r.Address, throttle.Rate{PerSecond: t.Rate, Burst: t.Burst}, now)
}

func addressOf(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr()
	}
	return netip.Addr{}
}
