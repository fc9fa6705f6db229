package membership

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/hashicorp/memberlist"
)

// Key is a key of the cluster's secret: 32 bytes for AES-256. It does not print.
type Key [32]byte

// String hides the key.
func (Key) String() string { return "[key]" }

// GoString hides the key.
func (Key) GoString() string { return "[key]" }

// LogValue implements [slog.LogValuer].
func (Key) LogValue() slog.Value { return slog.StringValue("[key]") }

// ErrKeys says that a file of keys cannot be used.
var ErrKeys = errors.New("cluster secret")

// maxKeys is how many keys there may be; two are in use during a change.
const maxKeys = 8

// ParseKeys reads a file of keys: one per line, 32 bytes in base64, the one to
// send with first. Empty lines and those that begin with # do not count. Errors
// name the line and never quote it.
func ParseKeys(file []byte) ([]Key, error) {
	var keys []Key
	lines := bufio.NewScanner(bytes.NewReader(file))
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(b) != len(Key{}) {
			return nil, fmt.Errorf("%w: line %d: want 32 bytes in base64 (openssl rand -base64 32)", ErrKeys, n)
		}
		if keys = append(keys, Key(b)); len(keys) > maxKeys {
			return nil, fmt.Errorf("%w: more than %d keys", ErrKeys, maxKeys)
		}
	}
	if lines.Err() != nil || len(keys) == 0 {
		return nil, fmt.Errorf("%w: no key in it", ErrKeys)
	}
	return keys, nil
}

// keyring is nil when there are no keys.
func keyring(keys []Key) (*memberlist.Keyring, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	all := make([][]byte, len(keys))
	for i := range keys {
		all[i] = keys[i][:]
	}
	return memberlist.NewKeyring(all, all[0])
}

// SetKeys changes the keys while the node runs. A node that had none cannot get
// any, nor the other way round: for that it is started again.
func (g *Gossip) SetKeys(keys []Key) error {
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
		if !slices.Contains(keys, Key(old)) {
			if err := ring.RemoveKey(old); err != nil {
				return fmt.Errorf("%w: %w", ErrKeys, err)
			}
		}
	}
	return nil
}
