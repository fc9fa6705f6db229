package keys

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/cluster"
	"ssod/httpfront/config"
)

// settle is how long a key that a new configuration asks for is published
// before it signs, so that every node has it by then.
const settle = 10 * time.Second

// wanted is a group that the configuration asks for, and the algorithm of what
// it signs next.
type wanted struct {
	groupID
	algorithm string
}

func groupsOf(cfg *config.Config) []wanted {
	list := []wanted{
		{groupID{use: Access}, cfg.AccessToken.Algorithm},
		{groupID{use: Client}, ""},
		{groupID{use: Statement}, RS256},
	}
	for _, realm := range cfg.Realms {
		list = append(list,
			wanted{groupID{Service, realm.ID}, realm.ServiceToken.Algorithm},
			wanted{groupID{Media, realm.ID}, RS256},
			wanted{groupID{LinkCode, realm.ID}, ""})
	}
	return list
}

// change collects what is written to the table at once.
type change struct {
	puts    map[string][]byte
	deletes []string
}

func (c *change) put(id string, r *Record) error {
	raw, err := proto.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode key %s: %w", id, err)
	}
	if c.puts == nil {
		c.puts = make(map[string][]byte)
	}
	c.puts[id] = raw
	return nil
}

// edit decides on what the table holds what is to change, and makes that
// durable; the ring shows it when edit returns. When another node changed the
// table meanwhile, it is decided again.
func (r *Ring) edit(ctx context.Context, decide func(*snapshot, *change) error) error {
	r.changing.Lock()
	defer r.changing.Unlock()
	for {
		s := r.snapshot()
		var c change
		if err := decide(s, &c); err != nil {
			return err
		}
		if len(c.puts) == 0 && len(c.deletes) == 0 {
			return nil
		}
		err := r.store.Update(ctx, Table, s.revision, c.puts, c.deletes)
		r.version.Add(1)
		switch {
		case err == nil:
			r.snapshot()
			return nil
		case !errors.Is(err, cluster.ErrRejected) || ctx.Err() != nil:
			return fmt.Errorf("change the keys: %w", err)
		}
	}
}

// Sync makes the ring follow a configuration, which may be one that is about to
// become the current one: it makes the keys that are missing, replaces those
// whose algorithm is no longer the configured one, deletes those that verify
// nothing any more, and loads the keys of external issuers. When it fails,
// tokens are verified as before.
func (r *Ring) Sync(ctx context.Context, cfg *config.Config) error {
	err := r.edit(ctx, func(s *snapshot, c *change) error { return r.follow(c, s, cfg) })
	if err != nil {
		return err
	}
	return r.issuers.follow(cfg)
}

// over is the time by which keys are forgotten.
func (r *Ring) over() time.Time {
	now, passed := r.now(), r.passed()
	if passed.Before(now) {
		return passed
	}
	return now
}

// follow puts into the change what the configuration asks for.
func (r *Ring) follow(c *change, s *snapshot, cfg *config.Config) error {
	now := r.now()
	c.deletes = s.forgotten(r.over())
	for _, want := range groupsOf(cfg) {
		newest := s.groups[want.groupID].newest()
		if newest != nil && (newest.algorithm == want.algorithm || want.use == LinkCode) {
			continue
		}
		from := now
		if newest != nil {
			from = now.Add(settle)
		}
		err := r.add(c, s, want, from)
		if errors.Is(err, ErrTooManyKeys) {
			r.log.Warn("the configured algorithm is not used yet", "error", err)
		} else if err != nil {
			return err
		}
	}
	return nil
}

// add puts a new key of a group into the change.
func (r *Ring) add(c *change, s *snapshot, want wanted, signFrom time.Time) error {
	g := s.groups[want.groupID]
	if g.count(r.now()) >= MaxKeys {
		return fmt.Errorf("add a key for %s: %w", want, ErrTooManyKeys)
	}
	id, record, err := r.newKey(want.groupID, want.algorithm, g.next(), signFrom)
	if err != nil {
		return err
	}
	return c.put(id, record)
}

// forgotten lists the keys that can be deleted, in order.
func (s *snapshot) forgotten(now time.Time) (ids []string) {
	for of, g := range s.groups {
		for _, slot := range g.slots {
			if slot.forgotten(now, of.life(s.cfg)) {
				ids = append(ids, slot.id)
			}
		}
	}
	slices.Sort(ids)
	return ids
}

// Rotation says which keys get a successor.
type Rotation struct {
	Realm string // "" means every realm
	Use   Use    // "" means every use except link codes
	// Overlap is how long the new keys are published before they sign.
	Overlap time.Duration
}

func (o Rotation) concerns(of groupID) bool {
	return of.use != LinkCode && (o.Use == "" || o.Use == of.use) && (o.Realm == "" || o.Realm == of.realm)
}

// Rotate makes a new key for each group that o concerns. The old ones verify
// until everything they signed has expired. It fails with [ErrUnknownKey] when
// o concerns none, [ErrFixed] or [ErrTooManyKeys], and then changes nothing.
func (r *Ring) Rotate(ctx context.Context, o Rotation) error {
	if o.Use == LinkCode {
		return ErrFixed
	}
	return r.edit(ctx, func(s *snapshot, c *change) error { return r.rotate(c, s, o) })
}

func (r *Ring) rotate(c *change, s *snapshot, o Rotation) error {
	now := r.now()
	for _, want := range groupsOf(s.cfg) {
		if !o.concerns(want.groupID) {
			continue
		}
		if err := r.add(c, s, want, now.Add(max(o.Overlap, 0))); err != nil {
			return err
		}
	}
	if len(c.puts) == 0 {
		return fmt.Errorf("rotate use %q of realm %q: %w", o.Use, o.Realm, ErrUnknownKey)
	}
	c.deletes = s.forgotten(r.over())
	return nil
}

// Revoke ends a key at once: nothing it signed is accepted any more, and the
// key itself is destroyed. Where it was signing, another takes its place in the
// same change. Revoking it again only waits until that holds on every node. It
// fails with [ErrUnknownKey] or [ErrFixed].
func (r *Ring) Revoke(ctx context.Context, id string) error {
	return r.edit(ctx, func(s *snapshot, c *change) error { return r.revoke(c, s, id) })
}

func (r *Ring) revoke(c *change, s *snapshot, id string) error {
	k, found := s.byID[id]
	switch {
	case !found:
		return ErrUnknownKey
	case k.use == LinkCode:
		return ErrFixed
	case k.isRevoked():
		c.puts = map[string][]byte{id: k.record}
		return nil
	}
	now := r.now()
	if err := k.tombstone(c, now); err != nil {
		return err
	}
	if s.groups[groupID{k.use, k.realm}].signing(now) == k {
		return r.replace(c, s, k)
	}
	return nil
}

// tombstone puts what is left of a revoked key into the change.
func (k *key) tombstone(c *change, now time.Time) error {
	var record Record
	if err := proto.Unmarshal(k.record, &record); err != nil {
		return fmt.Errorf("decode key %s: %w", k.id, err)
	}
	record.Sealed, record.RevokedMs = nil, now.UnixMilli()
	return c.put(k.id, &record)
}

// replace puts a key into the place of one that was signing. It signs from the
// same time, so that a node whose clock is behind does not fall back to the
// key before. It may be one more than [MaxKeys]: revocation always succeeds.
func (r *Ring) replace(c *change, s *snapshot, k *slot) error {
	of := groupID{k.use, k.realm}
	algorithm := k.algorithm
	for _, want := range groupsOf(s.cfg) {
		if want.groupID == of {
			algorithm = want.algorithm
		}
	}
	id, record, err := r.newKey(of, algorithm, s.groups[of].next(), k.signFrom)
	if err != nil {
		return err
	}
	return c.put(id, record)
}
