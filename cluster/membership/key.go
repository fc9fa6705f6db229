package membership

import (
	"errors"
	"fmt"
	"slices"

	"github.com/hashicorp/memberlist"

	"ssod/cluster/secret"
)

// ErrKeys says that keys cannot be changed.
var ErrKeys = errors.New("keys of gossip")

// keyring is nil when there are no keys.
func keyring(keys []secret.Key) (*memberlist.Keyring, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	all := make([][]byte, len(keys))
	for i := range keys {
		all[i] = keys[i][:]
	}
	return memberlist.NewKeyring(all, all[0])
}

// SetKeys changes the keys while the node runs. To switch encryption on or off takes a
// restart.
func (g *Gossip) SetKeys(keys []secret.Key) error {
	ring := g.ring
	if ring == nil || len(keys) == 0 {
		return fmt.Errorf("%w: encryption is switched on and off by a restart", ErrKeys)
	}
	for _, k := range keys {
		if err := ring.AddKey(k[:]); err != nil {
			return fmt.Errorf("%w: %w", ErrKeys, err)
		}
	}
	if err := ring.UseKey(keys[0][:]); err != nil {
		return fmt.Errorf("%w: %w", ErrKeys, err)
	}
	for _, old := range slices.Clone(ring.GetKeys()) {
		if !slices.Contains(keys, secret.Key(old)) {
			if err := ring.RemoveKey(old); err != nil {
				return fmt.Errorf("%w: %w", ErrKeys, err)
			}
		}
	}
	return nil
}
