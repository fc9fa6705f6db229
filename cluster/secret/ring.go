package secret

import (
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"slices"
	"sync/atomic"
)

// Use is what keys are for.
type Use string

// The uses. Their names are part of the keys: another name is another key.
const (
	Gossip Use = "gossip" // AES-256 of what members say of themselves
	Raft   Use = "raft"   // proofs on the raft port
	RPC    Use = "rpc"    // proofs on the rpc port
	// Sealing is for proofs of whose the keys are that secrets are sealed to.
	Sealing Use = "sealing"
)

// Ring has the keys that are in force. It is safe for concurrent use.
type Ring struct {
	keys atomic.Pointer[[]Key]
}

// NewRing makes a ring of one key or several.
func NewRing(keys ...Key) (*Ring, error) {
	r := &Ring{}
	return r, r.Set(keys)
}

// Set changes the keys, all at once. Present connections are left alone.
func (r *Ring) Set(keys []Key) error {
	switch {
	case len(keys) == 0:
		return fmt.Errorf("%w: no key in it", ErrKeys)
	case len(keys) > maxKeys:
		return fmt.Errorf("%w: more than %d keys", ErrKeys, maxKeys)
	}
	keys = slices.Clone(keys)
	r.keys.Store(&keys)
	return nil
}

// For derives the keys of a use, in the order of the secret's.
func (r *Ring) For(use Use) []Key {
	secret := *r.keys.Load()
	keys := make([]Key, len(secret))
	for i := range secret {
		keys[i] = secret[i].derive(use)
	}
	return keys
}

func (k Key) derive(use Use) Key {
	b, err := hkdf.Key(sha256.New, k[:], nil, "ssod cluster secret, version 1: "+string(use), len(k))
	if err != nil {
		panic(err) // the lengths are right
	}
	return Key(b)
}

// String hides the keys.
func (*Ring) String() string { return "[keys]" }

// GoString hides the keys.
func (*Ring) GoString() string { return "[keys]" }
