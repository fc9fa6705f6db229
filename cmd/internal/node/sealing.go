package node

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"ssod/cluster/placement"
	"ssod/cluster/secret"
	"ssod/cluster/secretfile"
	"ssod/httpfront/token/keys"
	"ssod/httpfront/token/keys/sealing"
	"ssod/persistence"
)

// sealingFile has the private key of this node, to which the others seal the keys that
// protect all secrets in the store: a copy of the store alone reveals nothing.
const sealingFile = "sealing.key"

// ErrSealingKey says that the node's private key is missing, damaged or not private.
var ErrSealingKey = errors.New("the sealing key cannot be used")

// sealingKey reads the node's private key, or makes one for a new cluster. The
// directory is locked by then.
func (n *Node) sealingKey() ([]byte, error) {
	path := filepath.Join(n.config.Data, sealingFile)
	text, err := secretfile.Read(path)
	switch {
	case err == nil:
		key, err := hex.DecodeString(string(bytes.TrimSpace(text)))
		if err != nil || len(key) != sealing.KeySize {
			return nil, fmt.Errorf("%w: %s is not %d bytes in hexadecimal: restore it from a copy", ErrSealingKey, path, sealing.KeySize)
		}
		return key, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: %w", ErrSealingKey, err)
	}
	for range n.tables.All(keys.Table) {
		return nil, fmt.Errorf("%w: the store holds keys, but %s is not there: restore it from a copy", ErrSealingKey, path)
	}
	return n.makeSealingKey()
}

// makeSealingKey makes the node's private key. A node that joins has it before it has
// an identity, so it joins again after a crash in between.
func (n *Node) makeSealingKey() ([]byte, error) {
	key := make([]byte, sealing.KeySize)
	rand.Read(key) // never fails since Go 1.24
	return key, writeDurably(filepath.Join(n.config.Data, sealingFile), hex.AppendEncode(nil, key))
}

// unsealing is the private key by which this node opens the keys.
func (n *Node) unsealing(key []byte) sealing.Options {
	id := n.store.Identity()
	o := sealing.Options{
		Key: key, Cluster: persistence.Founding(id.Cluster), Self: sealing.Member{ID: uint64(id.NodeID), Name: id.Node},
	}
	if n.placement != nil {
		o.Members, o.Secret = n.sealedTo, n.proofs
	}
	return o
}

// sealedTo are all nodes that the cluster has or had.
func (n *Node) sealedTo() (all []sealing.Member) {
	for _, p := range n.nodes.Nodes() {
		gone := p.State == placement.NodeState_REMOVED || p.Leave == placement.Leave_LEFT
		all = append(all, sealing.Member{ID: uint64(p.ID), Name: p.Name, Removed: gone})
	}
	return all
}

// proofs are the keys by which a node shows that it knows the cluster secret.
func (n *Node) proofs() (all [][]byte) {
	for _, k := range n.secrets.For(secret.Sealing) {
		all = append(all, k[:])
	}
	return all
}

// otherSealingKey names the file when its key does not open the keys in the store. Other
// errors pass.
func (n *Node) otherSealingKey(err error) error {
	if !errors.Is(err, keys.ErrSealed) {
		return err
	}
	path := filepath.Join(n.config.Data, sealingFile)
	return fmt.Errorf("%w: what is in %s does not open the keys of the store: restore it from a copy (%w)", ErrSealingKey, path, err)
}

// destroySealingKey overwrites and removes the private key in a directory, if there is one.
func destroySealingKey(dir string) error {
	for _, name := range []string{sealingFile, sealingFile + ".new"} {
		if err := destroy(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return syncDirectory(dir)
}

// destroy overwrites a file and removes it.
func destroy(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil {
		_, err = f.Write(make([]byte, info.Size()))
	}
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Remove(path)
}

// writeDurably makes a file atomically and durably.
func writeDurably(path string, content []byte) error {
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(content, '\n'))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(path))
}

func syncDirectory(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
