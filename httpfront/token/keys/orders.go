package keys

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"
)

// Orders is the meta table of the rotations that go on.
const Orders = "rotations"

const (
	// maxOrders is how many rotations go on at once.
	maxOrders = 16
	// orderLife is how long a rotation waits for a node that knows any of the keys it
	// concerns.
	orderLife = 24 * time.Hour
)

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

// order is a rotation that goes on.
type order struct {
	Rotation
	id      string
	ordered time.Time
}

// readOrders returns the rotations that go on, in their order.
func readOrders(store Store) (orders []order, revision uint64, err error) {
	records, revision := store.Records(Orders)
	var errs []error
	for id, raw := range records {
		var o Order
		if err := proto.Unmarshal(raw, &o); err != nil {
			errs = append(errs, fmt.Errorf("decode rotation %s: %w", id, err))
			continue
		}
		orders = append(orders, order{
			Rotation: Rotation{Realm: o.Realm, Use: Use(o.Use), Overlap: time.Duration(o.OverlapMs) * time.Millisecond},
			id:       id, ordered: time.UnixMilli(o.OrderedMs),
		})
	}
	slices.SortFunc(orders, func(a, b order) int { return cmp.Or(a.ordered.Compare(b.ordered), cmp.Compare(a.id, b.id)) })
	return orders, revision, errors.Join(errs...)
}

// Rotated is how far a rotation is.
type Rotated struct {
	ID   string `json:"id"`
	Keys int    `json:"keys"` // that get a successor
	Slow int    `json:"-"`    // those of which that takes long
	Done bool   `json:"done"`
}

// Rotate makes it durable that each group that o concerns gets a new key, which the
// node that keeps the keys then makes ([Ring.Keep]), also after a restart. The old
// ones verify until everything they signed has expired. It fails with
// [ErrUnknownKey] when o concerns none, with [ErrFixed], [ErrTooManyKeys] or
// [ErrRotating], and then changes nothing.
func (r *Ring) Rotate(ctx context.Context, o Rotation) (Rotated, error) {
	if o.Use == LinkCode {
		return Rotated{}, ErrFixed
	}
	var done Rotated
	err := r.edit(ctx, Orders, func(s *snapshot, c *change) (err error) {
		done, err = r.order(c, s, o)
		return err
	})
	return done, err
}

// order puts a rotation into the change.
func (r *Ring) order(c *change, s *snapshot, o Rotation) (Rotated, error) {
	done := Rotated{ID: rand.Text()}
	for _, want := range s.wants.all {
		if !o.concerns(want.groupID) {
			continue
		}
		if s.groups[want.groupID].count(r.now())+s.ordered(want.groupID) >= want.room() {
			return Rotated{}, fmt.Errorf("add a key for %s: %w%s", want, ErrTooManyKeys, s.groups[want.groupID].relief())
		}
		done.Keys++
		if want.slow() {
			done.Slow++
		}
	}
	switch {
	case done.Keys == 0:
		return Rotated{}, fmt.Errorf("rotate use %q of realm %q: %w", o.Use, o.Realm, ErrUnknownKey)
	case len(s.orders) >= maxOrders:
		return Rotated{}, fmt.Errorf("rotate use %q of realm %q: %w", o.Use, o.Realm, ErrRotating)
	}
	return done, c.put(done.ID, &Order{
		Use: string(o.Use), Realm: o.Realm, OverlapMs: max(o.Overlap, 0).Milliseconds(), OrderedMs: r.now().UnixMilli(),
	})
}

// ordered is how many keys rotations have yet to make for a group.
func (s *snapshot) ordered(of groupID) (n int) {
	for _, o := range s.orders {
		if o.concerns(of) && !s.groups[of].madeFor(o.id) {
			n++
		}
	}
	return n
}

// AwaitRotated waits until a rotation is done, its keys being on every node, or ctx
// ends, and reports whether it is.
func (r *Ring) AwaitRotated(ctx context.Context, id string) (done bool) {
	for {
		news := r.news.wait()
		if !slices.ContainsFunc(r.snapshot().orders, func(o order) bool { return o.id == id }) {
			return true
		}
		select {
		case <-news:
		case <-ctx.Done():
			return false
		}
	}
}

// finished are the rotations that have nothing left to do.
func (s *snapshot) finished(now time.Time) (ids []string) {
	for _, o := range s.orders {
		concerned, pending := 0, 0
		for _, want := range s.wants.all {
			if !o.concerns(want.groupID) {
				continue
			}
			concerned++
			if g := s.groups[want.groupID]; !g.madeFor(o.id) && g.count(now) < want.room() {
				pending++
			}
		}
		// Another node may know the realm: its configuration is newer.
		if pending == 0 && (concerned > 0 || now.Sub(o.ordered) > orderLife) {
			ids = append(ids, o.id)
		}
	}
	return ids
}
