package persistence

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// Unlogged are commits that go into a shard's state without an entry. They
// belong to the place that Change names, which is the applied one or the next:
// until an entry follows, further ones may belong to it too. Nothing of the log
// may be kept from the first of them on, so that whoever asks for what is
// behind the place before gets a snapshot.
type Unlogged struct {
	Change
	// Rejected is filled in when the write begins, with what [Log.Apply]
	// returns.
	Rejected []error
}

// stageUnlogged adds unlogged commits to the synced batch of that number.
// Readers wait for it.
func (l *Log) stageUnlogged(b *pebble.Batch, u *Unlogged, number uint64) error {
	if int(u.Shard) >= len(l.s.shards) {
		return fmt.Errorf("%w: shard %d", ErrInvalid, u.Shard)
	}
	p, err := l.progress(u.Shard)
	if err != nil {
		return err
	}
	next := u.Position != p.Position
	if next && u.Index != p.Index+1 {
		return fmt.Errorf("commits at %d after %d", u.Index, p.Index)
	}
	p.Position, p.Time = u.Position, max(p.Time, u.Time)
	st := &l.stage
	st.store, st.batch, st.sequence = l.s, b, number
	if u.Rejected, err = st.commits(&u.Change); err != nil {
		return err
	}
	if next {
		st.progress(u.Shard, &p)
	}
	st.shardTime(u.Shard)
	l.setProgress(u.Shard, p)
	return nil
}
