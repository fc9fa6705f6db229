package config

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
)

// ErrRestart says that a configuration differs from the one in use in a way
// that only a restart takes up.
var ErrRestart = errors.New("needs a restart")

// Current holds the configuration in use. It is safe for concurrent use.
type Current struct{ config atomic.Pointer[Config] }

// NewCurrent returns a holder of c.
func NewCurrent(c *Config) *Current {
	current := &Current{}
	current.config.Store(c)
	return current
}

// Config is the configuration of the moment: the same pointer until it is
// replaced.
func (c *Current) Config() *Config { return c.config.Load() }

// Replace takes next into use, all of it or, with [ErrRestart], nothing:
// profiles and keys belong to realm ids, and live link codes to an alphabet.
func (c *Current) Replace(next *Config) error {
	if changes := restarts(c.Config(), next); len(changes) > 0 {
		return fmt.Errorf("%s: %w; nothing was changed", strings.Join(changes, ", "), ErrRestart)
	}
	c.config.Store(next)
	return nil
}

// Check reports whether Replace would take next.
func (c *Current) Check(next *Config) error {
	return NewCurrent(c.Config()).Replace(next)
}

func restarts(old, next *Config) []string {
	var changes []string
	for _, realm := range next.Realms {
		was, ok := old.Realm(realm.ID)
		switch {
		case !ok:
			changes = append(changes, "realm "+realm.ID+" is new")
		case was.LinkCode.Alphabet != realm.LinkCode.Alphabet:
			changes = append(changes, "realm "+realm.ID+" has another link code alphabet")
		}
	}
	for _, realm := range old.Realms {
		if _, ok := next.Realm(realm.ID); !ok {
			changes = append(changes, "realm "+realm.ID+" is gone")
		}
	}
	return changes
}
