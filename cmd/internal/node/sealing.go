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

	"ssod/httpfront/keys"
	"ssod/secretfile"
)

// sealingFile is the cluster's sealing key: without it the keys in the store
// are of no use, so a copy of the store alone gives nothing away.
const sealingFile = "sealing.key"

// ErrSealingKey says that the sealing key is missing, damaged or not private.
var ErrSealingKey = errors.New("the sealing key cannot be used")

// sealingKey reads the sealing key, or makes one for a new cluster. The
// directory is locked by then.
func (n *Node) sealingKey() ([]byte, error) {
	path := filepath.Join(n.config.Data, sealingFile)
	text, err := secretfile.Read(path)
	switch {
	case err == nil:
		key, err := hex.DecodeString(string(bytes.TrimSpace(text)))
		if err != nil || len(key) != keys.SealingKeySize {
			return nil, fmt.Errorf("%w: %s is not %d bytes in hexadecimal: restore it from a copy", ErrSealingKey, path, keys.SealingKeySize)
		}
		return key, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: %w", ErrSealingKey, err)
	}
	for range n.tables.All(keys.Table) {
		return nil, fmt.Errorf("%w: the store holds keys, but %s is not there: restore it from a copy", ErrSealingKey, path)
	}
	key := make([]byte, keys.SealingKeySize)
	rand.Read(key) // never fails since Go 1.24
	return key, writeDurably(path, hex.AppendEncode(nil, key))
}

// otherSealingKey names the file when the keys in the store do not open with
// what is in it. Other errors pass.
func (n *Node) otherSealingKey(err error) error {
	if !errors.Is(err, keys.ErrSealed) {
		return err
	}
	path := filepath.Join(n.config.Data, sealingFile)
	return fmt.Errorf("%w: what is in %s does not open the keys of the store: restore it from a copy (%w)", ErrSealingKey, path, err)
}

// writeDurably makes a file that is there, whole, after a crash, or not at all.
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
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
