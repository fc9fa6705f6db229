package keys

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/cluster"
	"ssod/httpfront/token/keys/sealing"
)

const (
	// sealPause is between two steps with sealing keys, so that a change of all
	// stored keys leaves room for others.
	sealPause = time.Second
	// sealPatience is how long a node leaves such steps to the one that leads the table,
	// which may itself wait for a key.
	sealPatience = 3 * time.Second
	// sealTime bounds a step: it is answered when all nodes have it, or are certain not
	// to serve without it, which takes ten seconds when one has just died.
	sealTime = 15 * time.Second
)

// resealed is how many keys are sealed again at once.
var resealed = batch

// sealLabel binds a sealed key to its id and to everything about it that never
// changes, so that a record cannot be moved to another realm or use. The parts
// are length-prefixed: no two tuples have the same label.
func sealLabel(id string, r *Record) []byte {
	var label []byte
	for _, part := range []string{id, r.Use, r.Realm, r.Algorithm} {
		label = sealing.AppendText(label, part)
	}
	return label
}

// unseal makes sure that this node can open what is stored. It makes the sealing key of a
// new cluster, and publishes this node's key if the others have not sealed the keys to it
// yet.
func (r *Ring) unseal(ctx context.Context) error {
	for {
		records, revision := r.store.Records(Table)
		view, err := sealing.Read(records, &r.sealing, nil)
		if err != nil {
			return err
		}
		c, err := view.Enrol()
		if !view.Founded() {
			for id := range records {
				if !sealing.IsRecord(id) {
					return fmt.Errorf("key %s: there is no sealing key: %w", id, ErrSealed)
				}
			}
			c, err = view.Found(r.now())
		}
		whole := view.Whole()
		switch {
		case err != nil:
			return err
		case view.Founded() && !errors.Is(whole, sealing.ErrNoCopy), c.Empty():
			return whole
		}
		err = r.store.Update(ctx, Table, revision, c.Puts, c.Deletes)
		if err != nil && !errors.Is(err, cluster.ErrRejected) || ctx.Err() != nil {
			return fmt.Errorf("change the sealing keys: %w", cmp.Or(err, ctx.Err()))
		}
	}
}

// keepSealed maintains the sealing keys until ctx ends: every node's proof, copies of the
// keys for nodes that have joined, a new key after a node was removed, and resealing of
// what is under an older one. Each step follows from the tables alone, so another node can
// continue after any.
func (r *Ring) keepSealed(ctx context.Context) {
	pace := time.NewTicker(sealPause)
	defer pace.Stop()
	var since time.Time // when there was first something to do that nobody did
	for {
		turn := turn{}
		select {
		case <-r.news.wait():
		case <-pace.C:
			turn.reseals = true
		case <-ctx.Done():
			return
		}
		turn.mine = r.leads() || !since.IsZero() && time.Since(since) > sealPatience
		doing, cancel := context.WithTimeout(ctx, sealTime)
		done, err := r.tendSealing(doing, turn)
		cancel()
		if err != nil && ctx.Err() == nil {
			r.log.Warn("the sealing keys are still to be changed", "error", err)
		}
		switch {
		case done:
			since = time.Time{}
		case since.IsZero():
			since = time.Now()
		}
	}
}

// turn is what a node does about the sealing keys at a time.
type turn struct {
	mine    bool // it is the one to change them, not only its own record
	reseals bool // it may also seal again what is under an older one
}

// tendSealing does what there is to do next if this node is the one to do it, and
// reports whether there is nothing.
func (r *Ring) tendSealing(ctx context.Context, t turn) (done bool, err error) {
	err = r.edit(ctx, Table, func(s *snapshot, c *change) error { return c.sealing(s.sealing.Enrol()) })
	if err != nil {
		return false, err
	}
	if s := r.snapshot(); !t.mine {
		return s.sealedUp(r.now())
	}
	done = true
	told := r.snapshot().sealing.Current()
	err = r.edit(ctx, Table, func(s *snapshot, c *change) error {
		err := r.reseal(s, c, t.reseals)
		done = err == nil && len(c.puts) == 0 && len(c.deletes) == 0 && len(s.outdated()) == 0
		return err
	})
	if now := r.snapshot().sealing.Current(); err == nil && now != told {
		r.log.Info("a new sealing key is in use: a node that was removed has the one before", "number", now)
	}
	return done, err
}

// sealedUp reports whether there is nothing to do.
func (s *snapshot) sealedUp(now time.Time) (bool, error) {
	c, err := s.sealing.Step(now)
	s.sealing.Drop(&c, s.under)
	return c.Empty() && len(s.outdated()) == 0, err
}

// sealing takes over what is to be done with the sealing keys.
func (c *change) sealing(of sealing.Change, err error) error {
	c.puts, c.deletes = of.Puts, of.Deletes
	return err
}

// reseal puts the next step into a change: what the sealing keys themselves need,
// or else some of the keys that are sealed under an older one, and the end of those
// that nothing is sealed under.
func (r *Ring) reseal(s *snapshot, c *change, again bool) error {
	if err := c.sealing(s.sealing.Step(r.now())); err != nil || len(c.puts) > 0 || !again || s.sealing.Whole() != nil {
		return err
	}
	of := sealing.Change{Deletes: c.deletes}
	s.sealing.Drop(&of, s.under)
	c.deletes = of.Deletes
	outdated := s.outdated()
	for _, k := range outdated[:min(len(outdated), resealed)] {
		if err := k.reseal(c, s.sealing); err != nil {
			return err
		}
	}
	return nil
}

// outdated are the keys that are sealed under an older key than the current one, in
// order.
func (s *snapshot) outdated() (list []*slot) {
	for _, slot := range s.byID {
		if slot.sealedBy != 0 && slot.sealedBy != s.sealing.Current() {
			list = append(list, slot)
		}
	}
	slices.SortFunc(list, func(a, b *slot) int { return strings.Compare(a.id, b.id) })
	return list
}

// reseal puts the key, sealed under the current key, into a change.
func (k *key) reseal(c *change, view *sealing.View) error {
	var record Record
	if err := proto.Unmarshal(k.record, &record); err != nil {
		return fmt.Errorf("decode key %s: %w", k.id, err)
	}
	label := sealLabel(k.id, &record)
	secret, err := view.Open(record.Sealed, label)
	if err == nil {
		record.Sealed, err = view.Seal(secret, label)
	}
	if err != nil {
		return fmt.Errorf("seal key %s again: %w", k.id, err)
	}
	return c.put(k.id, &record)
}

// Sealing is how far the change of the sealing key is.
type Sealing struct {
	Current  uint64   // number of the current key
	Due      bool     // a node that was removed has it: another is about to be made
	Outdated int      // keys that are sealed under an older one
	Older    int      // older ones that are still there
	Sealed   int      // keys that are sealed under any
	Waiting  []string // nodes that wait for a copy
	Unproven []string // those of them that do not prove that they know the cluster secret
}

// Done reports whether there is nothing to do.
func (p *Sealing) Done() bool {
	return !p.Due && p.Outdated == 0 && p.Older == 0 && len(p.Waiting) == 0
}

// Sealing tells how far the change of the sealing key is.
func (r *Ring) Sealing() Sealing {
	s := r.snapshot()
	p := Sealing{Current: s.sealing.Current(), Due: s.sealing.Compromised(), Older: max(0, len(s.sealing.Numbers())-1)}
	for number, n := range s.under {
		p.Sealed += n
		if number != p.Current {
			p.Outdated += n
		}
	}
	p.Waiting, p.Unproven = s.sealing.Waiting()
	return p
}
