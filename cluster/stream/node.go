package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"ssod/cluster/proof"
	"ssod/cluster/wait"
)

const (
	// tick is how often links are checked.
	tick = time.Second
	// quietTime is after how much silence an idle link is pinged, and silentTime how long
	// the pong, and a write, may take. Without them a paused host is not noticed.
	quietTime  = 10 * time.Second
	silentTime = 2 * time.Second
	// acceptPause is how long accepting rests when it fails.
	acceptPause = 50 * time.Millisecond
)

// Config says how to take part. Listen, Papers.Secrets, Receive and Ended are required.
type Config struct {
	// Listen is the host and port to listen at; port 0 lets the system choose.
	Listen string
	// Address is where other nodes reach this one; empty means that of the listener.
	Address string
	// Papers authenticate the nodes.
	Papers Papers
	// Receive takes an envelope, whose payload is valid during the call. It must not
	// wait: it holds up the link. An error ends the connection.
	Receive func(l *Link, k Kind, payload []byte) error
	// Ended is called when a link has ended; unless it was up, nothing that was sent on
	// it has arrived.
	Ended func(l *Link, up bool)
	// Log gets what an operator should know; nil means slog.Default.
	Log *slog.Logger
}

// Node is this node's end of all links. It is safe for concurrent use.
type Node struct {
	cfg      Config
	listener net.Listener
	address  string
	started  time.Time
	callers  callers
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	tasks    sync.WaitGroup

	refused                 rate.Sometimes // bounds what is logged of strangers
	refusals                proof.Refusals
	writes, envelopes, full atomic.Uint64

	mu      sync.RWMutex
	peers   map[string]*peer
	links   map[*Link]bool
	dialing map[uint32]*Link // by node: the link that it dialed last
}

// Open begins to listen. Nothing is answered before [Node.Start].
func Open(cfg Config) (*Node, error) {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	listener, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("actor stream: %w", err)
	}
	n := &Node{
		cfg: cfg, listener: listener, address: cfg.Address, started: time.Now(),
		refused: rate.Sometimes{First: 10, Interval: time.Second}, refusals: newRefusals(),
		peers: map[string]*peer{}, links: map[*Link]bool{}, dialing: map[uint32]*Link{},
	}
	if n.address == "" {
		n.address = listener.Addr().String()
	}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	return n, nil
}

// Address is where other nodes reach this one.
func (n *Node) Address() string { return n.address }

// Start accepts connections. It is called once.
func (n *Node) Start() {
	n.tasks.Go(n.accept)
	n.tasks.Go(n.watch)
}

// Close ends all links and waits for their goroutines.
func (n *Node) Close() error {
	n.mu.Lock()
	n.cancel()
	n.mu.Unlock()
	err := n.listener.Close()
	n.each(func(l *Link) { l.end(ErrClosed) })
	n.tasks.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (n *Node) now() int64 { return int64(time.Since(n.started)) }

// Hold gathers what f sends, on all links, and writes it when f has returned. f must not
// wait for anything.
func (n *Node) Hold(f func()) {
	var held []*Link
	n.mu.RLock()
	for l := range n.links {
		if l.hold() {
			held = append(held, l)
		}
	}
	n.mu.RUnlock()
	defer func() {
		for _, l := range held {
			l.flush()
		}
	}()
	f()
}

// each calls f for the links there are.
func (n *Node) each(f func(*Link)) {
	n.mu.RLock()
	all := slices.Collect(maps.Keys(n.links))
	n.mu.RUnlock()
	for _, l := range all {
		f(l)
	}
}

// accept takes connections until the node is closed.
func (n *Node) accept() {
	for n.ctx.Err() == nil {
		raw, err := n.listener.Accept()
		if err != nil {
			n.recover(err)
			continue
		}
		n.tasks.Go(func() { n.serve(raw) })
	}
}

// recover waits a little after Accept failed, as it does when there are no file
// descriptors left.
func (n *Node) recover(err error) {
	if errors.Is(err, net.ErrClosed) {
		return
	}
	n.cfg.Log.Error("connections of other nodes' actors are not accepted", "error", err)
	_ = wait.Pause(n.ctx, acceptPause) // it ends with the node
}

// serve serves a connection that another node dialed.
func (n *Node) serve(raw net.Conn) {
	defer raw.Close()
	defer context.AfterFunc(n.ctx, func() { raw.Close() })()
	if n.callers.enter(raw) {
		n.refusals.WithLabelValues(proof.Evicted).Inc()
	}
	c, err := n.cfg.Papers.admit(n.ctx, raw, n.address)
	n.callers.leave(raw)
	if err != nil {
		if n.ctx.Err() == nil {
			n.refuse(raw, err)
		}
		return
	}
	l := newLink(n)
	if n.keep(l, nil) == nil && l.begin(c) {
		n.adopt(l)
		l.run()
	}
}

// refuse notes why a connection is ended.
func (n *Node) refuse(raw net.Conn, err error) {
	n.refusals.Count(err)
	n.refused.Do(func() {
		n.cfg.Log.Warn("a connection to the rpc port was ended", "from", raw.RemoteAddr().String(), "error", err)
	})
}

// keep makes a link one of the node's, and does the task if there is one.
func (n *Node) keep(l *Link, task func()) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ctx.Err() != nil {
		return ErrClosed
	}
	n.links[l] = true
	if task != nil {
		n.tasks.Go(task)
	}
	return nil
}

// ended forgets a link.
func (n *Node) ended(l *Link, why error) {
	n.mu.Lock()
	delete(n.links, l)
	if n.dialing[l.member.ID] == l {
		delete(n.dialing, l.member.ID)
	}
	n.mu.Unlock()
	for _, p := range n.known() {
		p.lose(l, why)
	}
}

// watch ends silent links. After a pause of this process it gives them time to be heard.
func (n *Node) watch() {
	t := time.NewTicker(tick)
	defer t.Stop()
	for last := time.Duration(n.now()); ; {
		select {
		case <-t.C:
		case <-n.ctx.Done():
			return
		}
		now := time.Duration(n.now())
		late := now-last > 2*tick
		last = now
		n.each(func(l *Link) {
			switch {
			case late:
				l.asked.Store(0)
			case l.Up() && !l.alive(now):
				l.end(ErrSilent)
			}
		})
	}
}
