package node

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"ssod/actors"
	"ssod/actors/device"
	"ssod/actors/profile"
	"ssod/actors/trial"
	"ssod/cluster"
	"ssod/cluster/meta"
	"ssod/cluster/placement"
	"ssod/cluster/replica"
	"ssod/cluster/replica/core"
	"ssod/cmd/internal/contents"
	"ssod/httpfront/token/keys"
	"ssod/httpfront/token/keys/sealing"
	"ssod/persistence"
	"ssod/persistence/backup"
)

// Restore makes a new cluster from a backup.
type Restore struct {
	File, Passphrase string
	// Data is the directory of the new cluster's first node, which is empty, and Name
	// the node's.
	Data, Name string
	// RenewKeys makes all service and access tokens void.
	RenewKeys bool
	// Erase are viewers who are not taken over, nor what their devices have.
	Erase []profile.ID
	// Cache is as in [Config]. Reserve, too.
	Cache   int64
	Reserve uint64
	// Clock is the new cluster's first time; nil means time.Now.
	Clock func() time.Time
	Log   *slog.Logger
}

// Restored is the result of a restore.
type Restored struct {
	Cluster  string // id of the new one
	Contents *contents.Summary
	Entities uint64        // that were taken over
	Leap     time.Duration // how far the clock is ahead of the confirmed time; 0: that is not known
	Erased   int           // viewers who were found, of those to erase
	Devices  int           // theirs
}

// clockMargin is more than the clocks of the old cluster can have been ahead of this one
// unnoticed.
const clockMargin = 24 * time.Hour

// Run makes the data directory of a new cluster of one node. All of the backup is checked
// before anything is written. After a failure the directory is emptied, unless the process
// was killed, and no node starts on it.
func (r Restore) Run(ctx context.Context) (_ *Restored, err error) {
	if r.Clock == nil {
		r.Clock = time.Now
	}
	r.Log = cmp.Or(r.Log, slog.Default())
	done := &Restored{}
	erasing, err := r.check(done)
	if err != nil {
		return nil, err
	}
	if err := persistence.BeginRestore(r.Data); err != nil {
		return nil, err
	}
	if err := r.fill(ctx, erasing, done); err != nil {
		if ctx.Err() != nil { // what failed because of that is of no interest
			err = fmt.Errorf("interrupted: %w", context.Cause(ctx))
		}
		if abandoned := persistence.AbandonRestore(r.Data); abandoned != nil {
			err = errors.Join(err, fmt.Errorf("remove what was restored: %w", abandoned))
		}
		return nil, err
	}
	return done, persistence.EndRestore(r.Data)
}

// open calls f with the backup, decrypted.
func (r *Restore) open(f func(io.Reader) error) error {
	file, err := os.Open(r.File)
	if err != nil {
		return err
	}
	defer file.Close()
	plain, err := backup.Open(file, r.Passphrase)
	if err == nil {
		err = f(plain)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", r.File, err)
	}
	return nil
}

// check reads all of the backup, and finds what belongs to the viewers to erase.
func (r *Restore) check(done *Restored) (*erasing, error) {
	e := &erasing{
		viewers: make(map[string]profile.ID), devices: make(map[string][]string), found: done,
		yields: make(map[string][]byte), trials: make(map[string]bool),
	}
	for _, id := range r.Erase {
		e.viewers[id.Address().Identity.Encode()] = id
	}
	all := &actors.Restore{Erased: func(actors.Address) bool { return false }}
	err := r.open(func(plain io.Reader) (err error) {
		done.Contents, err = contents.Take(plain, all, e)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(e.devices) > 0 {
		err := r.open(func(plain io.Reader) error {
			_, err := contents.Take(plain, all, trialsOf{e})
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	e.realms = make(map[string]string)
	for _, realm := range done.Contents.Header.GetRealms() {
		for _, sp := range realm.GetServiceProviders() {
			e.realms[sp] = realm.GetId()
		}
	}
	return e, nil
}

// erasing knows what is to be erased: profiles, and what their member devices have.
type erasing struct {
	viewers map[string]profile.ID // by encoded identity
	devices map[string][]string   // device identifiers by realm
	realms  map[string]string     // by service provider
	yields  map[string][]byte     // trials that yield to others, by encoded identity
	trials  map[string]bool       // of the devices, by encoded identity
	found   *Restored
}

// Entity implements [contents.Taker]: it looks for the devices of the viewers.
func (e *erasing) Entity(at cluster.Entity, h cluster.Head) error {
	if at.Kind == trial.KindName {
		to, err := trial.Next(at.Kind, h)
		if to != nil {
			e.yields[at.Identity] = to
		}
		return err
	}
	id, erased := e.viewers[at.Identity]
	if at.Kind != profile.KindName || !erased {
		return nil
	}
	devices, err := profile.Devices(h)
	e.devices[id.Realm] = append(e.devices[id.Realm], devices...)
	e.found.Erased++
	e.found.Devices += len(devices)
	return err
}

func (e *erasing) Record(cluster.Record) error { return nil }

func (e *erasing) Table(string, string, []byte) error { return nil }

func (e *erasing) Key(string, *keys.Portable) error { return nil }

// trialsOf is a [contents.Taker] that finds the trials of the devices.
type trialsOf struct{ *erasing }

func (e trialsOf) Entity(at cluster.Entity, h cluster.Head) error {
	if at.Kind != trial.KeyKind {
		return nil
	}
	key, err := actors.DecodeIdentity(at.Identity)
	if err != nil || !e.erased(actors.Address{Kind: at.Kind, Identity: key}) {
		return err
	}
	of := trial.MVPD{Realm: key[0], ID: key[1]}
	id, err := trial.Next(at.Kind, h)
	for id != nil && !e.trials[of.Trial(id).Identity.Encode()] {
		name := of.Trial(id).Identity.Encode()
		e.trials[name], id = true, e.yields[name]
	}
	return err
}

// without is a [contents.Taker] that leaves out the identities that lead to the trials of
// the devices.
type without struct {
	*writer
	trials map[string]bool // as in [erasing]
}

func (w without) Entity(at cluster.Entity, h cluster.Head) error {
	if at.Kind == trial.KeyKind {
		key, err := actors.DecodeIdentity(at.Identity)
		if err != nil {
			return err
		}
		id, err := trial.Next(at.Kind, h)
		of := trial.MVPD{Realm: key[0], ID: key[1]}
		if err != nil || id != nil && w.trials[of.Trial(id).Identity.Encode()] {
			return err
		}
	}
	return w.writer.Entity(at, h)
}

// erased reports whether an entity is to be erased.
func (e *erasing) erased(a actors.Address) bool {
	switch {
	case a.Kind == profile.KindName:
		_, erased := e.viewers[a.Identity.Encode()]
		return erased
	case a.Kind == device.KindName && len(a.Identity) == 3:
		realm, known := e.realms[a.Identity[0]]
		return known && slices.Contains(e.devices[realm], a.Identity[2])
	case a.Kind == trial.KindName:
		return e.trials[a.Identity.Encode()]
	case a.Kind == trial.KeyKind:
		return slices.ContainsFunc(e.devices[a.Identity[0]], func(id string) bool {
			_, its := trial.ByDevice(a, []byte(id))
			return its
		})
	}
	return false
}

// fill makes the store.
func (r *Restore) fill(ctx context.Context, e *erasing, done *Restored) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	store, err := persistence.Open(persistence.Options{
		Dir: r.Data, DefaultNode: r.Name, Shards: int(done.Contents.Header.GetShards()), Restore: true,
		Reserve: r.Reserve, CacheBytes: r.Cache, Fatal: func(err error) { cancel(err) }, Logger: r.Log,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	// The restored data may be of this level, which other versions must not open.
	if err := store.RaiseLevel(done.Contents.Level); err != nil {
		return err
	}
	engine, err := replica.Alone(ctx, replica.Config{
		Node: core.NodeID(store.Identity().NodeID), Shards: store.Identity().Shards, Log: store.Log(), State: store,
		Address: func(core.NodeID) string { return "" }, Fatal: func(err error) { cancel(err) }, Clock: r.Clock,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	tables, err := meta.Open(ctx, engine)
	if err != nil {
		return err
	}
	slots, err := placement.Divide(ctx, tables, engine.Count())
	if err != nil {
		return err
	}
	now := r.Clock()
	with := &actors.Restore{At: now, Beyond: later(now, time.UnixMilli(done.Contents.Header.GetPinnedMs())).Add(clockMargin), Erased: e.erased}
	w := newWriter(ctx, engine, slots)
	err = r.open(func(plain io.Reader) error {
		_, err := contents.Take(plain, with, without{w, e.trials})
		return err
	})
	if err = cmp.Or(causeOf(ctx), w.end(), err); err != nil { // the reader only learns that writing has ended
		return err
	}
	if confirmed := done.Contents.Confirmed; !confirmed.IsZero() {
		done.Leap = now.Sub(confirmed)
	}
	done.Cluster, done.Entities = store.Identity().Cluster, w.entities
	return r.tables(ctx, tables, store.Identity(), w)
}

// causeOf is the cause of a cancelled context.
func causeOf(ctx context.Context) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// tableBatch is how many records of a table are written at once.
const tableBatch = 256

// tables writes the tables of the cluster, the keys sealed to the new node.
func (r *Restore) tables(ctx context.Context, store *meta.Store, id persistence.Identity, w *writer) error {
	private := make([]byte, sealing.KeySize)
	rand.Read(private) // never fails since Go 1.24
	if err := writeDurably(filepath.Join(r.Data, sealingFile), hex.AppendEncode(nil, private)); err != nil {
		return err
	}
	now := r.Clock()
	if r.RenewKeys {
		for kid, k := range w.keys {
			w.keys[kid] = k.Renewed(now)
		}
	}
	sealed, err := keys.Seal(w.keys, sealing.Options{
		Key: private, Cluster: id.Cluster, Self: sealing.Member{ID: uint64(id.NodeID), Name: id.Node},
	}, now)
	if err != nil {
		return err
	}
	w.tables[keys.Table] = sealed
	for table, records := range w.tables {
		batch := make(map[string][]byte)
		for id, value := range records {
			if batch[id] = value; len(batch) == tableBatch {
				if err := store.Change(ctx, table, batch, nil); err != nil {
					return err
				}
				clear(batch)
			}
		}
		if len(batch) == 0 {
			continue
		}
		if err := store.Change(ctx, table, batch, nil); err != nil {
			return err
		}
	}
	return nil
}
