package state

import (
	"errors"
	"fmt"
	"slices"

	"ssod/persistence/data"
	"ssod/persistence/layout"
)

// ErrRevision: the stored revision is another than the commit's BaseRev.
var ErrRevision = errors.New("the stored revision is another")

// Apply applies entries in order, in memory, and owns what they hold from then on. It
// writes nothing, because after a crash they are applied again from the log. The exception
// are configurations: what is applied up to one is on disk when Apply returns. A replica
// is removed when its leader has applied its removal, and a leader that forgot that would
// miss its vote.
//
// The result has, per change, why its commits were rejected: nil when none was, else
// [ErrRevision], [data.ErrInvalid] or nil per commit.
func (s *Shards) Apply(changes []data.Change) ([][]error, error) {
	results := make([][]error, len(changes))
	for i := range changes {
		c := &changes[i]
		err := s.awaitRoom()
		if err != nil {
			return nil, err
		}
		if results[i], err = s.apply(c); err != nil {
			return nil, fmt.Errorf("apply entry %d of shard %d: %w", c.Index, c.Shard, err)
		}
	}
	s.noteApplied()
	return results, s.settle(changes)
}

// settle makes configurations among the changes durable, with all before them.
func (s *Shards) settle(changes []data.Change) error {
	var shards []data.ShardID
	for i := range changes {
		if changes[i].Conf != nil {
			shards = append(shards, changes[i].Shard)
		}
	}
	if len(shards) == 0 {
		return nil
	}
	slices.Sort(shards)
	if err := s.flush(slices.Compact(shards)); err != nil {
		return err
	}
	return s.db.Sync()
}

// apply applies one entry.
func (s *Shards) apply(c *data.Change) (rejected []error, err error) {
	sh := s.shard(c.Shard)
	if sh == nil {
		return nil, fmt.Errorf("%w: shard %d", data.ErrInvalid, c.Shard)
	}
	// No scan of the store may replace the filter before the layers have the entry.
	s.mu.Lock()
	defer s.mu.Unlock()
	after, err := sh.after(c)
	if err != nil {
		return nil, err
	}
	// Unknown revisions are read before readers are locked out.
	cs, err := s.prepare(sh, c)
	if err != nil {
		return nil, err
	}
	defer clear(cs) // it is room for the next entry
	sh.mu.Lock()
	defer sh.mu.Unlock()
	before := sh.bytes()
	n := 0 // events of the entry
	for i := range cs {
		err := s.applyCommit(sh, &cs[i], int64(after.Time))
		if err == nil {
			n = sh.applyEvents(&cs[i], after.Index, n)
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
func (sh *shard) after(c *data.Change) (layout.Progress, error) {
	p := sh.done // only Apply writes it
	if c.Index != p.Index+1 {
		return p, fmt.Errorf("it follows %d", p.Index)
	}
	p.Position, p.Time = c.Position, c.After(p.Time)
	if c.Conf == nil {
		return p, nil
	}
	return layout.ProgressOf(data.Applied{Position: p.Position, Time: p.Time, Conf: c.Conf})
}

// prepared is a commit with what is known of its entity before the entry.
type prepared struct {
	*data.Commit
	key    []byte // of the head
	stored revision
	known  bool   // by the layers
	waits  []bool // per mark: its event existed
	err    error
}

// preparation is reusable memory for the commits of an entry.
type preparation struct {
	commits []prepared
	keys    []byte
}

// prepare validates the commits of an entry and finds the revisions that they rest on. The
// result is valid until the next entry; the caller holds the lock of the store.
func (s *Shards) prepare(sh *shard, c *data.Change) ([]prepared, error) {
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
		if p.err = p.Validate(); p.err != nil {
			continue
		}
		if !p.Marking() {
			from := len(keys)
			keys = s.salt.AppendHeadKey(keys, c.Shard, p.Entity)
			p.key = keys[from:len(keys):len(keys)]
		}
	}
	sh.find(cs)
	for i := range cs {
		p := &cs[i]
		var err error
		switch {
		case p.err != nil:
		case p.Marking():
			p.waits, err = s.findEvents(c.Shard, sh, p.Marks)
		case !p.known:
			p.stored, err = s.revision(sh, p.key)
		}
		if err != nil {
			return nil, err
		}
	}
	return cs, nil
}

// usualHeadKey is the length of a head key with a kind of a dozen letters.
const usualHeadKey = layout.ShardKeyLen + layout.SlotLen + 1 + 12 + layout.DigestLen

// find fills in what the layers know.
func (sh *shard) find(cs []prepared) {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	all := sh.layers()
	for i := range cs {
		p := &cs[i]
		if p.err != nil || p.Marking() {
			continue
		}
		if e := all.find(string(p.key[layout.ShardKeyLen:])); e != nil {
			p.stored, p.known = e.revision(), true
		}
	}
}

// applyCommit applies a commit, or nothing of it if it returns an error. The
// caller holds the locks of store and shard.
func (s *Shards) applyCommit(sh *shard, p *prepared, now int64) error {
	if p.err != nil || p.Marking() {
		return p.err
	}
	stored := p.stored
	if e := sh.active.entities[string(p.key[layout.ShardKeyLen:])]; e != nil {
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
func (s *Shards) revision(sh *shard, k []byte) (revision, error) {
	if v, ok := s.revs.get(k); ok {
		return v, nil
	}
	return s.storedRevision(sh, k)
}

// storedRevision returns what the head with the key k says, from disk.
func (s *Shards) storedRevision(sh *shard, k []byte) (revision, error) {
	if s.absent(sh, k) {
		return revision{}, nil
	}
	b, err := s.db.Read(k)
	if b == nil || err != nil {
		return revision{}, err
	}
	_, h, parts, err := layout.ParseHead(b)
	return revision{rev: h.Rev, parts: parts}, err
}
