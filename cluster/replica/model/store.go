package model

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster/replica/core"
	"ssod/cluster/replica/internal/planted"
	"ssod/persistence"
)

// Store is a model of a node's disk. It is not safe for concurrent use.
type Store struct {
	bugs             planted.Set
	durable, current *disk
	pending          []func(*disk) // written to current and not yet to durable
	files            map[string]Image
	// memory is what was applied in this life of the process.
	memory map[core.ShardID]*memory
}

type disk struct {
	shards map[core.ShardID]*shard
	used   map[core.ShardID]uint32 // the highest generation that was destroyed
}

type shard struct {
	id        core.ReplicaID
	hard      *pb.HardState
	truncated core.Position
	log       []*pb.Entry // what follows truncated
	// What was flushed last. The state is replaced and never changed.
	applied core.Applied
	state   state
	marker  *core.Install
}

// memory is what a shard's entries have made of its state.
type memory struct {
	applied core.Applied
	state   state
	// flushing is what a flush under way writes, and before what is on disk until
	// that is done; nil: there is none.
	flushing, before *memory
}

// Image is the content of a snapshot.
type Image struct {
	Applied core.Applied
	state   state
}

// Errors of the model.
var (
	ErrNoShard    = errors.New("no such shard")
	ErrReplicaID  = errors.New("the replica id was used before")
	ErrNoSnapshot = errors.New("no such snapshot")
)

// New returns an empty store.
func New(bugs planted.Set) *Store {
	return &Store{bugs: bugs, durable: newDisk(), current: newDisk(), files: map[string]Image{}, memory: map[core.ShardID]*memory{}}
}

func newDisk() *disk {
	return &disk{shards: map[core.ShardID]*shard{}, used: map[core.ShardID]uint32{}}
}

func (d *disk) clone() *disk {
	c := &disk{shards: map[core.ShardID]*shard{}, used: maps.Clone(d.used)}
	for id, s := range d.shards {
		k := *s
		k.log = slices.Clone(s.log)
		c.shards[id] = &k
	}
	return c
}

// write applies f to the current disk and remembers it for the durable one.
func (s *Store) write(f func(*disk)) {
	f(s.current)
	s.pending = append(s.pending, f)
}

// Sync makes everything written durable.
func (s *Store) Sync() {
	for _, f := range s.pending {
		f(s.durable)
	}
	s.pending = s.pending[:0]
}

// Unsynced is the number of writes that a crash may lose.
func (s *Store) Unsynced() int { return len(s.pending) }

// Crash loses all but the first keep unsynced writes.
func (s *Store) Crash(keep int) {
	for _, f := range s.pending[:keep] {
		f(s.durable)
	}
	s.pending = nil
	s.current = s.durable.clone()
	clear(s.memory)
}

// Replicas returns what is on the disk, after finishing the installations of
// snapshots that a crash cut short.
func (s *Store) Replicas() ([]core.Replica, error) {
	var rs []core.Replica
	for _, id := range slices.Sorted(maps.Keys(s.current.shards)) {
		if sh := s.current.shards[id]; sh.marker != nil {
			if s.bugs.Has(planted.WipeOnInstallCrash) {
				s.wipe(id, sh.id)
			} else if _, err := s.FinishInstall(id); err != nil {
				return nil, err
			}
		}
		r := s.current.shards[id].replica(id)
		r.Applied = s.of(id).applied
		rs = append(rs, r)
	}
	return rs, nil
}

// of is what is in memory of a shard that is there.
func (s *Store) of(id core.ShardID) *memory {
	m := s.memory[id]
	if m == nil {
		sh := s.current.shards[id]
		m = &memory{applied: sh.applied, state: sh.state.clone()}
		s.memory[id] = m
	}
	return m
}

func (s *Store) wipe(id core.ShardID, replica core.ReplicaID) {
	delete(s.memory, id)
	s.write(func(d *disk) { d.shards[id] = newShard(persistence.NewReplica(id, replica, nil)) })
	s.Sync()
}

func newShard(r core.Replica) *shard {
	return &shard{id: r.ID, hard: r.Hard, truncated: r.Truncated, applied: r.Applied, state: newState()}
}

func (sh *shard) replica(id core.ShardID) core.Replica {
	return core.Replica{Shard: id, ID: sh.id, Hard: sh.hard, Truncated: sh.truncated, Applied: sh.applied}
}

// Create implements [core.Store].
func (s *Store) Create(id core.ShardID, replica core.ReplicaID, conf *pb.ConfState) (core.Replica, error) {
	if s.current.shards[id] != nil || replica.Generation() <= s.current.used[id] {
		return core.Replica{}, fmt.Errorf("create %v of shard %d: %w", replica, id, ErrReplicaID)
	}
	r := persistence.NewReplica(id, replica, conf)
	delete(s.memory, id)
	s.write(func(d *disk) { d.shards[id] = newShard(r) })
	s.Sync()
	return r, nil
}

// Destroy implements [core.Store].
func (s *Store) Destroy(id core.ShardID, replica core.ReplicaID) error {
	delete(s.memory, id)
	s.write(func(d *disk) {
		delete(d.shards, id)
		if !s.bugs.Has(planted.ReuseReplicaID) {
			d.used[id] = max(d.used[id], replica.Generation())
		}
	})
	s.Sync()
	return nil
}

// Append implements [core.Store].
func (s *Store) Append(writes []core.LogWrite, sync bool) error {
	for _, w := range writes {
		if s.current.shards[w.Shard] == nil {
			return fmt.Errorf("append to %d: %w", w.Shard, ErrNoShard)
		}
	}
	s.write(func(d *disk) {
		for _, w := range writes {
			d.shards[w.Shard].append(w)
		}
	})
	if sync {
		s.Sync()
	}
	return nil
}

func (sh *shard) append(w core.LogWrite) {
	if len(w.Entries) > 0 {
		at := w.Entries[0].GetIndex() - sh.truncated.Index - 1
		sh.log = append(sh.log[:at:at], w.Entries...)
	}
	if w.Hard != nil {
		sh.hard = w.Hard
	}
	if n := w.Truncate.Index; n > sh.truncated.Index {
		sh.log = slices.Clone(sh.log[min(n-sh.truncated.Index, uint64(len(sh.log))):])
		sh.truncated = w.Truncate
	}
}

// Apply implements [core.Store].
func (s *Store) Apply(changes []core.Change) ([][]error, error) {
	results := make([][]error, len(changes))
	for i := range changes {
		c := &changes[i]
		if s.current.shards[c.Shard] == nil {
			return nil, fmt.Errorf("apply to %d: %w", c.Shard, ErrNoShard)
		}
		results[i] = s.of(c.Shard).apply(c, s.bugs)
	}
	for i := range changes {
		if changes[i].Conf != nil && !s.bugs.Has(planted.UnflushedConf) {
			s.Flush(changes[i].Shard)
			s.Sync()
		}
	}
	return results, nil
}

func (m *memory) apply(c *core.Change, bugs planted.Set) []error {
	if c.Index != m.applied.Index+1 {
		panic(fmt.Sprintf("apply %d after %d", c.Index, m.applied.Index))
	}
	m.applied.Position = c.Position
	m.applied.Time = c.After(m.applied.Time)
	if c.Reset {
		m.state.reset = c.Time
	}
	if c.Conf != nil {
		m.applied.Conf = c.Conf
	}
	var rejected []error
	added, events := 0, 0
	for i := range c.Commits {
		if m.state.apply(&c.Commits[i], m.applied.Time, c.Index, &events, bugs) {
			added += len(c.Commits[i].Outcomes)
			continue
		}
		if rejected == nil {
			rejected = make([]error, len(c.Commits))
		}
		rejected[i] = core.ErrRejected
	}
	if len(c.Commits) > 0 {
		m.state.trim(m.applied.Time, added)
	}
	return rejected
}

// Entries implements [core.LogReader].
func (s *Store) Entries(id core.ShardID, lo, hi, limit uint64) ([]*pb.Entry, error) {
	sh := s.current.shards[id]
	if sh == nil {
		return nil, ErrNoShard
	}
	first := sh.truncated.Index + 1
	if lo < first {
		return nil, raft.ErrCompacted
	}
	if hi > first+uint64(len(sh.log)) {
		return nil, raft.ErrUnavailable
	}
	es := sh.log[lo-first : hi-first]
	var size uint64
	for n, e := range es {
		size += uint64(len(e.GetData()))
		if n > 0 && size > limit {
			es = es[:n]
			break
		}
	}
	return slices.Clone(es), nil
}

// Scan implements [core.LogReader].
func (s *Store) Scan(id core.ShardID, f func(core.Position, int)) error {
	sh := s.current.shards[id]
	if sh == nil {
		return ErrNoShard
	}
	for _, e := range sh.log {
		f(core.Position{Index: e.GetIndex(), Term: e.GetTerm()}, len(e.GetData()))
	}
	return nil
}

// shown is what readers find of a shard; nil when there is none.
func (s *Store) shown(id core.ShardID) *memory {
	if s.current.shards[id] == nil {
		return nil
	}
	m := s.of(id)
	if m.flushing != nil && s.bugs.Has(planted.ReadDuringFlush) {
		return m.before
	}
	return m
}

// Head returns an entity's head.
func (s *Store) Head(id core.ShardID, e core.Entity) (persistence.Head, bool) {
	if m := s.shown(id); m != nil {
		return m.state.head(e)
	}
	return persistence.Head{}, false
}

// Record returns a record beside an entity's head.
func (s *Store) Record(id core.ShardID, e core.Entity, part string) (string, bool) {
	if m := s.shown(id); m != nil {
		v, ok := m.state.kv[entityKey("p", e)+part]
		return v, ok
	}
	return "", false
}

// Outcome returns the result of a step of a request.
func (s *Store) Outcome(id core.ShardID, e core.Entity, r persistence.RequestID, step uint32) (string, bool) {
	if m := s.shown(id); m != nil {
		v, ok := m.state.kv[outcomeKey(e, r, step, s.bugs)]
		return v, ok
	}
	return "", false
}

// Applied returns how far a shard's state is.
func (s *Store) Applied(id core.ShardID) core.Applied {
	if s.current.shards[id] != nil {
		return s.of(id).applied
	}
	return core.Applied{}
}

// Digest returns how far a shard's state is and what it amounts to.
func (s *Store) Digest(id core.ShardID) (core.Position, uint64) {
	if s.current.shards[id] == nil {
		return core.Position{}, 0
	}
	m := s.of(id)
	return m.applied.Position, m.state.digest ^ m.applied.Time
}

// Durable returns what a crash could not take from a shard: its hard state and
// the end of its log.
func (s *Store) Durable(id core.ShardID) (hard *pb.HardState, last uint64, ok bool) {
	sh := s.durable.shards[id]
	if sh == nil {
		return nil, 0, false
	}
	return sh.hard, sh.truncated.Index + uint64(len(sh.log)), true
}

// DurableConf is the configuration that a shard's replica has after a crash; nil
// when there is no replica.
func (s *Store) DurableConf(id core.ShardID) *pb.ConfState {
	if sh := s.durable.shards[id]; sh != nil {
		return sh.applied.Conf
	}
	return nil
}

// Clone returns a copy that goes its own way.
func (s *Store) Clone() *Store {
	return &Store{
		bugs: s.bugs, durable: s.durable.clone(), current: s.current.clone(),
		pending: slices.Clone(s.pending), files: maps.Clone(s.files), memory: cloneMemory(s.memory),
	}
}

func cloneMemory(all map[core.ShardID]*memory) map[core.ShardID]*memory {
	c := make(map[core.ShardID]*memory, len(all))
	for id, m := range all {
		c[id] = &memory{applied: m.applied, state: m.state.clone(), flushing: m.flushing, before: m.before}
	}
	return c
}
