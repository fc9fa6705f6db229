package e2e

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
)

// tapHost is where the taps listen: an address of the loopback net of their own.
const tapHost = "127.0.0.2"

// tap stands between the nodes of a cluster and records what they say to each
// other, by TCP and by UDP. Nodes listen on 127.0.0.1 and advertise the tap,
// which has the same ports.
type tap struct {
	testing.TB
	tasks sync.WaitGroup

	mu      sync.Mutex
	streams map[int][]*bytes.Buffer // place of the port -> one per connection and direction
	packets [][]byte
	conns   []io.Closer
}

func newTap(t testing.TB) *tap {
	p := &tap{TB: t, streams: map[int][]*bytes.Buffer{}}
	t.Cleanup(p.close)
	return p
}

// onto puts the tap on a cluster that has no node yet.
func (p *tap) onto(c *trio) {
	c.host, c.before = tapHost, func(n *node) {
		n.Flags = append(n.Flags, "--advertise", tapHost)
		for _, port := range []int{gossipPort, rpcPort, raftPort} {
			p.listen(c, n.Addresses[port], port)
		}
		p.listenPackets(c, n.Addresses[gossipPort])
	}
}

// own keeps what is closed at the end. It reports false when that has come.
func (p *tap) own(c io.Closer) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.streams == nil {
		c.Close()
		return false
	}
	p.conns = append(p.conns, c)
	return true
}

func (p *tap) close() {
	p.mu.Lock()
	for _, c := range p.conns {
		c.Close()
	}
	p.streams = nil
	p.mu.Unlock()
	p.tasks.Wait()
}

func (p *tap) listen(c *trio, to string, port int) {
	p.Helper()
	l, err := net.Listen("tcp", c.dialed(to))
	must(p, err)
	p.own(l)
	p.tasks.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			p.tasks.Go(func() { p.carry(in, to, port) })
		}
	})
}

// carry records a connection in both directions.
func (p *tap) carry(in net.Conn, to string, port int) {
	out, err := net.Dial("tcp", to)
	if err != nil {
		in.Close() // the node is not there
		return
	}
	if !p.own(in) || !p.own(out) {
		return
	}
	p.tasks.Go(func() { p.copy(in, out, port) })
	p.copy(out, in, port)
}

func (p *tap) copy(to, from net.Conn, port int) {
	defer to.Close()
	record := &bytes.Buffer{}
	p.mu.Lock()
	if p.streams != nil {
		p.streams[port] = append(p.streams[port], record)
	}
	p.mu.Unlock()
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		p.mu.Lock()
		record.Write(b[:n])
		p.mu.Unlock()
		if n > 0 {
			_, _ = to.Write(b[:n])
		}
		if err != nil {
			return
		}
	}
}

// listenPackets forwards datagrams. Answers come by themselves: gossip names its
// own address in what it sends.
func (p *tap) listenPackets(c *trio, to string) {
	p.Helper()
	in, err := net.ListenPacket("udp", c.dialed(to))
	must(p, err)
	out, err := net.Dial("udp", to)
	must(p, err)
	p.own(in)
	p.own(out)
	p.tasks.Go(func() {
		b := make([]byte, 64<<10)
		for {
			n, _, err := in.ReadFrom(b)
			if err != nil {
				return
			}
			p.mu.Lock()
			p.packets = append(p.packets, bytes.Clone(b[:n]))
			p.mu.Unlock()
			_, _ = out.Write(b[:n])
		}
	})
}

// size is how many bytes went over a port by TCP.
func (p *tap) size(port int) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.streams[port] {
		n += s.Len()
	}
	return n
}

// find reports whether a text was said in clear.
func (p *tap) find(text []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, streams := range p.streams {
		for _, s := range streams {
			if bytes.Contains(s.Bytes(), text) {
				return true
			}
		}
	}
	for _, packet := range p.packets {
		if bytes.Contains(packet, text) {
			return true
		}
	}
	return false
}

// records counts the TLS records with data among the streams of a port, and the
// streams that are anything else.
func (p *tap) records(port int) (records, other int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.streams[port] {
		n, ok := tlsRecords(s.Bytes())
		records += n
		if !ok {
			other++
		}
	}
	return records, other
}

// tlsRecords counts the records of a stream that carry data; false when the
// stream is not TLS from the first byte on. The last record may be cut off.
func tlsRecords(stream []byte) (n int, ok bool) {
	for len(stream) >= 5 {
		kind, length := stream[0], int(stream[3])<<8|int(stream[4])
		if kind < 20 || kind > 23 || stream[1] != 3 {
			return n, false
		}
		if kind == 23 {
			n++
		}
		stream = stream[min(len(stream), 5+length):]
	}
	return n, true
}
