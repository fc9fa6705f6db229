package admin

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/net/netutil"
)

// maxConnections bounds open connections of one listener: operators and
// scrapers are few.
const maxConnections = 256

// Options is what a [Server] needs.
type Options struct {
	// Address is host:port of the listener; port 0 takes a free one.
	Address string
	// TLS is nil for plain HTTP.
	TLS *tls.Config
	// Tokens are the bearer tokens of which every request must carry one; nil: none.
	Tokens *Tokens
	// Status returns the node's state.
	Status func() Status
	// Found founds a cluster on a node that waits for one to join. It fails with
	// [ErrFounded]. Nil: there is none to found.
	Found func(ctx context.Context) error
	// Metrics is what /metrics shows; nil: nothing.
	Metrics prometheus.Gatherer
	// OpenAPI is the document of the public API, at /openapi.yaml.
	OpenAPI []byte
	// Log gets the audit lines and our faults; nil means slog.Default.
	Log *slog.Logger
}

// Server is the admin listener of a node, or its health listener.
type Server struct {
	http     *http.Server
	end      context.CancelFunc // ends the calls that run
	listener net.Listener
	done     chan error

	status   func() Status
	found    func(ctx context.Context) error
	services atomic.Pointer[Services]
	metrics  http.Handler
	openapi  []byte
	tokens   *Tokens // nil: none is needed
	loopback bool
	log      *slog.Logger
}

// Start serves health, metrics, profiles and the admin API.
func Start(o Options) (*Server, error) {
	s, err := listen(o)
	if err != nil {
		return nil, fmt.Errorf("listen for the admin API: %w", err)
	}
	s.serve(s.guard(s.pages().mux()), o.TLS)
	return s, nil
}

// Health serves livez, readyz and metrics to everybody.
func Health(o Options) (*Server, error) {
	o.Tokens = nil
	s, err := listen(o)
	if err != nil {
		return nil, fmt.Errorf("listen for health checks: %w", err)
	}
	r := routes{}
	s.health(r)
	s.serve(r.mux(), nil)
	return s, nil
}

func listen(o Options) (*Server, error) {
	l, err := net.Listen("tcp", o.Address)
	if err != nil {
		return nil, err
	}
	s := &Server{
		listener: netutil.LimitListener(l, maxConnections),
		done:     make(chan error, 1),
		status:   o.Status,
		found:    o.Found,
		tokens:   o.Tokens,
		metrics:  metricsOf(o.Metrics),
		openapi:  o.OpenAPI,
		loopback: l.Addr().(*net.TCPAddr).IP.IsLoopback(),
		log:      o.Log,
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	return s, nil
}

// serve answers until [Server.Shutdown].
func (s *Server) serve(h http.Handler, t *tls.Config) {
	if t != nil {
		h = strictly(h)
	}
	calls, end := context.WithCancel(context.Background())
	s.end = end
	s.http = &http.Server{
		BaseContext:       func(net.Listener) context.Context { return calls },
		Handler:           h,
		TLSConfig:         t,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		// Long enough for the CPU profile of a minute.
		WriteTimeout:   90 * time.Second,
		IdleTimeout:    2 * time.Minute, // longer than balancers and scrapers keep connections
		MaxHeaderBytes: 16 << 10,
		ErrorLog:       slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	go func() {
		if t != nil {
			s.done <- s.http.ServeTLS(s.listener, "", "")
			return
		}
		s.done <- s.http.Serve(s.listener)
	}()
}

// strictly has browsers come with TLS only, for a year (RFC 6797).
func strictly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		next.ServeHTTP(w, r)
	})
}

// Serve gives the admin API what it acts on.
func (s *Server) Serve(services *Services) { s.services.Store(services) }

// Address is where the server listens.
func (s *Server) Address() net.Addr { return s.listener.Addr() }

// lastCalls is how long calls may still run when the server is shut down. One that
// runs longer waits for other nodes.
const lastCalls = time.Second

// Shutdown lets requests finish, ends those that wait for others, and cuts off what
// is left when ctx ends.
func (s *Server) Shutdown(ctx context.Context) error {
	defer s.end()
	defer time.AfterFunc(lastCalls, s.end).Stop()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	if served := <-s.done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	if err != nil {
		return fmt.Errorf("stop the listener on %s: %w", s.listener.Addr(), err)
	}
	return nil
}
