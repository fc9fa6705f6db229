package node

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"ssod/cluster/transport"
)

// ErrRemoved says that this node was removed from its cluster. After a restart it joins
// again.
var ErrRemoved = errors.New("this node was removed from its cluster")

// removedFile marks a data directory whose node was removed. From then on its sealing
// key may be gone.
const removedFile = "removed.json"

// removedError is [ErrRemoved] with what is needed to join again. It is also the content
// of the mark.
type removedError struct {
	By    string   `json:"by"`    // who said so
	Name  string   `json:"name"`  // of the node,
	ID    uint64   `json:"id"`    // and its id when it was a member
	Seeds []string `json:"seeds"` // where others may be found
	log   func(msg string, args ...any)
}

func (e *removedError) Error() string {
	return fmt.Sprintf("%v, as node %s says: start it again, and it joins again", ErrRemoved, e.By)
}

func (e *removedError) Is(target error) bool { return target == ErrRemoved }

// expelled ends the node, or its start: its data is out of date, and the others ignore it.
func (n *Node) expelled(by transport.Peer) {
	err := &removedError{By: by.Name, Name: n.me.Name, ID: uint64(n.me.ID), Seeds: n.seeds(), log: n.log.Warn}
	n.fatal(err)
}

// marked returns the mark of a directory that a crash kept from being put aside; nil if it
// is not marked.
func marked(c Config) (*removedError, error) {
	path := filepath.Join(c.Data, removedFile)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	e := &removedError{log: c.logger().Warn}
	if err == nil {
		err = json.Unmarshal(raw, e)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: read %s: %w", ErrRemoved, path, err)
	}
	for _, seed := range c.Join {
		if !slices.Contains(e.Seeds, seed) {
			e.Seeds = append(e.Seeds, seed)
		}
	}
	return e, nil
}

// anew puts the data aside, without the sealing key, and returns the configuration to
// join with, which names nodes to join, else the node would found a cluster of its own.
// The mark is written first, so after a crash it is called again.
func (e *removedError) anew(c Config) (Config, error) {
	if len(e.Seeds) == 0 {
		return c, fmt.Errorf("%w, and knows no node to join: start it with --join and the gossip address of a member", ErrRemoved)
	}
	aside := fmt.Sprintf("%s.removed-%d", filepath.Clean(c.Data), e.ID)
	if err := e.putAside(c.Data, aside); err != nil {
		return c, fmt.Errorf("%w; its data cannot be put aside: empty %s yourself and start it with --join: %w", ErrRemoved, c.Data, err)
	}
	c.Name, c.Join = e.Name, e.Seeds
	e.log("this node was removed from its cluster: its data is put aside and it joins again",
		"by", cmp.Or(e.By, "another node"), "aside", aside, "join", c.Join)
	return c, nil
}

// putAside marks a directory, destroys the sealing key in it and gives it another name,
// each durably before the next.
func (e *removedError) putAside(data, aside string) error {
	mark, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if err := writeDurably(filepath.Join(data, removedFile), mark); err != nil {
		return err
	}
	if err := destroySealingKey(data); err != nil {
		return fmt.Errorf("destroy the sealing key: %w", err)
	}
	if err := os.Rename(data, aside); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(aside))
}
