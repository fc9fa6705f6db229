package persistence

import (
	"slices"
	"sync"
)

// generationBytes bounds one of the two generations of [revisions], outcomes
// included: some 60,000 entities with an outcome or two.
const generationBytes = 16 << 20

// revisions remembers the revisions of entities that were lately changed or
// looked at, so that a commit seldom reads from disk, and which of them are not
// on disk yet. It forgets in two generations: when the newer is full, the older
// is dropped, but never before all its changes are synced.
type revisions struct {
	mu       sync.Mutex
	new, old generation
	synced   uint64 // number of the last batch known to be on disk
	epoch    uint64 // counts generations
}

// revision is what is known of one entity.
type revision struct {
	key      string
	rev      uint64   // 0: does not exist
	parts    bool     // see flagParts
	outcomes outcomes // in the head, until the next put; for the holder of Store.mu
	batch    uint64   // the batch that wrote it; 0: read from disk
}

type generation struct {
	entities map[string]*revision
	bytes    int
	batch    uint64 // the highest in entities
}

func newRevisions() *revisions {
	return &revisions{
		new: generation{entities: map[string]*revision{}},
		old: generation{entities: map[string]*revision{}},
	}
}

// get returns what is known of the entity with the head key k.
func (r *revisions) get(k []byte) (revision, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if v, ok := r.find(k); ok {
		return *v, true
	}
	return revision{}, false
}

// now returns the epoch in which something is about to be read from disk.
func (r *revisions) now() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.epoch
}

// seen remembers what was read from disk since the given epoch, unless more is
// known. If a generation was dropped since, a newer revision may have come and
// gone, and what was read is not trusted.
func (r *revisions) seen(k []byte, v revision, epoch uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.find(k); known || r.epoch != epoch {
		return
	}
	v.key, v.outcomes = string(k), slices.Clone(v.outcomes)
	r.insert(&v)
}

// put remembers v; v.key is ignored and v.outcomes copied.
func (r *revisions) put(k []byte, v revision) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn() // outcomes grow without an insert
	known, ok := r.find(k)
	if !ok {
		known = &revision{key: string(k)}
		r.insert(known)
	}
	v.key = known.key
	v.outcomes = append(known.outcomes[:0], v.outcomes...)
	r.new.bytes += cap(v.outcomes) - cap(known.outcomes)
	*known = v
	r.new.batch = max(r.new.batch, v.batch)
}

// batch returns the batch that wrote the entity last, 0 if it is long on disk.
func (r *revisions) batch(k []byte) uint64 {
	v, _ := r.get(k)
	return v.batch
}

// sync says that all batches up to the given one are on disk.
func (r *revisions) sync(batch uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.synced = max(r.synced, batch)
}

func (r *revisions) find(k []byte) (*revision, bool) {
	if v, ok := r.new.entities[string(k)]; ok {
		return v, true
	}
	v, ok := r.old.entities[string(k)]
	if ok {
		delete(r.old.entities, v.key)
		r.insert(v)
	}
	return v, ok
}

func (r *revisions) insert(v *revision) {
	r.turn()
	r.new.entities[v.key] = v
	r.new.bytes += len(v.key) + cap(v.outcomes) + 128
	r.new.batch = max(r.new.batch, v.batch)
}

// turn begins a new generation if it is time.
func (r *revisions) turn() {
	if r.new.bytes >= generationBytes && r.old.batch <= r.synced {
		r.epoch++
		clear(r.old.entities)
		r.new, r.old = generation{entities: r.old.entities}, r.new
	}
}
