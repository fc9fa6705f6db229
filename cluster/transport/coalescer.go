package transport

import (
	"bufio"
	"net"
	"sync"
)

// coalescer lies under TLS, which reads and writes record by record, and reads and writes
// several of them at a time. What is written leaves at once during the handshake, and with
// flush after it.
type coalescer struct {
	net.Conn
	r  *bufio.Reader
	mu sync.Mutex    // TLS also writes when it reads something wrong
	w  *bufio.Writer // nil during the handshake
}

// strangerBuffer is the size of the read buffer until the other side is known.
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

// begin starts to buffer writes, with room for the overhead of records, and more of what is
// read. There must be no concurrent reads.
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
