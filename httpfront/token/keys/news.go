package keys

import "sync"

// news wakes all waiters when something has changed.
type news struct {
	mu sync.Mutex
	c  chan struct{}
}

// wait returns a channel that is closed when anything changes from now on.
func (n *news) wait() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.c == nil {
		n.c = make(chan struct{})
	}
	return n.c
}

func (n *news) tell() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.c != nil {
		close(n.c)
		n.c = nil
	}
}
