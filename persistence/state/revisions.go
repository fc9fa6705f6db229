package state

import (
	"maps"
	"strings"
	"sync"
)

// generationBytes bounds one of the two generations of [revisions]: some 60,000
// entities.
const generationBytes = 8 << 20

// revisions caches the revisions of entities that were written or read lately, so that a
// commit seldom reads from disk. It has two generations: when the newer is full, the older
// is dropped. It does not know what is applied and not flushed: the layers do.
type revisions struct {
	mu       sync.Mutex
	new, old generation
	epoch    uint64 // counts generations
}

// revision is what is known of one stored entity.
type revision struct {
	rev   uint64 // 0: does not exist
	parts bool   // it has, or had, records
}

type generation struct {
	entities map[string]revision
	bytes    int
}

func newRevisions() *revisions {
	return &revisions{
		new: generation{entities: map[string]revision{}},
		old: generation{entities: map[string]revision{}},
	}
}

// get returns what is known of the entity with the head key k.
func (r *revisions) get(k []byte) (revision, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.find(k)
}

// now returns the epoch, before a read from disk.
func (r *revisions) now() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.epoch
}

// seen caches what was read from disk since the given epoch, unless a revision is known.
// If a generation was dropped since, a newer revision may have been cached and dropped, so
// the one that was read is not trusted.
func (r *revisions) seen(k []byte, v revision, epoch uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.find(k); known || r.epoch != epoch {
		return
	}
	r.insert(string(k), v)
}

// put remembers what was written.
func (r *revisions) put(k string, v revision) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.new.entities[k]; ok {
		r.new.entities[k] = v
		return
	}
	delete(r.old.entities, k)
	r.insert(k, v)
}

func (r *revisions) find(k []byte) (revision, bool) {
	if v, ok := r.new.entities[string(k)]; ok {
		return v, true
	}
	v, ok := r.old.entities[string(k)]
	if ok {
		key := string(k)
		delete(r.old.entities, key)
		r.insert(key, v)
	}
	return v, ok
}

// insert adds an entity, and begins a new generation if necessary.
func (r *revisions) insert(k string, v revision) {
	if r.new.bytes >= generationBytes {
		r.epoch++
		clear(r.old.entities)
		r.new, r.old = generation{entities: r.old.entities}, r.new
	}
	r.new.entities[k] = v
	r.new.bytes += len(k) + 80
}

// drop forgets the entities whose key has a prefix.
func (r *revisions) drop(prefix string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.epoch++
	for _, g := range []*generation{&r.new, &r.old} {
		maps.DeleteFunc(g.entities, func(k string, _ revision) bool { return strings.HasPrefix(k, prefix) })
	}
}
