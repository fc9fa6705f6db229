package webhook

import (
	"cmp"
	"errors"
	"fmt"

	"ssod/cluster"
)

// ErrPosition says that a page does not begin there.
var ErrPosition = errors.New("not the end of a page")

// position is where a dead letter is in the cluster.
type position struct {
	Shard    cluster.ShardID `json:"shard"`
	Receiver uint64          `json:"receiver"`
	Sequence uint64          `json:"sequence"`
}

// String is what the next page is asked for with.
func (p position) String() string { return fmt.Sprintf("%x-%x-%x", p.Shard, p.Receiver, p.Sequence) }

func parsePosition(s string) (p position, err error) {
	if _, err := fmt.Sscanf(s, "%x-%x-%x", &p.Shard, &p.Receiver, &p.Sequence); err != nil || p.String() != s {
		return position{}, ErrPosition
	}
	return p, nil
}

func (p position) compare(q position) int {
	return cmp.Or(cmp.Compare(p.Shard, q.Shard), cmp.Compare(p.Receiver, q.Receiver), cmp.Compare(p.Sequence, q.Sequence))
}

// before reports whether a page that begins behind p has q; nil is before all.
func (p *position) before(q position) bool { return p == nil || p.compare(q) < 0 }

// sequence is behind which sequence of a receiver in a shard a page begins.
func (p *position) sequence(shard cluster.ShardID, receiver uint64) uint64 {
	if p == nil || p.Shard != shard || p.Receiver != receiver {
		return 0
	}
	return p.Sequence
}
