package persistence

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ssod/persistence/disk"
)

// Format is the version of all that this package writes. Other versions are refused.
const Format = 3

// Identity says whose data directory it is.
type Identity struct {
	// Format is the version of what is stored.
	Format int `json:"format"`
	// Cluster is 128 random bits in hexadecimal, drawn when the cluster was
	// founded, and since a recovery from a lost majority its incarnation; see
	// [Founding].
	Cluster string `json:"cluster"`
	// Node is the node's name, stable over restarts.
	Node string `json:"node"`
	// NodeID numbers the node in its cluster and is never reused.
	NodeID uint64 `json:"nodeId"`
	// Shards is the number of entity shards.
	Shards int `json:"shards"`
}

func newIdentity(o *Options) Identity {
	i := Identity{Format: Format, Cluster: o.Cluster, Node: o.Node, NodeID: uint64(o.NodeID), Shards: o.Shards}
	if i.Node == "" {
		i.Node = o.DefaultNode
	}
	if i.Cluster == "" {
		var cluster [16]byte
		rand.Read(cluster[:]) // never fails since Go 1.24
		i.Cluster, i.NodeID = hex.EncodeToString(cluster[:]), 1
	}
	return i
}

// ReadIdentity returns the identity in a data directory that need not be open;
// false if there is none yet.
func ReadIdentity(dir string) (Identity, bool, error) {
	d := &disk.Directory{FS: vfs.Default, Path: dir}
	if err := unrestored(d); err != nil {
		return Identity{}, false, err
	}
	i, ok, err := identityIn(d)
	return i, ok, explain(d, err)
}

// identityIn returns what identity.json says; false if there is none.
func identityIn(d *disk.Directory) (Identity, bool, error) {
	b, err := d.Read("identity.json")
	if b == nil || err != nil {
		return Identity{}, false, err
	}
	i, err := parseIdentity(b)
	return i, true, err
}

func (i Identity) encode() []byte {
	b, err := json.Marshal(i)
	if err != nil {
		panic(err) // strings and integers
	}
	return b
}

func parseIdentity(b []byte) (Identity, error) {
	var i Identity
	if err := json.Unmarshal(b, &i); err != nil {
		return i, fmt.Errorf("%w: identity: %w", ErrDamaged, err)
	}
	if i.Format > 0 && i.Format != Format {
		return i, nil // the caller refuses it with a better message
	}
	if i.Format < 1 || i.Shards < 1 || i.Shards > 1<<16-1 {
		return i, fmt.Errorf("%w: identity of format %d with %d shards", ErrDamaged, i.Format, i.Shards)
	}
	return i, nil
}

// check refuses a directory of another version or of another node.
func (i Identity) check(o *Options) error {
	if i.Format < Format {
		return fmt.Errorf("%s: %w: begin with an empty directory (format %d, this version knows %d only)",
			o.Dir, ErrOlderFormat, i.Format, Format)
	}
	if i.Format > Format {
		return fmt.Errorf("%s: %w: start the version that wrote it (format %d, this one knows %d)",
			o.Dir, ErrNewerFormat, i.Format, Format)
	}
	if o.Node != "" && o.Node != i.Node {
		return &OtherNodeError{Dir: o.Dir, Stored: i.Node, Given: o.Node}
	}
	return nil
}
