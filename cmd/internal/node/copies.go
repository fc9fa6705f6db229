package node

import (
	"fmt"
	"sync"
	"time"

	"ssod/cluster/transport"
	"ssod/httpfront/api/admin"
)

// copyMemory is how long the refusal of a copy of this node is shown.
const copyMemory = 10 * time.Minute

// copies are other processes that pretended to be this node. The zero value has none.
type copies struct {
	mu   sync.Mutex
	addr string // where the last one said that it is
	at   time.Time
}

// note reports whether the copy is new.
func (c *copies) note(addr string, now time.Time) (news bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	news = addr != c.addr || now.Sub(c.at) > copyMemory
	c.addr, c.at = addr, now
	return news
}

// last is the latest copy and when it came, if that is not long ago.
func (c *copies) last(now time.Time) (addr string, ago time.Duration, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ago = now.Sub(c.at)
	return c.addr, ago, !c.at.IsZero() && ago < copyMemory
}

// noteCopy handles the report of another node that it has refused a copy of this one.
func (n *Node) noteCopy(by transport.Peer, addr string) {
	if n.copies.note(addr, time.Now()) {
		n.log.Error("this node runs twice: other nodes refuse one that has its name and id, but not its data; stop that one",
			"node", n.me.Name, "at", addr, "by", by.Name)
	}
}

// identityCondition is advice: the copy is refused in any case.
func (n *Node) identityCondition() admin.Condition {
	c := admin.Condition{Name: "identity", OK: true, Advice: true}
	if addr, ago, ok := n.copies.last(time.Now()); ok {
		c.OK = false
		c.Detail = fmt.Sprintf("node %s runs twice: the other nodes refused one at %s %v ago: stop that one", n.me.Name, addr, ago.Round(time.Second))
	}
	return c
}
