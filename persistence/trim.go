package persistence

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

// trimStep is how many outcomes are trimmed at least with one batch, per shard.
// A batch that adds more also trims more, so a shard cannot fall behind.
const trimStep = 256

// shard is what the store keeps in memory of a shard.
type shard struct {
	time   atomic.Int64 // shard time in ms
	stored int64        // shard time as written, -1 if it never was; guarded by Store.mu
	oldest int64        // time of the first queue record, 0 if there is none; guarded by Store.mu
	from   []byte       // key of that record: before it are only tombstones
	reset  atomic.Int64 // to when the shard time was set back last, while there may be later outcomes; else 0
	recent recent
}

// advance sets the shard's time to now unless it is later, and returns it.
func (sh *shard) advance(now int64) int64 {
	if t := sh.time.Load(); t >= now {
		return t
	}
	sh.time.Store(now)
	return now
}

// touch counts the records of outcomes that a batch adds to a shard.
type touch struct {
	shard    ShardID
	outcomes int
	oldest   int64 // the least of their times
}

// touch returns the batch's touch of a shard, until that of another is asked
// for.
func (st *stage) touch(id ShardID) *touch {
	i := slices.IndexFunc(st.touched, func(t touch) bool { return t.shard == id })
	if i < 0 {
		i = len(st.touched)
		st.touched = append(st.touched, touch{shard: id})
	}
	return &st.touched[i]
}

// queue counts an outcome of the given time.
func (t *touch) queue(time int64) {
	if t.outcomes++; t.outcomes == 1 || time < t.oldest {
		t.oldest = time
	}
}

// shardTime writes the shard's time if it has changed.
func (st *stage) shardTime(id ShardID) {
	sh := &st.store.shards[id]
	now := sh.time.Load()
	if now == sh.stored {
		return
	}
	sh.stored = now
	st.key = appendShard(st.key[:0], id, subTime)
	st.value = binary.BigEndian.AppendUint64(st.value[:0], uint64(now))
	st.set(st.batch.Set(st.key, st.value, nil))
}

// trim deletes outcomes that are older than the window, in bounded steps. What
// it deletes depends only on the shard's state and time, never on a clock.
func (st *stage) trim(t touch) error {
	sh := &st.store.shards[t.shard]
	now := sh.time.Load()
	limit := now - OutcomeWindow.Milliseconds()
	if sh.oldest > 0 && sh.oldest <= limit {
		if err := st.trimQueue(t, sh, limit); err != nil {
			return fmt.Errorf("trim outcomes of shard %d: %w", t.shard, err)
		}
	}
	if reset := sh.reset.Load(); reset > 0 && reset <= limit {
		if err := st.trimFuture(t, sh, now); err != nil {
			return fmt.Errorf("trim outcomes of shard %d: %w", t.shard, err)
		}
	}
	if t.outcomes > 0 && (sh.oldest == 0 || t.oldest <= sh.oldest) {
		sh.oldest, sh.from = t.oldest, appendQueueTime(nil, t.shard, t.oldest)
	}
	return nil
}

func (st *stage) trimQueue(t touch, sh *shard, limit int64) error {
	it, err := st.store.queue(t.shard, sh.from)
	if err != nil {
		return err
	}
	sh.oldest = 0
	left := trimStep + 2*t.outcomes
	for it.First(); it.Valid(); it.Next() {
		time, outcome, err := splitQueueKey(it.Key())
		if err != nil {
			return errors.Join(err, it.Close())
		}
		if time > limit || left == 0 {
			sh.oldest, sh.from = time, append(sh.from[:0], it.Key()...)
			break
		}
		left--
		st.key = append(appendShard(st.key[:0], t.shard, subOutcome), outcome...)
		st.set(st.batch.Delete(st.key, nil))
		st.set(st.batch.Delete(it.Key(), nil))
	}
	return damaged(errors.Join(it.Error(), it.Close()))
}

// queue iterates over the queue of a shard's outcomes.
func (s *Store) queue(id ShardID, from []byte) (*pebble.Iterator, error) {
	it, err := s.db.NewIter(&pebble.IterOptions{
		LowerBound: from,
		UpperBound: appendShard(nil, id, subQueue+1),
	})
	return it, damaged(err)
}

// loadShards reads the time of every shard and where its queue begins.
func (s *Store) loadShards() error {
	s.shards = make([]shard, s.identity.Shards+1)
	for id := range s.shards {
		if err := s.loadShard(ShardID(id), &s.shards[id]); err != nil {
			return fmt.Errorf("load shard %d: %w", id, err)
		}
	}
	return nil
}

func (s *Store) loadShard(id ShardID, sh *shard) error {
	if err := s.loadTime(id, sh); err != nil {
		return err
	}
	if err := s.loadReset(id, sh); err != nil {
		return err
	}
	it, err := s.queue(id, appendShard(nil, id, subQueue))
	if err != nil {
		return err
	}
	if it.First() {
		sh.from = slices.Clone(it.Key())
		sh.oldest, _, err = splitQueueKey(it.Key())
	}
	return damaged(errors.Join(err, it.Error(), it.Close()))
}

// loadTime reads a shard's time. If it has one, it may have outcomes, which
// nobody counts: most are in heads.
func (s *Store) loadTime(id ShardID, sh *shard) error {
	sh.stored = -1
	now, ok, err := shardTimeIn(s.db, id)
	if !ok || err != nil {
		return err
	}
	sh.time.Store(int64(now))
	sh.recent.blindUntil(int64(now) + OutcomeWindow.Milliseconds())
	return nil
}

// shardTimeIn is the shard time that is stored, if there is one: the later of the
// one beside the applied position and the one in the state.
func shardTimeIn(r pebble.Reader, id ShardID) (now uint64, ok bool, err error) {
	a, err := appliedIn(r, id)
	if err != nil && !errors.Is(err, ErrNoReplica) {
		return 0, false, err
	}
	ok = err == nil
	v, closer, err := r.Get(appendShard(nil, id, subTime))
	if errors.Is(err, pebble.ErrNotFound) {
		return a.Time, ok, nil
	}
	if err != nil {
		return 0, false, damaged(err)
	}
	defer closer.Close()
	now, err = parseNumber(v)
	return max(a.Time, now), true, err
}
