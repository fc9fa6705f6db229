package sim

import (
	"time"

	"ssod/cluster/replica/core"
	"ssod/cluster/replica/internal/planted"
)

// words are the vouchers of reads that were asked for at another node than the leader. They
// are drawn from the source of the deceit, in every seventh run.
type words struct {
	vouches bool
	passed  int // reads that needed no barrier
}

// word is a voucher and when it was given.
type word struct {
	core.Followed
	at instant
}

// travel bounds how long a read is under way from one node to another.
const travel = 20 * time.Millisecond

// ask is the voucher of a node at which a read is asked for; none if it leads the shard, is
// down or paused.
func (w *world) ask(shard core.ShardID) (said word, d time.Duration) {
	n := w.nodes[w.ids[w.lots.IntN(len(w.ids))]]
	if n.core == nil || n.paused > w.now {
		return word{}, 0
	}
	l := n.views[shard]
	f, _ := l.Vouch()
	said = word{f, w.now}
	if w.opts.Planted.Has(planted.VoucherFromBefore) {
		said = n.recall(shard, said)
	}
	return said, w.draw(0, travel)
}

// recall is what the node said up to five seconds ago.
func (n *node) recall(shard core.ShardID, now word) word {
	old, ok := n.said[shard]
	if !ok || old.Replica == 0 || n.w.now-old.at > 5*time.Second {
		n.said[shard] = now
		return now
	}
	return word{old.Followed, now.at}
}

// vouched reports whether a read came with a voucher that counts as a barrier, by what the
// owner knew after the last round.
func (o *owner) vouched(t *attempt) bool {
	if o.n.w.opts.Planted.Has(planted.VoucherOfAnotherTerm) && t.word.Replica != 0 {
		t.word.Term = o.term
	}
	l := o.n.views[o.shard]
	return !o.over && t.word.Replica != 0 && l.Term == o.term && l.Vouched(t.word.Followed)
}
