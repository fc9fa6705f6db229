package persistence

import (
	"encoding/binary"
	"errors"

	"github.com/cockroachdb/pebble/v2"
)

// reset sets a shard's time back. Outcomes that are later than that count as
// outcomes of this moment. They are not written again, because there may be many
// and heads have some: the shard remembers until when it was set back, and drops
// what is in its future when that is the window ago. Nothing but the shard's state
// and the change decides it, as everywhere.
func (st *stage) reset(id ShardID, now int64) {
	sh := &st.store.shards[id]
	sh.time.Store(now)
	sh.reset.Store(now)
	sh.recent.restart(now)
	st.shardTime(id)
	st.key = appendShard(st.key[:0], id, subReset)
	st.value = binary.BigEndian.AppendUint64(st.value[:0], uint64(now))
	st.set(st.batch.Set(st.key, st.value, nil))
}

// window says which outcomes are kept, by the shard time at which they were
// committed.
type window struct {
	now, limit int64 // ms
	future     bool  // those later than now are of before a reset, and kept
}

func (sh *shard) window(now int64) window {
	limit := now - OutcomeWindow.Milliseconds()
	return window{now: now, limit: limit, future: sh.reset.Load() > limit}
}

func (w window) keeps(time int64) bool {
	if time > w.now {
		return w.future
	}
	return time > w.limit
}

// trimFuture deletes outcomes that are later than now, the latest first, in
// bounded steps. A reset has left them, and is the window ago.
func (st *stage) trimFuture(t touch, sh *shard, now int64) error {
	it, err := st.store.queue(t.shard, appendShard(nil, t.shard, subQueue))
	if err != nil {
		return err
	}
	left := trimStep + 2*t.outcomes
	for it.Last(); it.Valid(); it.Prev() {
		time, outcome, err := splitQueueKey(it.Key())
		if err != nil {
			return errors.Join(err, it.Close())
		}
		if time <= now || left == 0 {
			break
		}
		left--
		st.key = append(appendShard(st.key[:0], t.shard, subOutcome), outcome...)
		st.set(st.batch.Delete(st.key, nil))
		st.set(st.batch.Delete(it.Key(), nil))
	}
	if left > 0 {
		sh.reset.Store(0)
		st.key = appendShard(st.key[:0], t.shard, subReset)
		st.set(st.batch.Delete(st.key, nil))
	}
	return damaged(errors.Join(it.Error(), it.Close()))
}

// loadReset reads to when a shard's time was set back.
func (s *Store) loadReset(id ShardID, sh *shard) error {
	v, closer, err := s.db.Get(appendShard(nil, id, subReset))
	if errors.Is(err, pebble.ErrNotFound) {
		return nil
	}
	if err != nil {
		return damaged(err)
	}
	defer closer.Close()
	now, err := parseNumber(v)
	sh.reset.Store(int64(now))
	return err
}
