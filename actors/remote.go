package actors

import (
	"context"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/eventstream"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/keepalive"
)

// Settings of the transport.
const (
	// batchSize bounds what one frame holds, so that a frame of the largest
	// messages stays below maxFrame: a frame that is refused ends the stream.
	batchSize = 64
	maxFrame  = batchSize*maxMessage + 1<<20
	// queueSize is the first size of a peer's queue, which grows; the default
	// is a million pointers per peer.
	queueSize = 1024
	// dialTimeout bounds a connection attempt to a host that does not answer.
	dialTimeout = time.Second
	// shakingTimeout bounds the handshake of whoever dials this node; the
	// default is two minutes.
	shakingTimeout = 3 * time.Second
	// keepaliveTime is after how much silence a peer is probed, and
	// keepaliveTimeout how long it may take to answer. Without them a paused
	// host is not noticed.
	keepaliveTime    = 10 * time.Second
	keepaliveTimeout = 2 * time.Second
	// downTime is how long a peer counts as down at most: the transport tries
	// again after 2 s and says so.
	downTime = 3 * time.Second
	// restTime is for how long nothing is sent to a peer whose stream broke. A
	// node that stops closes this connection first, and until the cluster's
	// network notices too it would be dialed, be refused, and count as down for
	// two seconds in which it may be back and lead.
	restTime = 500 * time.Millisecond
)

// peers are the connections to other nodes.
type peers struct {
	runtime *Runtime
	up      func(address string) bool
	door    door
	remote  *remote.Remote
	events  *eventstream.Subscription

	mu        sync.Mutex
	connected map[string]bool      // addresses with a stream that works
	met       map[string]bool      // addresses that had one at some time
	failing   map[string]time.Time // address -> until when it counts as down
	resting   map[string]time.Time // address -> until when nothing is sent
	known     map[string]bool      // every address there was a connection to
}

// listen starts the transport of actor messages.
func (r *Runtime) listen(c *Remote, self string) (err error) {
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("listen address: %w", err)
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return fmt.Errorf("listen address %q: %w", c.Listen, err)
	}
	p := &peers{
		runtime: r, up: c.Up, door: door{c.Papers, &atomic.Pointer[string]{}, &callers{}},
		connected: map[string]bool{}, met: map[string]bool{}, failing: map[string]time.Time{}, resting: map[string]time.Time{}, known: map[string]bool{},
	}
	config := remote.Configure(bracketed(host), int(number),
		remote.WithAdvertisedHost(self),
		remote.WithEndpointWriterBatchSize(batchSize),
		remote.WithEndpointWriterQueueSize(queueSize),
		remote.WithDialOptions(p.dialOptions()...),
		remote.WithServerOptions(p.serverOptions()...))
	if p.up == nil {
		p.up = func(string) bool { return true }
	}
	config.MaxRetryCount = 1 // it sleeps 2 s after each attempt
	p.remote = remote.NewRemote(r.system, config)
	if err := start(p.remote); err != nil {
		return err
	}
	// After the transport's own subscription: when attempts are failed here,
	// the transport has forgotten the endpoint, so a new attempt dials anew.
	p.events = r.system.EventStream.Subscribe(p.event)
	r.peers, r.self = p, r.system.Address()
	p.door.address.Store(&r.self)
	return nil
}

// bracketed is a host as it stands before a colon and a port, which is how the
// transport puts the two together: an IPv6 address has colons of its own (RFC 3986,
// 3.2.2).
func bracketed(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// start turns the panic of a transport that cannot listen into an error.
func start(t *remote.Remote) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("actor transport: %v", cause)
		}
	}()
	t.Start()
	return nil
}

func (p *peers) dialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithTransportCredentials(p.door),
		grpc.WithStreamInterceptor(p.watchStream),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.DefaultConfig, MinConnectTimeout: dialTimeout,
		}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: keepaliveTime, Timeout: keepaliveTimeout, PermitWithoutStream: true,
		}),
		grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(maxFrame), grpc.MaxCallRecvMsgSize(maxFrame)),
	}
}

func (p *peers) serverOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.Creds(p.door),
		grpc.ConnectionTimeout(shakingTimeout),
		grpc.ChainStreamInterceptor(p.admitStream, guardStream),
		grpc.ChainUnaryInterceptor(refuseUnary),
		grpc.MaxRecvMsgSize(maxFrame),
		grpc.MaxSendMsgSize(maxFrame),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{
			MinTime: keepaliveTime / 2, PermitWithoutStream: true,
		}),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: keepaliveTime, Timeout: keepaliveTimeout}),
	}
}

// watchStream tells at once when a peer cannot be reached or its stream breaks;
// the transport itself sleeps 2 s before it says so.
func (p *peers) watchStream(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, streamer grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	address := cc.Target()
	stream, err := streamer(ctx, desc, cc, method, opts...)
	p.mu.Lock()
	p.known[address] = true
	p.connected[address] = err == nil
	p.met[address] = p.met[address] || err == nil
	p.mu.Unlock()
	if err != nil {
		p.fail(address, codeUnreachable)
		return nil, err
	}
	return &watchedStream{ClientStream: stream, broken: func() { p.fail(address, Code_UNKNOWN) }}, nil
}

type watchedStream struct {
	grpc.ClientStream
	broken func()
}

func (s *watchedStream) RecvMsg(m any) error {
	err := s.ClientStream.RecvMsg(m)
	if err != nil {
		s.broken()
	}
	return err
}

// fail ends what is in flight to a peer with code, and what is asked of it
// until the transport has given the connection up.
func (p *peers) fail(address string, code Code) {
	p.mu.Lock()
	p.connected[address] = false
	p.failing[address] = time.Now().Add(downTime)
	p.resting[address] = time.Now().Add(restTime)
	p.mu.Unlock()
	p.runtime.replies.unreachable(address, code)
}

// event follows the transport's own view of its endpoints. What waits for a
// peer without a stream was never sent: it had no effect.
func (p *peers) event(e any) {
	t, ok := e.(*remote.EndpointTerminatedEvent)
	if !ok {
		return
	}
	p.mu.Lock()
	code := codeUnreachable
	if p.connected[t.Address] {
		code = Code_UNKNOWN
	}
	delete(p.failing, t.Address)
	p.mu.Unlock()
	p.runtime.replies.unreachable(t.Address, code)
}

// down reports whether a peer is known to be unreachable.
func (p *peers) down(address string) bool {
	if !p.up(address) {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	return now.Before(p.failing[address]) || now.Before(p.resting[address])
}

// returns reports whether a node that counts as down is known to be there: it was
// restarted, and the transport will notice within [downTime].
func (r *Runtime) returns(address string) bool {
	if r.peers == nil || !r.peers.up(address) {
		return false
	}
	r.peers.mu.Lock()
	defer r.peers.mu.Unlock()
	return r.peers.met[address]
}

// stop closes every connection. The transport's own graceful way of stopping
// races with its senders. A writer that failed to dial sleeps for up to 2 s and
// is waited for.
func (p *peers) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), downTime)
	defer cancel()
	_ = until(ctx, func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.failing) == 0
	})
	p.mu.Lock()
	addresses := slices.Collect(maps.Keys(p.known))
	p.mu.Unlock()
	stream := p.runtime.system.EventStream
	for _, address := range addresses {
		stream.Publish(&remote.EndpointTerminatedEvent{Address: address})
	}
	p.remote.Shutdown(false)
	stream.Unsubscribe(p.events)
}

// reaches reports whether it makes sense to send something to a node.
func (r *Runtime) reaches(address string) bool { return r.peers == nil || r.peers.up(address) }
