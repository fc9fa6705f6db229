package stream

import (
	"net"
	"slices"
	"sync"
)

// maxCallers bounds the connections whose other side has not shown its papers. Each takes a
// file descriptor, which the store needs too.
const maxCallers = 256

// callers are those connections. There is always room for one more: the oldest is evicted.
type callers struct {
	mu    sync.Mutex
	conns []net.Conn // in the order of arrival
}

// enter adds a connection and reports whether another one was evicted.
func (c *callers) enter(conn net.Conn) (full bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if full = len(c.conns) == maxCallers; full {
		c.conns[0].Close()
		c.conns = slices.Delete(c.conns, 0, 1)
	}
	c.conns = append(c.conns, conn)
	return full
}

func (c *callers) waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.conns)
}

func (c *callers) leave(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conns = slices.DeleteFunc(c.conns, func(o net.Conn) bool { return o == conn })
}
