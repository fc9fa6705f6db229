package keys

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/cluster"
)

// change collects what is written to a table at once.
type change struct {
	puts    map[string][]byte
	deletes []string
}

func (c *change) put(id string, r proto.Message) error {
	raw, err := proto.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode %s: %w", id, err)
	}
	if c.puts == nil {
		c.puts = make(map[string][]byte)
	}
	c.puts[id] = raw
	return nil
}

// edit decides by the tables on a change of one of them, and makes it durable; the ring
// shows it when edit returns. If another node changed the table meanwhile, it decides
// again.
func (r *Ring) edit(ctx context.Context, table string, decide func(*snapshot, *change) error) error {
	select {
	case r.changing <- struct{}{}:
		defer func() { <-r.changing }()
	case <-ctx.Done():
		return fmt.Errorf("change the keys: %w", ctx.Err())
	}
	for {
		s := r.snapshot()
		var c change
		if err := decide(s, &c); err != nil {
			return err
		}
		if len(c.puts) == 0 && len(c.deletes) == 0 {
			return nil
		}
		err := r.store.Update(ctx, table, s.revision[table], c.puts, c.deletes)
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

// found makes the keys that are missing and that others must not wait for: those of
// the cluster, and those that are made at once.
func (r *Ring) found(ctx context.Context) error {
	for {
		var list []made
		for _, j := range r.snapshot().due(r.now()) {
			if len(list) == batch || j.slow() && j.realm != "" {
				break
			}
			if r.snapshot().groups[j.groupID].newest() != nil {
				continue
			}
			m, err := r.urgent.make(ctx, j.wanted)
			if err != nil {
				return err
			}
			list = append(list, made{j.wanted, m})
		}
		if len(list) == 0 {
			return nil
		}
		if err := r.publish(ctx, list); err != nil {
			return err
		}
	}
}

// add puts a new key of a group into the change.
func (r *Ring) add(c *change, s *snapshot, j job, m material, signFrom time.Time) error {
	id, record, err := r.record(s, j, m, s.groups[j.groupID].next(), signFrom)
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

// Revoke ends a key at once: nothing it signed is accepted any more, and the
// key itself is destroyed. Where it was signing, another takes its place in the
// same change: with a link-code key the codes die that were made under it. Revoking it
// again only waits until that holds on every node. It fails with [ErrUnknownKey].
func (r *Ring) Revoke(ctx context.Context, id string) error {
	return r.edit(ctx, Table, func(s *snapshot, c *change) error { return r.revoke(ctx, c, s, id) })
}

func (r *Ring) revoke(ctx context.Context, c *change, s *snapshot, id string) error {
	k, found := s.byID[id]
	switch {
	case !found:
		return ErrUnknownKey
	case k.isRevoked():
		c.puts = map[string][]byte{id: k.record}
		return nil
	}
	now := r.now()
	if err := k.tombstone(c, now); err != nil {
		return err
	}
	if s.groups[groupID{k.use, k.realm}].signing(now) == k {
		return r.replace(ctx, c, s, k)
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
func (r *Ring) replace(ctx context.Context, c *change, s *snapshot, k *slot) error {
	j := job{wanted: wanted{groupID{k.use, k.realm}, k.algorithm}}
	if want, configured := s.wants.find(j.groupID); configured {
		j.wanted = want
	}
	m, err := r.atOnce.make(ctx, j.wanted)
	if err != nil {
		return err
	}
	return r.add(c, s, j, m, k.signFrom)
}
