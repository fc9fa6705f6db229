package e2e

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hpke"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"ssod/cluster"
	"ssod/cluster/meta"
	"ssod/cluster/replica/core"
	"ssod/httpfront/token/keys"
	"ssod/httpfront/token/keys/sealing"
	"ssod/persistence"
)

// directory is what somebody finds in a data directory, with nothing but what the
// documentation of the formats says.
type directory struct {
	id      persistence.Identity
	private hpke.PrivateKey
	copies  map[uint64]map[uint64][]byte // of sealing keys, by number and node
	sealing map[uint64][]byte            // those that open
	keys    map[string]*keys.Record
}

// readDirectory reads the directory of a node that does not run. It leaves it as it
// is: what was applied before the node was killed may be in its log only, and is
// applied again to a copy.
func readDirectory(path string) (*directory, error) {
	scratch, err := os.MkdirTemp("", "ssod-directory-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	if err := os.CopyFS(scratch, os.DirFS(path)); err != nil {
		return nil, err
	}
	store, err := persistence.Open(persistence.Options{Dir: scratch})
	if err != nil {
		return nil, err
	}
	defer store.Close()
	if err := replay(store.Log(), cluster.MetaShard); err != nil {
		return nil, err
	}
	tables, err := meta.Follow(nil, meta.Options{Reader: metaShard{store}})
	if err != nil {
		return nil, err
	}
	defer tables.Close()
	d := &directory{
		id: store.Identity(), copies: map[uint64]map[uint64][]byte{}, sealing: map[uint64][]byte{}, keys: map[string]*keys.Record{},
	}
	for id, raw := range tables.All(keys.Table) {
		if err := d.enter(id, raw); err != nil {
			return nil, fmt.Errorf("record %s: %w", id, err)
		}
	}
	return d, d.unseal(path)
}

// replay applies the log of a shard as far as it goes.
func replay(log *persistence.Log, shard cluster.ShardID) error {
	replicas, err := log.Replicas()
	if err != nil {
		return err
	}
	for _, r := range replicas {
		if r.Shard != shard {
			continue
		}
		last := r.Applied.Index
		if err := log.Scan(shard, func(p persistence.Position, _ int) { last = max(last, p.Index) }); err != nil {
			return err
		}
		for next := r.Applied.Index + 1; next <= last; next++ {
			if err := applyEntry(log, shard, next); err != nil {
				return err
			}
		}
	}
	return nil
}

// applyEntry applies an entry of a log.
func applyEntry(log *persistence.Log, shard cluster.ShardID, index uint64) error {
	entries, err := log.Entries(shard, index, index+1, 1)
	if err != nil {
		return err
	}
	e := entries[0]
	change := persistence.Change{Shard: shard, Position: persistence.Position{Index: e.GetIndex(), Term: e.GetTerm()}}
	if len(e.GetData()) > 0 && e.GetType() == raftpb.EntryNormal {
		decoded, err := core.DecodeEntry(e.GetData())
		if err != nil {
			return err
		}
		if decoded.ProposerTerm == e.GetTerm() {
			change.Time, change.Commits, change.Reset = decoded.Time, decoded.Commits, decoded.Reset
		}
	}
	_, err = log.Apply([]persistence.Change{change})
	return err
}

func (d *directory) enter(id string, raw []byte) error {
	if text, ok := strings.CutPrefix(id, "sealing/key/"); ok {
		number, err := strconv.ParseUint(text, 10, 64)
		record := &sealing.KeyRecord{}
		err = errors.Join(err, proto.Unmarshal(raw, record))
		d.copies[number] = record.Copies
		return err
	}
	if strings.HasPrefix(id, "sealing/") {
		return nil
	}
	d.keys[id] = &keys.Record{}
	return proto.Unmarshal(raw, d.keys[id])
}

// unseal opens the sealing keys with the file beside the store, if there is one.
func (d *directory) unseal(path string) error {
	text, err := os.ReadFile(filepath.Join(path, "sealing.key"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	key, err := hex.DecodeString(string(bytes.TrimSpace(text)))
	if err != nil {
		return err
	}
	d.private, err = hpke.DHKEM(ecdh.X25519()).NewPrivateKey(key)
	if err != nil {
		return err
	}
	d.sealing = d.opened(d)
	return nil
}

// opened are those sealing keys of another directory that the private key of this one
// opens. RFC 9180: DHKEM(X25519), HKDF-SHA256, AES-256-GCM, base mode.
func (d *directory) opened(other *directory) map[uint64][]byte {
	all := map[uint64][]byte{}
	for number, copies := range other.copies {
		for _, sealed := range copies {
			info := text([]byte("ssod sealing key, version 1"), d.id.Cluster)
			info = binary.BigEndian.AppendUint64(info, uint64(d.id.NodeID))
			info = binary.BigEndian.AppendUint64(text(info, d.id.Node), number)
			if key, err := hpke.Open(d.private, hpke.HKDFSHA256(), hpke.AES256GCM(), info, sealed); err == nil {
				all[number] = key
			}
		}
	}
	return all
}

func text(b []byte, s string) []byte { return append(binary.AppendUvarint(b, uint64(len(s))), s...) }

// open opens a stored key: a version byte, the number of the sealing key, the nonce and
// AES-256-GCM, bound to what the record says. Whatever the number, all keys are tried.
func open(all map[uint64][]byte, id string, r *keys.Record) ([]byte, bool) {
	var label []byte
	for _, part := range []string{id, r.Use, r.Realm, r.Algorithm} {
		label = text(label, part)
	}
	_, n := binary.Uvarint(r.Sealed[1:])
	sealed := r.Sealed[1+n:]
	for _, key := range all {
		block, err := aes.NewCipher(key)
		if err != nil {
			continue
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			continue
		}
		if secret, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], label); err == nil {
			return secret, true
		}
	}
	return nil, false
}

// opens counts the keys of a directory that open with some sealing keys.
func (d *directory) opens(all map[uint64][]byte) (n int) {
	for id, r := range d.keys {
		if _, ok := open(all, id, r); ok {
			n++
		}
	}
	return n
}

// metaShard reads what is applied of the meta shard.
type metaShard struct{ *persistence.Store }

func (m metaShard) Head(e cluster.Entity) (cluster.Head, bool, error) {
	return m.Store.Head(cluster.MetaShard, e)
}

func (m metaShard) Records(e cluster.Entity, f func(part, value []byte) bool) error {
	return m.Store.Records(cluster.MetaShard, e, f)
}

func (m metaShard) Outcome(e cluster.Entity, q cluster.RequestID, step uint32) ([]byte, bool, error) {
	return m.Store.Outcome(cluster.MetaShard, e, q, step)
}

func (m metaShard) Entities(kind, after string, f func(identity string, h cluster.Head) bool) error {
	return m.Store.Entities(cluster.MetaShard, kind, after, f)
}
