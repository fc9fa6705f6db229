package persistence

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// Format is the version of everything this package writes. A store of a larger
// one is refused.
const Format = 1

// Identity says whose data directory it is.
type Identity struct {
	// Format is the version of what is stored.
	Format int `json:"format"`
	// Cluster is 128 random bits in hexadecimal, drawn when the cluster was
	// founded.
	Cluster string `json:"cluster"`
	// Node is the node's name, stable over restarts.
	Node string `json:"node"`
	// NodeID numbers the node in its cluster and is never used again.
	NodeID uint64 `json:"nodeId"`
	// Shards is the number of entity shards.
	Shards int `json:"shards"`
}

func newIdentity(o *Options) Identity {
	var cluster [16]byte
	rand.Read(cluster[:]) // never fails since Go 1.24
	node := o.Node
	if node == "" {
		node = o.DefaultNode
	}
	return Identity{Format: Format, Cluster: hex.EncodeToString(cluster[:]), Node: node, NodeID: 1, Shards: o.Shards}
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
	if i.Format > Format {
		return i, nil // the caller refuses it with a better message
	}
	if i.Format < 1 || i.Shards < 1 || i.Shards > 1<<16-1 {
		return i, fmt.Errorf("%w: identity of format %d with %d shards", ErrDamaged, i.Format, i.Shards)
	}
	return i, nil
}

// check refuses a directory of a newer version or of another node.
func (i Identity) check(o *Options) error {
	if i.Format > Format {
		return fmt.Errorf("%s: %w: start the version that wrote it (format %d, this one knows %d)",
			o.Dir, ErrNewerFormat, i.Format, Format)
	}
	if o.Node != "" && o.Node != i.Node {
		return &OtherNodeError{Dir: o.Dir, Stored: i.Node, Given: o.Node}
	}
	return nil
}
