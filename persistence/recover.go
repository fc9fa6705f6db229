package persistence

import (
	"fmt"
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"ssod/persistence/layout"
)

// Founding is the part of a cluster's id that it was founded with. A recovery from a lost
// majority appends a dot and the id of a new incarnation: nodes of two incarnations are
// members of different clusters, but what the founding id is part of (the keys of the
// store, sealed secrets) stays.
func Founding(cluster string) string {
	founding, _, _ := strings.Cut(cluster, ".")
	return founding
}

// Recover makes the replicas of this directory, which must not have changed since they
// were inspected, members of groups that are re-formed after the loss of a majority, and
// the directory one of the incarnation in [Options.Recovering]: atomically and durably.
// From then on the directory follows the start that others know of, even if it is an
// older copy. The store's memory is stale then: it must be closed, and opened again for
// [Store.Recovered].
func (s *Store) Recover(rs []Recovered, known Boot) error {
	if Founding(s.opts.Recovering) != Founding(s.identity.Cluster) {
		return fmt.Errorf("recover: %q is no incarnation of cluster %s", s.opts.Recovering, Founding(s.identity.Cluster))
	}
	boots, err := s.Boots()
	if err != nil {
		return err
	}
	if !boots.Follow(known) {
		boots = Boots{Confirmed: known, Number: max(known.Number, boots.Number)}
	}
	next := s.identity
	next.Cluster = s.opts.Recovering
	return s.log.Recover(rs, func(b *pebble.Batch) error {
		// What others had acknowledged to this node, and it to them, is void.
		if err := b.DeleteRange(layout.PeersFrom, layout.PeersTo, nil); err != nil {
			return err
		}
		if err := b.Set(layout.BootsKey, boots.Append(nil), nil); err != nil {
			return err
		}
		return b.Set(layout.IdentityKey, next.encode(), nil)
	})
}

// Recovered ends a recovery. Until then the directory is refused with [ErrRecovering].
func (s *Store) Recovered() error { return s.dir.Write("identity.json", s.identity.encode()) }
