package transport

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"ssod/cluster/wait"
)

// peer is another node: the connection to it, which is made again and again, and
// what is known of it.
type peer struct {
	n          *Network
	id         NodeID
	name       string
	ctx        context.Context // ends with the network or when the node is removed
	cancel     context.CancelFunc
	queue      *queue
	clock      clock
	idle       idle
	reaching   chan struct{} // bounds the handshakes for requests and snapshots
	wake       wait.Signal   // ends a pause
	doubted    wait.Signal   // a ping is due at once
	heard      atomic.Int64  // nanoseconds from the start of the network
	connected  atomic.Bool
	asked      atomic.Bool   // it has taken this node's start in, or is not there
	copies     atomic.Uint64 // processes that were refused as this node
	dropped    atomic.Uint64
	complained atomic.Int64               // when the engine was told of a drop, as heard
	source     atomic.Pointer[netip.Addr] // where it came from last; nil: it has not come

	admitting sync.Mutex // held while an incarnation is judged
	mu        sync.Mutex
	addr      string
	set       string // the address that was set, not learned; empty: none
	incoming  *incoming
	lineage   lineage
	noted     uint64 // lineage.durable in the last note
	current   era
	doubt     doubt
	seen      []Fingerprint // of its certificates, the last one last

	// These belong to run.
	lost bool      // the engine knows that the process is gone
	shut time.Time // since when handshakes are not finished; the zero time: the last one was
	said string    // what was logged last
}

func newPeer(n *Network, p Peer, set bool) *peer {
	q := &peer{n: n, id: p.ID, name: p.Name, queue: newQueue(n.cfg.Queue), reaching: make(chan struct{}, maxReaching), wake: wait.NewSignal(), doubted: wait.NewSignal()}
	q.locate(p.Addr, set)
	q.complained.Store(-int64(complainEvery))
	q.ctx, q.cancel = context.WithCancel(n.ctx)
	context.AfterFunc(q.ctx, q.idle.close)
	q.current, q.lineage = newEra(q.ctx), n.notes[p.ID]
	q.noted = q.lineage.durable
	return q
}

// locate gives the node an address, which is dialed when the present connection breaks. An
// address that was set before changes nothing: the node may have moved since.
func (p *peer) locate(addr string, set bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case addr == "":
	case set && addr != p.set:
		p.addr, p.set = addr, addr
	case !set && p.set == "":
		p.addr = addr
	}
}

// move gives the node an address until another one is set, and reports whether it is new.
func (p *peer) move(addr string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if addr == "" || addr == p.addr {
		return false
	}
	p.addr = addr
	return true
}

// retry ends the pause before the next attempt to connect.
func (p *peer) retry() {
	if !p.connected.Load() {
		p.wake.Send()
	}
}

// probe pings the node without waiting for the next ping.
func (p *peer) probe() {
	if p.connected.Load() {
		p.doubted.Send()
	} else {
		p.retry()
	}
}

func (p *peer) target() Peer {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Peer{p.id, p.name, p.addr}
}

// incoming is the connection that the node dialed.
type incoming struct {
	*link
	addr   string                 // that the node says it has
	done   chan struct{}          // closed when nothing of it is delivered any more
	copied atomic.Pointer[string] // of another process that was refused as the node
}

// replace makes l the connection that the node dialed, and ends the one before, which the
// node has given up. The caller closes done.
func (p *peer) replace(l *link, addr string) *incoming {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.incoming != nil {
		p.incoming.Close()
	}
	p.incoming = &incoming{link: l, addr: addr, done: make(chan struct{})}
	return p.incoming
}

// hangUp ends the connection that the node dialed. Nothing of it is delivered
// when hangUp returns.
func (p *peer) hangUp() {
	p.mu.Lock()
	in := p.incoming
	p.mu.Unlock()
	if in != nil {
		in.Close()
		<-in.done
	}
}

func (p *peer) hear() { p.heard.Store(int64(time.Since(p.n.started))) }

// send queues a frame or drops it.
func (p *peer) send(frame []byte) {
	open, ok := p.queue.put(frame)
	if ok {
		return
	}
	p.dropped.Add(1)
	if open {
		p.complain()
	}
}

// complainEvery is how often the engine hears of frames that are dropped.
const complainEvery = 100 * time.Millisecond

// complain tells the engine that frames are dropped.
func (p *peer) complain() {
	now, last := int64(time.Since(p.n.started)), p.complained.Load()
	if now-last >= int64(complainEvery) && p.complained.CompareAndSwap(last, now) {
		p.n.engine.Unreachable(p.id)
	}
}

// run keeps a connection to the node.
func (p *peer) run() {
	pause := firstPause
	for p.ctx.Err() == nil {
		began := time.Now()
		p.ended(p.session())
		if time.Since(began) > p.n.cfg.Silence {
			pause = firstPause
		}
		p.rest(&pause)
	}
}

// Pauses between two attempts double from the first to the last.
const (
	firstPause = 50 * time.Millisecond
	lastPause  = time.Second
)

// rest pauses for 0.5 to 1.5 times as long, so that nodes do not dial in step.
func (p *peer) rest(pause *time.Duration) {
	t := time.NewTimer(*pause/2 + rand.N(*pause))
	defer t.Stop()
	select {
	case <-p.ctx.Done():
	case <-t.C:
		*pause = min(2**pause, lastPause)
	case <-p.wake:
	}
}

// ended tells the engine, and the operator, how a session ended.
func (p *peer) ended(err error) {
	p.queue.set(false)
	p.clock.forget()
	was := p.connected.Swap(false)
	if p.ctx.Err() != nil {
		return
	}
	if text := err.Error(); was || text != p.said {
		p.said = text
		p.n.cfg.Log.Warn("no connection to node", "node", p.name, "id", p.id, "error", err)
	}
	p.refused(err)
	switch {
	case gone(err) && !p.lost:
		p.lost = true
		// No earlier frame may be delivered after that: a follower that hears its
		// leader once more would wait for it.
		p.hangUp()
		p.n.engine.ConnectionLost(p.id)
	case was:
		p.n.engine.Unreachable(p.id)
	}
}

// refused notes why the node does not take this one in, if it can be reached at all.
func (p *peer) refused(err error) {
	if errors.Is(err, errUnfinished) {
		p.shutOut()
		return
	}
	p.shut = time.Time{}
	r, refused := errors.AsType[*refusal](err)
	if !refused {
		p.asked.Store(true)
		return
	}
	switch r.reason {
	case ErrBusy, ErrUnregistered:
	case ErrRemoved:
		p.n.cfg.Expelled(p.target())
	case ErrOlder, ErrTwice, ErrLevel:
		p.n.cfg.Outdated(p.target(), r)
	default:
		p.asked.Store(true) // it is another node
	}
}

// shutOut notes that the node ends handshakes without a reason. It may be overrun by
// strangers; after [Config.Handshake] it counts as not there.
func (p *peer) shutOut() {
	if p.shut.IsZero() {
		p.shut = time.Now()
	}
	if time.Since(p.shut) > p.n.cfg.Handshake {
		p.asked.Store(true)
	}
}

// gone reports whether err is the kernel's for a process that has ended. A time-out is not.
func gone(err error) bool {
	for _, e := range []error{
		io.EOF, io.ErrUnexpectedEOF, syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EPIPE,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
