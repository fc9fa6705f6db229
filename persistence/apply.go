package persistence

import (
	"errors"
	"fmt"
	"slices"
)

// Apply applies entries in order, in memory: it writes nothing, because after a
// crash they are applied again from the log. Configurations are the exception:
// what is applied up to one is on disk when Apply returns. A replica is removed
// when its leader has applied that it is no member, and a leader that forgot it
// would miss its vote.
//
// What a change holds is the store's from then on.
//
// The result has, per change, why its commits were rejected: nil when none was,
// else [ErrRevision], [ErrInvalid] or nil per commit.
func (l *Log) Apply(changes []Change) ([][]error, error) {
	results := make([][]error, len(changes))
	for i := range changes {
		c := &changes[i]
		err := l.s.awaitRoom()
		if err != nil {
			return nil, err
		}
		if results[i], err = l.s.apply(c); err != nil {
			return nil, fmt.Errorf("apply entry %d of shard %d: %w", c.Index, c.Shard, err)
		}
	}
	l.s.noteApplied()
	return results, l.settle(changes)
}

// settle makes configurations among the changes durable, with all before them.
func (l *Log) settle(changes []Change) error {
	var shards []ShardID
	for i := range changes {
		if changes[i].Conf != nil {
			shards = append(shards, changes[i].Shard)
		}
	}
	if len(shards) == 0 {
		return nil
	}
	slices.Sort(shards)
	if err := l.flush(slices.Compact(shards)); err != nil {
		return err
	}
	return l.sync()
}

// apply applies one entry.
func (s *Store) apply(c *Change) (rejected []error, err error) {
	sh := s.shard(c.Shard)
	if sh == nil {
		return nil, fmt.Errorf("%w: shard %d", ErrInvalid, c.Shard)
	}
	// Until the layers have the entry nobody may replace what memory knows of
	// the store by a scan of it.
	s.mu.Lock()
	defer s.mu.Unlock()
	after, err := sh.after(c)
	if err != nil {
		return nil, err
	}
	// What is not remembered is read before readers are locked out.
	cs, err := s.prepare(sh, c)
	if err != nil {
		return nil, err
	}
	defer clear(cs) // it is room for the next entry
	sh.mu.Lock()
	defer sh.mu.Unlock()
	before := sh.bytes()
	for i := range cs {
		err := s.applyCommit(sh, &cs[i], int64(after.Time))
		if err == nil {
			continue
		}
		if rejected == nil {
			rejected = make([]error, len(cs))
		}
		rejected[i] = err
	}
	if c.Reset {
		sh.reset(int64(c.Time))
	}
	sh.done, sh.changed = after, true
	sh.time.Store(int64(after.Time))
	s.dirty.Add(sh.bytes() - before)
	return rejected, nil
}

// after is how far the shard is after a change.
func (sh *shard) after(c *Change) (progress, error) {
	p := sh.done // only who applies writes it
	if c.Index != p.Index+1 {
		return p, fmt.Errorf("it follows %d", p.Index)
	}
	p.Position, p.Time = c.Position, c.After(p.Time)
	if c.Conf == nil {
		return p, nil
	}
	return progressOf(Applied{Position: p.Position, Time: p.Time, Conf: c.Conf})
}

// prepared is a commit with what is known of its entity before the entry.
type prepared struct {
	*Commit
	key    []byte // of the head
	stored revision
	known  bool // by the layers
	err    error
}

// preparation is room for what is prepared of an entry.
type preparation struct {
	commits []prepared
	keys    []byte
}

// prepare looks at the commits of an entry and at what they rest on. The result is
// valid until the next entry; the caller holds the lock of the store.
func (s *Store) prepare(sh *shard, c *Change) ([]prepared, error) {
	if len(c.Commits) == 0 {
		return nil, nil
	}
	room := &s.prepared
	room.commits = slices.Grow(room.commits[:0], len(c.Commits))
	room.keys = slices.Grow(room.keys[:0], len(c.Commits)*usualHeadKey)
	cs, keys := room.commits[:len(c.Commits)], room.keys
	for i := range cs {
		p := &cs[i]
		p.Commit = &c.Commits[i]
		if p.err = p.Validate(); p.err == nil {
			from := len(keys)
			keys = s.salt.appendHeadKey(keys, c.Shard, p.Entity)
			p.key = keys[from:len(keys):len(keys)]
		}
	}
	sh.find(cs)
	for i := range cs {
		if p := &cs[i]; p.err == nil && !p.known {
			var err error
			if p.stored, err = s.revision(sh, p.key); err != nil {
				return nil, err
			}
		}
	}
	return cs, nil
}

// usualHeadKey is the length of a head key with a kind of a dozen letters.
const usualHeadKey = shardKeyLen + 1 + 12 + digestLen

// find fills in what the layers know.
func (sh *shard) find(cs []prepared) {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	all := sh.layers()
	for i := range cs {
		p := &cs[i]
		if p.err != nil {
			continue
		}
		if e := all.find(string(p.key[shardKeyLen:])); e != nil {
			p.stored, p.known = e.revision(), true
		}
	}
}

// applyCommit applies a commit, or nothing of it if it returns an error. The
// caller holds the locks of store and shard.
func (s *Store) applyCommit(sh *shard, p *prepared, now int64) error {
	if p.err != nil {
		return p.err
	}
	stored := p.stored
	if e := sh.active.entities[string(p.key[shardKeyLen:])]; e != nil {
		stored = e.revision() // an earlier commit of the entry may have changed it
	}
	if stored.rev != p.BaseRev {
		return ErrRevision
	}
	if p.BaseRev == 0 {
		s.known.add(p.key)
	}
	sh.active.apply(p.key, p.Commit, stored, now)
	return nil
}

// revision returns what is stored of the entity with the head key k, from memory
// or from disk.
func (s *Store) revision(sh *shard, k []byte) (revision, error) {
	if v, ok := s.revs.get(k); ok {
		return v, nil
	}
	return s.storedRevision(sh, k)
}

// storedRevision returns what the head with the key k says, from disk.
func (s *Store) storedRevision(sh *shard, k []byte) (revision, error) {
	if s.absent(sh, k) {
		return revision{}, nil
	}
	s.lookups.Add(1)
	b, err := s.get(k)
	if b == nil || err != nil {
		return revision{}, err
	}
	_, _, v, err := parseHead(b)
	return v, err
}

// ErrBehind: changes were applied faster than the disk takes them up. Reads go on.
var ErrBehind = errors.New("the state on disk is too far behind")

// Admit refuses a change of about size bytes when the disk is below its
// reserve, with [ErrNoSpace], when too much waits to be flushed, with
// [ErrBehind], or when the store has failed or is closed.
func (l *Log) Admit(size int) error {
	if err := l.s.Err(); err != nil {
		return err
	}
	select {
	case <-l.s.stop:
		return ErrClosed
	default:
	}
	if l.s.dirty.Load() > l.s.opts.maxDirty() {
		return ErrBehind
	}
	return l.s.space.Admit(size)
}
