package node

import (
	"fmt"
	"time"

	"ssod/cluster/replica"
	"ssod/httpfront/api/admin"
)

// slowDiskCondition says that the disk takes too long, if it does. It is advice if no
// other node's disk is faster.
func (n *Node) slowDiskCondition() (c admin.Condition, slow bool) {
	disk := n.engine.Disk()
	if !disk.Slow {
		return n.laggingDisk(disk)
	}
	c = admin.Condition{Name: "disk", Advice: n.placement == nil || !n.placement.Relieved()}
	c.Detail = "the disk took seconds for a write a moment ago"
	if disk.Age >= time.Second {
		c.Detail = fmt.Sprintf("the disk has not finished a write for %v%s", disk.Age.Round(100*time.Millisecond), n.atDisk())
	}
	if c.Advice {
		c.Detail += ": changes wait for it, and no other node can lead in the place of this one; check the disk"
	} else {
		c.Detail += ": other nodes lead in the place of this one until it has been quick for a while; check the disk"
	}
	return c, true
}

// laggingDisk says that the disk is much slower than those of other nodes, if it is. That
// is advice: the node hands its leads to others and forwards requests to them.
func (n *Node) laggingDisk(disk replica.Disk) (c admin.Condition, lags bool) {
	if !disk.Lags {
		return c, false
	}
	c = admin.Condition{Name: "disk", Advice: true, Detail: "the disk is much slower than those of the other nodes"}
	if here, others := n.placement.AppendTook(); here > 0 && others > 0 {
		c.Detail += fmt.Sprintf(": it takes %v for what takes them %v", here.Round(time.Millisecond), others.Round(100*time.Microsecond))
	}
	c.Detail += "; other nodes lead in the place of this one until that has passed; check the disk"
	return c, true
}

// atDisk names the oldest disk operation, in brackets.
func (n *Node) atDisk() string {
	if at := n.store.Busy(); at != "" {
		return " (" + at + ")"
	}
	return ""
}

// noteDisk logs that the disk has become slow or quick.
func (n *Node) noteDisk(d replica.Disk) {
	switch {
	case d.Lags && !d.Slow:
		n.log.Warn("the disk is much slower than those of the other nodes, which are to lead what this one led; check it")
		return
	case !d.Slow:
		n.log.Info("the disk is quick again")
		return
	}
	n.log.Warn("the disk is slow: other nodes are to lead what this one led; check it", "unfinished", d.Age.String(), "at", n.store.Busy())
}
