package transport

import (
	"bufio"
	"net"
	"sync"
)

// coalescer lies under TLS, which reads and writes record by record, and asks
// the kernel for several of them at a time. What is written leaves at once
// during the handshake, and with flush after it.
type coalescer struct {
	net.Conn
	r  *bufio.Reader
	mu sync.Mutex    // TLS also writes when it reads something wrong
	w  *bufio.Writer // nil during the handshake
}

// strangerBuffer is what a connection gets before it is known who is there.
const strangerBuffer = 4 << 10

func newCoalescer(raw net.Conn) *coalescer {
	return &coalescer{Conn: raw, r: bufio.NewReaderSize(raw, strangerBuffer)}
}

// Read implements [net.Conn].
func (c *coalescer) Read(b []byte) (int, error) { return c.r.Read(b) }

// Write implements [net.Conn].
func (c *coalescer) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.w == nil {
		return c.Conn.Write(b)
	}
	return c.w.Write(b)
}

// begin starts to buffer what is written, and more of what is read. Records add
// less than one percent. Nobody reads meanwhile.
func (c *coalescer) begin() {
	c.r = bufio.NewReaderSize(c.r, bufferSize)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.w = bufio.NewWriterSize(c.Conn, bufferSize+bufferSize/8)
}

func (c *coalescer) flush() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.w.Flush()
}
