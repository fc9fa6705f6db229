package persistence

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// Apply applies entries in order, one batch each, which need not be durable:
// after a crash they are applied again from the log. One batch per entry keeps
// the result independent of how entries arrive together, because trimming sees
// the state after the entry before.
//
// The result has, per change, why its commits were rejected: nil when none was,
// else an error per commit as [Store.Apply] returns it.
func (l *Log) Apply(changes []Change) ([][]error, error) {
	results := make([][]error, len(changes))
	for i := range changes {
		var err error
		if results[i], err = l.applyChange(&changes[i]); err != nil {
			return nil, fmt.Errorf("apply entry %d of shard %d: %w", changes[i].Index, changes[i].Shard, err)
		}
	}
	return results, nil
}

func (l *Log) applyChange(c *Change) ([]error, error) {
	a, err := l.applied(c.Shard)
	if err != nil {
		return nil, err
	}
	if int(c.Shard) >= len(l.s.shards) {
		return nil, fmt.Errorf("%w: shard %d", ErrInvalid, c.Shard)
	}
	if c.Index != a.Index+1 {
		return nil, fmt.Errorf("it follows %d", a.Index)
	}
	a.Position, a.Time = c.Position, max(a.Time, c.Time)
	if c.Conf != nil {
		a.Conf = c.Conf
	}
	b := l.s.db.NewBatch()
	defer b.Close()
	// Until Pebble has the batch nobody may replace what memory knows of the
	// store by a scan of it.
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	rejected, err := l.stageCommits(b, c)
	if err != nil {
		return nil, err
	}
	if err := stageApplied(b, c.Shard, a); err != nil {
		return nil, err
	}
	if err := l.commit(b, pebble.NoSync); err != nil {
		return nil, err
	}
	l.setApplied(c.Shard, a)
	return rejected, nil
}

// stageCommits adds an entry's commits to a batch. The caller holds the store's
// mu.
func (l *Log) stageCommits(b *pebble.Batch, c *Change) ([]error, error) {
	if len(c.Commits) == 0 {
		return nil, nil
	}
	// What is applied is in the log and durable there, so readers do not wait
	// for it: it counts as part of a batch that is on disk.
	st := stage{store: l.s, batch: b, sequence: l.s.durable.batch.Load(), time: int64(c.Time)}
	// Every entry moves the time and trims, also one whose commits are rejected.
	l.s.shards[c.Shard].advance(st.time)
	st.touch(c.Shard)
	var rejected []error
	for i := range c.Commits {
		err := st.commit(c.Shard, &c.Commits[i])
		if err == nil {
			continue
		}
		if !errors.Is(err, ErrRevision) && !errors.Is(err, ErrInvalid) {
			return nil, err
		}
		if rejected == nil {
			rejected = make([]error, len(c.Commits))
		}
		rejected[i] = err
	}
	for _, t := range st.touched {
		if err := st.trim(t); err != nil {
			return nil, err
		}
		st.shardTime(t.shard)
	}
	return rejected, nil
}

// applied is how far a shard is, from memory when it was asked for before.
func (l *Log) applied(shard ShardID) (Applied, error) {
	l.mu.Lock()
	a, ok := l.done[shard]
	l.mu.Unlock()
	if ok {
		return a, nil
	}
	r, err := l.replica(shard)
	return r.Applied, err
}

func (l *Log) setApplied(shard ShardID, a Applied) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done[shard] = a
}

// forget drops what is known of a shard in memory.
func (l *Log) forget(shard ShardID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.last, shard)
	delete(l.done, shard)
}

// Admit refuses a change of about size bytes when the disk is below its
// reserve, with [ErrNoSpace], or when the store has failed.
func (l *Log) Admit(size int) error {
	if err := l.s.Err(); err != nil {
		return err
	}
	return l.s.disk.admit(size)
}
