package keys

import (
	"bytes"
	"errors"
	"sync"

	"ssod/httpfront/config"
	"ssod/httpfront/token/keys/sealing"
)

// snapshot is all keys at one moment, with what follows from them and from the
// configuration. It does not change; a change makes a new one.
type snapshot struct {
	epoch    uint64 // differs between any two snapshots of a ring
	cfg      *config.Config
	version  uint64            // of the tables, as this ring counts
	revision map[string]uint64 // of the tables
	wants    wishes
	byID     map[string]*slot
	groups   map[groupID]*group
	sealing  *sealing.View    // the keys that all others are sealed under
	under    map[uint64]int   // how many keys are sealed under each of them
	orders   []order          // rotations that go on, in their order
	versions map[string]*slot // client keys by the short name in client ids
	jwks     sync.Map         // public keys by realm, made when they are asked for
}

// snapshot returns the current snapshot. The first call after a change of the table or of
// the configuration makes it.
func (r *Ring) snapshot() *snapshot {
	s := r.current.Load()
	if s.version == r.version.Load() && s.cfg == r.settings() {
		return s
	}
	r.building.Lock()
	defer r.building.Unlock()
	if s = r.current.Load(); s.version == r.version.Load() && s.cfg == r.settings() {
		return s
	}
	s, err := r.build(s)
	if err != nil {
		r.log.Error("some keys are not usable", "error", err)
	}
	r.current.Store(s)
	return s
}

// build makes a snapshot of what is stored. A key that does not open is left
// out and named in the error.
func (r *Ring) build(old *snapshot) (*snapshot, error) {
	// The version is read before the table: a change in between is seen by
	// the next caller.
	s := &snapshot{
		epoch: r.epochs.Add(1), version: r.version.Load(), cfg: r.settings(), revision: make(map[string]uint64),
		byID: make(map[string]*slot), groups: make(map[groupID]*group), versions: make(map[string]*slot),
		under: make(map[uint64]int),
	}
	keys := make(map[groupID][]*key)
	var errs []error
	s.wants = wishesOf(s.cfg)
	records, revision := r.store.Records(Table)
	s.revision[Table] = revision
	var err error
	if s.sealing, err = sealing.Read(records, &r.sealing, old.view()); err != nil {
		errs = append(errs, err)
	}
	for id, raw := range records {
		if sealing.IsRecord(id) {
			continue
		}
		k, err := r.reopen(s.sealing, old, id, raw)
		if err != nil {
			errs = append(errs, err)
			s.under[sealedBy(raw)]++
		} else {
			s.under[k.sealedBy]++
		}
		if k == nil {
			continue
		}
		of := groupID{k.use, k.realm}
		keys[of] = append(keys[of], k)
	}
	for of, list := range keys {
		g := newGroup(list, of.life(s.cfg))
		s.groups[of] = g
		for _, slot := range g.slots {
			s.byID[slot.id] = slot
			if of.use == Client {
				s.versions[clientVersion(slot.id)] = slot
			}
		}
	}
	delete(s.under, 0) // what is not sealed, because it was revoked or is no key
	s.orders, s.revision[Orders], err = readOrders(r.store)
	return s, errors.Join(append(errs, err)...)
}

// view is the view of the sealing keys; nil before the first snapshot.
func (s *snapshot) view() *sealing.View {
	if s == nil {
		return nil
	}
	return s.sealing
}

// reopen opens a stored key unless the old snapshot has it. One that was resealed under a
// sealing key of which this node has no copy yet stays as it is known.
func (r *Ring) reopen(view *sealing.View, old *snapshot, id string, raw []byte) (*key, error) {
	var known *key
	if old != nil && old.byID[id] != nil {
		known = old.byID[id].key
	}
	if known != nil && bytes.Equal(known.record, raw) {
		return known, nil
	}
	k, err := openKey(view, id, raw)
	if errors.Is(err, sealing.ErrNoCopy) && known != nil && !known.isRevoked() {
		return known, err
	}
	return k, err
}
