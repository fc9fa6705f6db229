package node

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"ssod/cluster/transport"
)

// ErrRemoved says that this node was removed from its cluster. Started again, it
// joins anew.
var ErrRemoved = errors.New("this node was removed from its cluster")

// removedError is [ErrRemoved] with what is needed to join anew.
type removedError struct {
	by    string   // who said so
	name  string   // of the node,
	id    uint64   // and its id when it was a member
	seeds []string // where others may be found
	log   func(msg string, args ...any)
}

func (e *removedError) Error() string {
	return fmt.Sprintf("%v, as node %s says: start it again, and it joins anew", ErrRemoved, e.by)
}

func (e *removedError) Is(target error) bool { return target == ErrRemoved }

// expelled ends the node, or its start: what it has is out of date, and nobody
// listens to it.
func (n *Node) expelled(by transport.Peer) {
	err := &removedError{by: by.Name, name: n.me.Name, id: uint64(n.me.ID), seeds: n.seeds(), log: n.log.Warn}
	n.fatal(err)
}

// anew puts the data aside and returns the configuration to join with. Without
// anybody to join the node would found a cluster of its own.
func (e *removedError) anew(c Config) (Config, error) {
	if len(e.seeds) == 0 {
		return c, fmt.Errorf("%w, and knows nobody to join: start it with --join and the gossip address of a member", ErrRemoved)
	}
	aside := fmt.Sprintf("%s.removed-%d", filepath.Clean(c.Data), e.id)
	if err := os.Rename(c.Data, aside); err != nil {
		return c, fmt.Errorf("%w; its data cannot be put aside: empty %s yourself and start it with --join: %w", ErrRemoved, c.Data, err)
	}
	c.Name, c.Join = e.name, e.seeds
	e.log("this node was removed from its cluster: its data is put aside and it joins anew",
		"by", cmp.Or(e.by, "another node"), "aside", aside, "join", c.Join)
	return c, nil
}
