package transport

import (
	"sync"
	"time"
)

const (
	// maxIdle is how many idle connections for requests are kept per peer. Each has
	// buffers of 128 to 160 KB.
	maxIdle = 2
	// idleFor is how long one may be used again. The other side keeps it for longer, so
	// that it does not end while a request is on its way.
	idleFor = 10 * time.Second
	keepFor = 3 * idleFor
)

// idle are the idle connections to a peer, the one used last at the end. The zero value has
// none.
type idle struct {
	mu     sync.Mutex
	links  []idleLink
	closed bool
}

type idleLink struct {
	*link
	since time.Time
}

// take returns a connection that may be used again, nil if there is none.
func (i *idle) take() *link {
	i.mu.Lock()
	defer i.mu.Unlock()
	for len(i.links) > 0 {
		last := i.links[len(i.links)-1]
		i.links = i.links[:len(i.links)-1]
		if time.Since(last.since) < idleFor {
			return last.link
		}
		last.Close()
	}
	return nil
}

// put keeps a connection, or closes it.
func (i *idle) put(l *link) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closed || len(i.links) == maxIdle {
		l.Close()
		return
	}
	i.links = append(i.links, idleLink{l, time.Now()})
}

// drop ends all of them.
func (i *idle) drop() {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, l := range i.links {
		l.Close()
	}
	i.links = nil
}

// close ends all of them, and those that are put later.
func (i *idle) close() {
	i.mu.Lock()
	i.closed = true
	i.mu.Unlock()
	i.drop()
}
