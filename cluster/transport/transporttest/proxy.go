package transporttest

import (
	"io"
	"net"
	"sync"
)

// Proxy carries connections to a node until it is told otherwise: others dial
// its address instead of the node's. It knows nothing of what it carries.
type Proxy struct {
	listener net.Listener
	to       string
	tasks    sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]struct{}
	limit int64         // if above 0, how many bytes a connection carries to the node
	still chan struct{} // if set, nothing is carried until it is closed
	down  bool
}

// NewProxy starts a proxy on a free port of the loopback.
func NewProxy(to string) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{listener: l, to: to, conns: make(map[net.Conn]struct{})}
	p.tasks.Go(p.run)
	return p, nil
}

// Addr is where the proxy listens.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Close ends everything and waits for it.
func (p *Proxy) Close() {
	p.listener.Close()
	p.Refuse(true) // also what was accepted and is not carried yet
	p.Thaw()
	p.tasks.Wait()
}

func (p *Proxy) run() {
	for {
		in, err := p.listener.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", p.to)
		if err != nil || !p.carry(in, out) {
			in.Close()
			if out != nil {
				out.Close()
			}
		}
	}
}

// carry begins to carry a connection, unless all are to be cut.
func (p *Proxy) carry(in, out net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		return false
	}
	p.conns[in], p.conns[out] = struct{}{}, struct{}{}
	var r io.Reader = in
	if p.limit > 0 {
		r = io.LimitReader(in, p.limit)
	}
	p.tasks.Go(func() { p.copy(out, r); p.end(in, out) })
	p.tasks.Go(func() { p.copy(in, out); p.end(in, out) })
	return true
}

func (p *Proxy) copy(to io.Writer, from io.Reader) {
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		p.mu.Lock()
		still := p.still
		p.mu.Unlock()
		if still != nil {
			<-still
		}
		if n > 0 {
			_, _ = to.Write(b[:n])
		}
		if err != nil {
			return
		}
	}
}

// end closes both sides of a connection.
func (p *Proxy) end(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		c.Close()
		delete(p.conns, c)
	}
}

// CutAfter ends each new connection after so many bytes to the node; 0 never.
func (p *Proxy) CutAfter(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.limit = n
}

// Freeze is what a paused process or a cable that was cut looks like:
// connections stand and are made, and nothing comes.
func (p *Proxy) Freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.still == nil {
		p.still = make(chan struct{})
	}
}

// Thaw ends Freeze. What was sent meanwhile comes now.
func (p *Proxy) Thaw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.still != nil {
		close(p.still)
		p.still = nil
	}
}

// Cut ends all connections. New ones are carried.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
}

// Refuse ends all connections and every new one, or, with false, lets new ones
// through again.
func (p *Proxy) Refuse(all bool) {
	p.mu.Lock()
	p.down = all
	p.mu.Unlock()
	if all {
		p.Cut()
	}
}
