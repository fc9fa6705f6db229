package secret

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

// Key is a key of the cluster's secret: 32 bytes. It does not print.
type Key [32]byte

// String hides the key.
func (Key) String() string { return "[key]" }

// GoString hides the key.
func (Key) GoString() string { return "[key]" }

// LogValue implements [slog.LogValuer].
func (Key) LogValue() slog.Value { return slog.StringValue("[key]") }

// ErrKeys says that keys, or a file of them, cannot be used.
var ErrKeys = errors.New("cluster secret")

// maxKeys is how many keys there may be; two are in use during a change.
const maxKeys = 8

// Parse reads a file of keys: one per line, 32 bytes in base64, the one to prove
// and to encrypt with first. Empty lines and those that begin with # do not count.
// Errors name the line and never quote it.
func Parse(file []byte) ([]Key, error) {
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
