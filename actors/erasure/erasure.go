package erasure

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"ssod/actors"
	"ssod/actors/device"
	"ssod/actors/grant"
	"ssod/actors/intent"
	"ssod/actors/linking"
	"ssod/actors/login"
	"ssod/actors/profile"
	"ssod/actors/session"
	"ssod/actors/trial"
	"ssod/actors/upstream"
	"ssod/cluster"
)

// Cluster reaches what all nodes store.
type Cluster interface {
	// Find returns the identities of the stored entities of a kind that [Match] a
	// device.
	Find(ctx context.Context, kind string, device []byte) ([][]byte, error)
	// Scrub removes what was deleted in some shards from every file of every node.
	Scrub(ctx context.Context, shards []cluster.ShardID) error
}

// Eraser erases. It is safe for concurrent use.
type Eraser struct {
	Asker   actors.Asker
	Cluster Cluster
	// Slots says which shards entities belong to.
	Slots func() *cluster.Slots
	// Links erases members of profiles together with their link codes.
	Links linking.Client

	mu   sync.Mutex
	owed map[cluster.ShardID]bool // that erasures which failed have not scrubbed
}

// Erased is what was there.
type Erased struct {
	Profiles int // that the viewer or the device was found in
	Devices  int // members
	Logins   int // made on the devices
	Sessions int // in progress, or lately over
	Trials   int // of temporary access
}

// Realm is where a device is looked for.
type Realm struct {
	ID               string
	ServiceProviders map[string]bool
}

// Target is what to erase: a viewer's profile and what its member devices have, or a
// device and what it has.
type Target struct {
	Realm  Realm
	Viewer profile.ID
	Device []byte // empty: the viewer
}

// Erase erases the target, and returns when it is in no file of any node.
func (e *Eraser) Erase(ctx context.Context, t Target) (_ Erased, err error) {
	x := &erasing{Eraser: e, realm: t.Realm, shards: make(map[cluster.ShardID]bool)}
	defer func() {
		if err != nil {
			e.owe(x.shards)
		}
	}()
	do := func() error { return x.viewer(ctx, t.Viewer) }
	if len(t.Device) > 0 {
		do = func() error { return x.everywhere(ctx, t.Device) }
	}
	if err := do(); err != nil {
		return x.erased, err
	}
	if x.erased == (Erased{}) { // an earlier call may have ended before it was scrubbed
		for _, r := range e.Slots().Ranges() {
			x.shards[r.Shard] = true
		}
	}
	maps.Copy(x.shards, e.take())
	if err := e.Cluster.Scrub(ctx, slices.Sorted(maps.Keys(x.shards))); err != nil {
		return x.erased, fmt.Errorf("erased, and still in files: repeat it: %w", err)
	}
	return x.erased, nil
}

// owe remembers shards for the next scrub: when a failed call is repeated, it does not
// find what it has erased before.
func (e *Eraser) owe(shards map[cluster.ShardID]bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.owed == nil {
		e.owed = make(map[cluster.ShardID]bool)
	}
	maps.Copy(e.owed, shards)
}

// take returns the owed shards, for the caller to scrub.
func (e *Eraser) take() map[cluster.ShardID]bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	owed := e.owed
	e.owed = nil
	return owed
}

// erasing is one erasure under way.
type erasing struct {
	*Eraser
	realm  Realm
	erased Erased
	shards map[cluster.ShardID]bool // that had something
}

// viewer erases a profile and what its member devices have.
func (x *erasing) viewer(ctx context.Context, id profile.ID) error {
	state, _, err := profile.Client{Asker: x.Asker}.Show(ctx, fresh(), id)
	if err != nil {
		return err
	}
	for _, m := range state.GetMembers() {
		if err := x.device(ctx, m.GetDevice()); err != nil {
			return err
		}
	}
	return x.forget(ctx, id.Address(), func() error { return x.members(ctx, id, nil) })
}

// everywhere erases what a device has, and its memberships.
func (x *erasing) everywhere(ctx context.Context, id []byte) error {
	if err := x.device(ctx, id); err != nil {
		return err
	}
	found, err := x.find(ctx, profile.KindName, id, 3)
	if err != nil {
		return err
	}
	for _, identity := range found {
		if identity[0] != x.realm.ID {
			continue
		}
		of := profile.ID{Realm: identity[0], Namespace: identity[1], Subject: identity[2]}
		if err := x.members(ctx, of, id); err != nil {
			return err
		}
	}
	return nil
}

// device erases the logins and sessions of all apps on a device.
func (x *erasing) device(ctx context.Context, id []byte) error {
	sessions, err := x.find(ctx, session.KindName, id, 2)
	if err != nil {
		return err
	}
	for _, identity := range sessions {
		if !x.realm.ServiceProviders[identity[0]] {
			continue
		}
		if err := x.forget(ctx, actors.Address{Kind: session.KindName, Identity: identity}, nothing); err != nil {
			return err
		}
		x.erased.Sessions++
	}
	// Where the logins are in the index now has to be scrubbed; when the apps are gone, none
	// of them can enter one any more.
	before, err := x.indexed(ctx, id)
	if err != nil {
		return err
	}
	for _, at := range before {
		x.note(at.Address())
	}
	if err := x.apps(ctx, id); err != nil {
		return err
	}
	if err := x.index(ctx, id); err != nil {
		return err
	}
	return x.trials(ctx, id)
}

// apps erases the logins of all apps on a device.
func (x *erasing) apps(ctx context.Context, id []byte) error {
	devices, err := x.find(ctx, device.KindName, id, 3)
	if err != nil {
		return err
	}
	for _, identity := range devices {
		if !x.realm.ServiceProviders[identity[0]] {
			continue
		}
		of := device.ID{ServiceProvider: identity[0], Client: identity[1], Device: id}
		if err := x.forget(ctx, of.Address(), func() error { return x.leave(ctx, of) }); err != nil {
			return err
		}
	}
	return nil
}

// trials erases the trials of a device, and what else they are found by.
func (x *erasing) trials(ctx context.Context, id []byte) error {
	keys, err := x.find(ctx, trial.KeyKind, id, 4)
	if err != nil {
		return err
	}
	for _, identity := range keys {
		if identity[0] != x.realm.ID {
			continue
		}
		of := trial.MVPD{Realm: identity[0], ID: identity[1]}
		ids, err := trial.Client{Asker: x.Asker}.Chain(ctx, fresh(), of, identity)
		if err != nil {
			return err
		}
		if err := x.trial(ctx, of, ids); err != nil {
			return err
		}
		// The key last, so that a repeated call finds what an interrupted one has left.
		if err := x.forget(ctx, actors.Address{Kind: trial.KeyKind, Identity: identity}, nothing); err != nil {
			return err
		}
		x.erased.Trials++
	}
	return nil
}

// trial erases trials that yield one to another, and the identities that lead to them.
func (x *erasing) trial(ctx context.Context, of trial.MVPD, ids [][]byte) error {
	for _, id := range ids {
		keys, err := x.find(ctx, trial.KeyKind, id, 4)
		if err != nil {
			return err
		}
		for _, identity := range keys {
			if trial.IsIdentity(identity) {
				if err := x.forget(ctx, actors.Address{Kind: trial.KeyKind, Identity: identity}, nothing); err != nil {
					return err
				}
			}
		}
		if err := x.forget(ctx, of.Trial(id), nothing); err != nil {
			return err
		}
	}
	return nil
}

// indexed are the subjects and sessions at TV providers of which a device has logins.
func (x *erasing) indexed(ctx context.Context, id []byte) (ids []upstream.ID, err error) {
	found, err := x.find(ctx, upstream.KindName, id, 4)
	for _, identity := range found {
		if identity[0] == x.realm.ID {
			ids = append(ids, upstream.ID{Realm: identity[0], MVPD: identity[1], By: upstream.By(identity[2]), Digest: []byte(identity[3])})
		}
	}
	return ids, err
}

// index ends the logins of a device that are left in the index, those that only profiles
// have still, and drops them there.
func (x *erasing) index(ctx context.Context, id []byte) error {
	found, err := x.indexed(ctx, id)
	if err != nil {
		return err
	}
	for _, of := range found {
		err := x.forget(ctx, of.Address(), func() error {
			return upstream.Client{Asker: x.Asker}.Erase(ctx, fresh(), of, id)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func nothing() error { return nil }

// leave ends the logins of one app on a device, and their copies.
func (x *erasing) leave(ctx context.Context, id device.ID) error {
	devices := device.Client{Asker: x.Asker}
	logins, err := devices.Logins(ctx, fresh(), id)
	for _, l := range logins {
		if err = errors.Join(err, devices.Leave(ctx, fresh(), id, &device.Leave{Mvpd: l.GetMvpd()}), x.tokens(ctx, l)); err != nil {
			break
		}
		x.erased.Logins++
	}
	return err
}

// tokens erases those of a login that has ended.
func (x *erasing) tokens(ctx context.Context, l *login.Login) error {
	if !l.GetGranted() {
		return nil
	}
	of := grant.ID{Realm: x.realm.ID, MVPD: l.GetMvpd(), Login: l.GetId()}
	return x.forget(ctx, of.Address(), nothing)
}

// members erases the members of a profile, or one.
func (x *erasing) members(ctx context.Context, id profile.ID, device []byte) error {
	x.note(id.Address())
	members, err := x.Links.Erase(ctx, fresh(), id, device)
	if err != nil {
		return err
	}
	if members > 0 {
		x.erased.Devices += members
		x.erased.Profiles++
	}
	return nil
}

// pause is between two attempts to forget an entity that is busy.
const pause = 20 * time.Millisecond

// forget calls before and removes the entity, again and again while that is busy. One that
// others need stays.
func (x *erasing) forget(ctx context.Context, to actors.Address, before func() error) error {
	x.note(to)
	for {
		if err := before(); err != nil {
			return err
		}
		reply, err := actors.Ask[*intent.ForgetReply](ctx, x.Asker, to, fresh(), 0, &intent.Forget{})
		if err != nil || !reply.GetBusy() {
			return err
		}
		wait := time.NewTimer(pause)
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return fmt.Errorf("forget a %s: it is busy: %w", to.Kind, ctx.Err())
		}
	}
}

// find returns the identities of a kind's entities, which have the given number of parts.
func (x *erasing) find(ctx context.Context, kind string, id []byte, parts int) ([]actors.Identity, error) {
	encoded, err := x.Cluster.Find(ctx, kind, id)
	if err != nil {
		return nil, fmt.Errorf("find every %s: %w", kind, err)
	}
	var found []actors.Identity
	for _, e := range encoded {
		identity, err := actors.DecodeIdentity(string(e))
		if err != nil {
			return nil, err
		}
		if len(identity) == parts {
			found = append(found, identity)
		}
	}
	return found, nil
}

// note remembers that an entity's shard had something.
func (x *erasing) note(a actors.Address) { x.shards[a.Shard(x.Slots())] = true }

// fresh is a new request id, so that a repeat does not get the first answer.
func fresh() (r cluster.RequestID) {
	_, _ = rand.Read(r[:]) // never fails
	return r
}
