package persistence

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"google.golang.org/protobuf/proto"
)

// Apply applies entries in order. They need not be durable, because after a crash
// they are applied again from the log, except for configurations: those are on
// disk when it returns. A replica is removed when its leader has applied that it
// is no member, and a leader that forgot it would miss its vote. Entries of different shards share a batch, two
// of one shard never do. So the result is independent of how entries arrive
// together, because trimming sees the state after the entry before.
//
// The result has, per change, why its commits were rejected: nil when none was,
// else [ErrRevision], [ErrInvalid] or nil per commit.
func (l *Log) Apply(changes []Change) ([][]error, error) {
	results := make([][]error, len(changes))
	for from := 0; from < len(changes); {
		to := untilRepeated(changes, from)
		if err := l.applyBatch(changes[from:to], results[from:to]); err != nil {
			return nil, err
		}
		from = to
	}
	if !slices.ContainsFunc(changes, func(c Change) bool { return c.Conf != nil }) {
		return results, nil
	}
	return results, l.guard(func() error { return l.s.db.LogData(nil, pebble.Sync) })
}

// maxApply bounds the changes of one batch.
const maxApply = 64

// untilRepeated is the first change after from whose shard has one before it.
func untilRepeated(changes []Change, from int) int {
	to := from + 1
	for to < len(changes) && to < from+maxApply && !hasShard(changes[from:to], changes[to].Shard) {
		to++
	}
	return to
}

func hasShard(changes []Change, shard ShardID) bool {
	for i := range changes {
		if changes[i].Shard == shard {
			return true
		}
	}
	return false
}

// applyBatch applies changes of different shards.
func (l *Log) applyBatch(changes []Change, results [][]error) (err error) {
	b := l.s.db.NewBatch()
	defer b.Close()
	// Until Pebble has the batch nobody may replace what memory knows of the
	// store by a scan of it.
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	// What is applied is in the log and durable there, so readers do not wait
	// for it: it counts as part of a batch that is on disk.
	st := stage{store: l.s, batch: b, sequence: l.s.durable.batch.Load()}
	after := make([]progress, len(changes))
	// Pebble adds keys faster when one lies near the one before: first how far
	// the shards are, then their states.
	for i := range changes {
		c := &changes[i]
		if after[i], err = l.progressAfter(c); err != nil {
			return fmt.Errorf("apply entry %d of shard %d: %w", c.Index, c.Shard, err)
		}
		st.progress(c.Shard, &after[i])
	}
	for i := range changes {
		c := &changes[i]
		if results[i], err = st.commits(c); err != nil {
			return fmt.Errorf("apply entry %d of shard %d: %w", c.Index, c.Shard, err)
		}
	}
	if err := l.commit(b, pebble.NoSync); err != nil {
		return err
	}
	for i := range changes {
		l.setProgress(changes[i].Shard, after[i])
	}
	return nil
}

// progressAfter is how far a shard is after a change.
func (l *Log) progressAfter(c *Change) (progress, error) {
	if int(c.Shard) >= len(l.s.shards) {
		return progress{}, fmt.Errorf("%w: shard %d", ErrInvalid, c.Shard)
	}
	p, err := l.progress(c.Shard)
	if err != nil {
		return p, err
	}
	if c.Index != p.Index+1 {
		return p, fmt.Errorf("it follows %d", p.Index)
	}
	p.Position, p.Time = c.Position, c.After(p.Time)
	if c.Conf == nil {
		return p, nil
	}
	return progressOf(Applied{Position: p.Position, Time: p.Time, Conf: c.Conf})
}

// commits adds an entry's commits to the batch and says which are rejected.
func (st *stage) commits(c *Change) (rejected []error, err error) {
	if c.Reset {
		st.reset(c.Shard, int64(c.Time))
	}
	if len(c.Commits) == 0 {
		return nil, nil
	}
	// Every entry moves the time and trims, also one whose commits are rejected.
	st.time, st.touched = int64(c.Time), st.touched[:0]
	st.store.shards[c.Shard].advance(st.time)
	st.touch(c.Shard)
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
	return rejected, st.trim(st.touched[0])
}

// progress is how far a shard is, with its configuration as it is stored.
type progress struct {
	Applied
	conf []byte
}

func progressOf(a Applied) (progress, error) {
	conf, err := proto.MarshalOptions{Deterministic: true}.Marshal(a.Conf)
	return progress{a, conf}, err
}

// progress writes how far a shard is.
func (st *stage) progress(shard ShardID, p *progress) {
	st.key = append(st.key[:0], spaceLogState, byte(shard>>8), byte(shard), logApplied)
	st.value = appendProgress(st.value[:0], p)
	st.set(st.batch.Set(st.key, st.value, nil))
}

// appendProgress appends position, shard time and configuration, sealed.
func appendProgress(b []byte, p *progress) []byte {
	n := len(b)
	b = append(b, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint64(b, p.Index)
	b = binary.BigEndian.AppendUint64(b, p.Term)
	b = binary.BigEndian.AppendUint64(b, p.Time)
	b = append(b, p.conf...)
	binary.BigEndian.PutUint32(b[n:], crc32.Checksum(b[n+4:], castagnoli))
	return b
}

// progress is how far a shard is, from memory when it was asked for before.
func (l *Log) progress(shard ShardID) (progress, error) {
	l.mu.Lock()
	p, ok := l.done[shard]
	l.mu.Unlock()
	if ok {
		return p, nil
	}
	r, err := l.replica(shard)
	if err != nil {
		return p, err
	}
	return progressOf(r.Applied)
}

func (l *Log) setProgress(shard ShardID, p progress) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done[shard] = p
}

// forget drops what is known of a shard in memory.
func (l *Log) forget(shard ShardID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.last, shard)
	delete(l.gone, shard)
	delete(l.done, shard)
}

// Admit refuses a change of about size bytes when the disk is below its
// reserve, with [ErrNoSpace], or when the store has failed or is closed.
func (l *Log) Admit(size int) error {
	if err := l.s.Err(); err != nil {
		return err
	}
	select {
	case <-l.s.stop:
		return ErrClosed
	default:
	}
	return l.s.disk.admit(size)
}
