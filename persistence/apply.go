package persistence

import (
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// ShardCommit is a commit and the shard of its entity.
type ShardCommit struct {
	Shard  ShardID
	Commit *Commit
}

// Apply makes all commits durable that can be applied, in order, as one synced
// write. The result has an error for each commit, nil for one that is applied:
// [ErrRevision], [ErrInvalid], [ErrNoSpace], [ErrClosed], [ErrDamaged] or
// [ErrFailed]. now becomes the time of the shards that are concerned, unless
// theirs is later.
func (s *Store) Apply(commits []ShardCommit, now time.Time) []error {
	return s.Start(commits, now).Wait()
}

// Round is a write that is on its way to disk.
type Round struct {
	store    *Store
	batch    *pebble.Batch // nil: nothing was written
	sequence uint64
	errs     []error
	once     sync.Once
}

// Start is [Store.Apply] without the wait: Pebble has the batch in its queue
// when it returns, and commits need not be kept. Rounds become durable in the
// order in which they were started. Every round must be waited for.
func (s *Store) Start(commits []ShardCommit, now time.Time) *Round {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &Round{store: s, errs: make([]error, len(commits))}
	if err := s.refusal(commits); err != nil {
		for i := range r.errs {
			r.errs[i] = err
		}
		return r
	}
	s.sequence++
	r.sequence = s.sequence
	st := stage{store: s, batch: s.db.NewBatch(), sequence: r.sequence, time: now.UnixMilli()}
	for i, c := range commits {
		r.errs[i] = st.commit(c.Shard, c.Commit)
	}
	if st.batch.Empty() {
		s.sequence--
		st.batch.Close()
		return r
	}
	r.batch = st.batch
	if err := s.write(&st); err != nil {
		r.batch = nil
		s.fail(err)
		r.failed(s.Err())
	}
	return r
}

// refusal is the reason why no change can be made now.
func (s *Store) refusal(commits []ShardCommit) error {
	if err := s.Err(); err != nil {
		return err
	}
	if s.closed {
		return ErrClosed
	}
	size := 0
	for _, c := range commits {
		size += c.Commit.Size()
	}
	return s.disk.admit(size)
}

// write completes the batch and hands it to Pebble, which panics when its log
// cannot be written.
func (s *Store) write(st *stage) (err error) {
	if err := st.finish(); err != nil {
		return err
	}
	defer func() {
		if p := recover(); p != nil {
			s.wedged = true
			err = fmt.Errorf("write batch: %v", p)
		}
	}()
	return s.db.ApplyNoSyncWait(st.batch, pebble.Sync)
}

// Wait returns when the round is on disk, with an error for each commit; see
// [Store.Apply].
func (r *Round) Wait() []error {
	r.once.Do(r.wait)
	return r.errs
}

func (r *Round) wait() {
	if r.batch == nil {
		return
	}
	err := r.batch.SyncWait()
	if err != nil {
		r.store.fail(fmt.Errorf("sync batch: %w", err))
	}
	// A round is acknowledged only if all before it are on disk too.
	if err := r.store.Err(); err != nil {
		r.failed(err)
		return
	}
	r.store.durable.advance(r.sequence)
	r.store.revs.sync(r.sequence)
	r.batch.Close()
}

// failed makes the outcome of every commit that was written unknown.
func (r *Round) failed(err error) {
	for i := range r.errs {
		if r.errs[i] == nil {
			r.errs[i] = err
		}
	}
}

// stage is a batch being built.
type stage struct {
	store    *Store
	batch    *pebble.Batch
	sequence uint64
	time     int64 // ms
	touched  []touch
	key      []byte
	value    []byte
	held     []held
	block    outcomes
}

// commit adds a commit to the batch, or nothing at all if it returns an error.
func (st *stage) commit(id ShardID, c *Commit) error {
	if int(id) >= len(st.store.shards) {
		return fmt.Errorf("%w: shard %d", ErrInvalid, id)
	}
	if err := c.Validate(); err != nil {
		return err
	}
	st.key = st.store.salt.appendHeadKey(st.key[:0], id, c.Entity)
	stored, err := st.store.revision(st.key)
	if err != nil {
		return err
	}
	if stored.rev != c.BaseRev {
		return ErrRevision
	}
	now := st.store.shards[id].advance(st.time)
	st.touch(id)
	held := st.outcomes(id, c, stored.outcomes, now)
	st.store.revs.put(st.key, st.head(c, stored.parts, held))
	st.records(c)
	return nil
}

// head writes or removes the entity's head; st.key is its key.
func (st *stage) head(c *Commit, parts bool, held outcomes) revision {
	if c.Remove {
		st.set(st.batch.Delete(st.key, nil))
		if parts {
			st.set(st.batch.DeleteRange(st.key, successor(st.key), nil))
		}
		return revision{batch: st.sequence}
	}
	if c.BaseRev == 0 {
		st.store.known.add(st.key)
	}
	parts = parts || len(c.Puts) > 0
	h := Head{Rev: c.BaseRev + 1, Schema: c.Schema, State: c.State}
	st.value = appendHead(st.value[:0], c.Entity.Identity, h, parts, held)
	st.set(st.batch.Set(st.key, st.value, nil))
	return revision{rev: h.Rev, parts: parts, outcomes: held, batch: st.sequence}
}

// records writes and deletes records beside the head; st.key is its key.
func (st *stage) records(c *Commit) {
	n := len(st.key)
	for i := range c.Puts {
		st.key = append(st.key[:n], c.Puts[i].Part...)
		st.set(st.batch.Set(st.key, c.Puts[i].Value, nil))
	}
	for _, part := range c.Deletes {
		st.key = append(st.key[:n], part...)
		st.set(st.batch.Delete(st.key, nil))
	}
}

// finish adds what belongs to the batch as a whole.
func (st *stage) finish() error {
	for _, t := range st.touched {
		if err := st.trim(t); err != nil {
			return err
		}
		st.shardTime(t.shard)
	}
	st.value = binary.BigEndian.AppendUint64(st.value[:0], st.sequence)
	st.set(st.batch.Set(sequenceKey, st.value, nil))
	st.set(st.batch.Merge(countKey, one, nil))
	return nil
}

// set takes the error of adding to a batch, which has no cause: the batch is
// not indexed and belongs to us alone.
func (st *stage) set(err error) {
	if err != nil {
		panic(err)
	}
}

// revision returns the revision of the entity with the head key k, from memory
// or from disk.
func (s *Store) revision(k []byte) (revision, error) {
	if v, ok := s.revs.get(k); ok {
		return v, nil
	}
	return s.storedRevision(k)
}

// storedRevision returns what the head with the key k says, from disk.
func (s *Store) storedRevision(k []byte) (revision, error) {
	if s.known.absent(k) {
		return revision{}, nil
	}
	b, err := s.get(k)
	if b == nil || err != nil {
		return revision{}, err
	}
	_, _, v, err := parseHead(b)
	return v, err
}
