package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"ssod/cluster"
	"ssod/cluster/meta"
	"ssod/cluster/pin"
	"ssod/httpfront/api/admin"
	"ssod/httpfront/token/keys"
	"ssod/httpfront/token/keys/sealing"
	"ssod/persistence/backup"
)

// startPins begins to accept requests to pin this node's state.
func (n *Node) startPins() {
	of := pin.Node{Shards: n.engine, Flush: n.store.Log().Flush, Pin: n.store.Pin}
	if n.config.clustered() {
		of.Others = others{n}
	}
	n.pins = pin.New(of)
	n.own("pins", closing(n.pins.Close))
}

// others are the other nodes, once this one takes part in the placement.
type others struct{ n *Node }

func (o others) Leaders() (map[string][]cluster.ShardID, error) {
	return o.n.placement.PinsOfOthers().Leaders()
}

func (o others) Ask(ctx context.Context, node string, request []byte) ([]byte, error) {
	return o.n.placement.PinsOfOthers().Ask(ctx, node, request)
}

// backups is [admin.Backups].
type backups struct {
	n      *Node
	unseal sealing.Options
}

func (b backups) Begin(ctx context.Context, key string) (admin.Backup, error) {
	if err := backup.CheckKey(key); err != nil {
		return nil, fmt.Errorf("%w: %w", admin.ErrRecipient, err)
	}
	taken, err := b.n.pins.Take(ctx)
	switch {
	case errors.Is(err, pin.ErrBusy):
		return nil, fmt.Errorf("%w: %w", admin.ErrBackups, err)
	case err != nil:
		return nil, fmt.Errorf("%w: %v", cluster.ErrRefused, err) // nothing was changed, whatever the reason
	}
	return &ongoing{b, taken, key}, nil
}

// ongoing is a backup that is being written.
type ongoing struct {
	backups
	taken *pin.Taken
	key   string
}

func (o *ongoing) Close() { o.taken.Close() }

func (o *ongoing) Write(ctx context.Context, to io.Writer) error {
	sealed, err := backup.SealTo(to, o.key)
	if err != nil {
		return err
	}
	w, err := backup.NewWriter(sealed, o.header())
	if err != nil {
		return err
	}
	if err := o.shards(ctx, w); err != nil {
		// The reader learns why, unless it is gone.
		return errors.Join(err, w.Fail(err.Error()), sealed.Close())
	}
	return errors.Join(w.End(o.n.config.Clock()), sealed.Close())
}

func (o *ongoing) header() *backup.Header {
	// By this node's clock as it is now: when it was pinned it may have been another.
	at := func(t time.Time) int64 { return o.n.config.Clock().Add(-time.Since(t)).UnixMilli() }
	h := &backup.Header{
		Cluster: o.n.store.Identity().Cluster, Node: o.n.me.Name, Program: Version(), Shards: uint32(o.n.engine.Count()),
		BeganMs: at(o.taken.Began), PinnedMs: at(o.taken.End),
	}
	for _, r := range o.n.settings.Config().Realms {
		realm := &backup.Realm{Id: r.ID}
		for _, sp := range r.ServiceProviders {
			realm.ServiceProviders = append(realm.ServiceProviders, sp.ID)
		}
		h.Realms = append(h.Realms, realm)
	}
	return h
}

// shards writes all shards, the meta shard last.
func (o *ongoing) shards(ctx context.Context, w *backup.Writer) error {
	for id := range cluster.ShardID(o.n.engine.Count()) {
		if _, err := io.Copy(w, o.taken.Shard(ctx, id+1)); err != nil {
			return err
		}
	}
	if err := o.meta(ctx, w); err != nil {
		return fmt.Errorf("the tables of the cluster: %w", err)
	}
	return nil
}

// meta writes the pinned meta shard, with the keys unsealed: sealed ones open nowhere
// else.
func (o *ongoing) meta(ctx context.Context, w *backup.Writer) error {
	in, err := backup.NewMetaReader(o.taken.Shard(ctx, cluster.MetaShard))
	if err != nil {
		return err
	}
	t := tables{unseal: o.unseal, w: w}
	for {
		f, err := in.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err == nil:
			err = t.frame(f)
		}
		if err != nil {
			return err
		}
	}
}

// tables rewrites the meta shard.
type tables struct {
	unseal sealing.Options
	w      io.Writer
	shard  *backup.Shard
	keys   map[string][]byte // of the table of keys, while it is read; else nil
}

func (t *tables) frame(f *backup.Frame) (err error) {
	switch is := f.GetIs().(type) {
	case *backup.Frame_Begin:
		t.shard, err = backup.NewShard(t.w, is.Begin)
		return err
	case *backup.Frame_Record:
		if t.keys == nil {
			return t.shard.Record(is.Record)
		}
		t.keys[string(is.Record.GetPart())] = is.Record.GetValue()
		return nil
	}
	if err := t.unsealed(); err != nil {
		return err
	}
	switch is := f.GetIs().(type) {
	case *backup.Frame_Entity:
		if is.Entity.GetKind() == meta.Kind && string(is.Entity.GetIdentity()) == keys.Table {
			t.keys = make(map[string][]byte)
		}
		return t.shard.Entity(is.Entity)
	case *backup.Frame_ShardEnd:
		return t.shard.End()
	}
	return nil
}

// unsealed writes the keys, when all of them are read.
func (t *tables) unsealed() error {
	if t.keys == nil {
		return nil
	}
	portable, err := keys.Unseal(maps.All(t.keys), t.unseal)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(portable)) {
		if err := t.shard.Record(&backup.Record{Part: []byte(id), Value: portable[id]}); err != nil {
			return err
		}
	}
	t.keys = nil
	return nil
}
