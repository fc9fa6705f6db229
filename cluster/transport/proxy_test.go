package transport_test

import (
	"io"
	"net"
	"sync"
	"testing"
)

// proxy carries connections to a node until it is told otherwise.
type proxy struct {
	net.Listener
	to    string
	tasks sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn
	limit int64         // if above 0, how many bytes a connection carries to the node
	still chan struct{} // if set, nothing is carried until it is closed
}

func newProxy(t *testing.T, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Listener: l, to: to}
	p.tasks.Go(p.run)
	t.Cleanup(func() {
		p.Close()
		p.thaw()
		p.cut()
		p.tasks.Wait()
	})
	return p
}

func (p *proxy) run() {
	for {
		in, err := p.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", p.to)
		if err != nil {
			in.Close()
			continue
		}
		p.carry(in, out)
	}
}

func (p *proxy) carry(in, out net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns = append(p.conns, in, out)
	var r io.Reader = in
	if p.limit > 0 {
		r = io.LimitReader(in, p.limit)
	}
	both := func() { in.Close(); out.Close() }
	p.tasks.Go(func() { p.copy(out, r); both() })
	p.tasks.Go(func() { p.copy(in, out); both() })
}

func (p *proxy) copy(to io.Writer, from io.Reader) {
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

// cutAfter ends each new connection after so many bytes to the node.
func (p *proxy) cutAfter(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.limit = n
}

// freeze is what a paused process looks like: connections stand and are made,
// and nothing comes.
func (p *proxy) freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.still == nil {
		p.still = make(chan struct{})
	}
}

func (p *proxy) thaw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.still != nil {
		close(p.still)
		p.still = nil
	}
}

// cut ends all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}
