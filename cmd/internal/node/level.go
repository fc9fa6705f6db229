package node

import (
	"errors"
	"fmt"

	"ssod/cluster/placement"
	"ssod/persistence/level"
)

// ErrLevel says that this version does not know the format level of its cluster.
var ErrLevel = errors.New("this version does not know the format level of the cluster")

// levelled notes the format level of the cluster, which this node writes from then on. A
// level that this version does not know ends the node.
func (n *Node) levelled(at int, err error) {
	if err != nil {
		n.fatal(n.unlevelled(err))
		return
	}
	if err := n.raise(at); err != nil {
		n.fatal(err)
	}
}

// raise puts the level on this node's disk before anything of it is written.
func (n *Node) raise(at int) error {
	before := n.store.Level()
	if err := n.store.RaiseLevel(at); err != nil {
		return err
	}
	if at > before {
		n.log.Info("the format level of the cluster was raised: versions that do not know it are refused from now on", "level", at, "before", before)
	}
	return nil
}

// takeLevel is levelled for a node that is alone.
func (n *Node) takeLevel() error {
	s, err := placement.SettingsOf(n.tables)
	if err != nil {
		return err
	}
	if known := level.Known(); !known.Has(s.Level) {
		return n.unlevelled(fmt.Errorf("it is at format level %d, and version %s knows %v", s.Level, Version(), known))
	}
	return n.raise(s.Level)
}

// unlevelled tells an operator that the version is too old.
func (n *Node) unlevelled(why error) error {
	return fmt.Errorf("%w: nothing was changed; start the version that the other members run, on the same directory (%w)", ErrLevel, why)
}
