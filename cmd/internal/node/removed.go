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
	"strings"
	"syscall"

	"ssod/cluster/transport"
	"ssod/persistence"
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
	aside, err := e.putAside(c.Data, os.Rename)
	if err != nil {
		return c, fmt.Errorf("%w; its data cannot be put aside: empty %s yourself and start it with --join: %w", ErrRemoved, c.Data, err)
	}
	c.Name, c.Join = e.Name, e.Seeds
	e.log("this node was removed from its cluster: its data is put aside and it joins again",
		"by", cmp.Or(e.By, "another node"), "aside", aside, "join", c.Join)
	return c, nil
}

// putAside marks a directory, destroys the sealing key in it and gives it another name,
// each durably before the next. A directory that cannot have another one, as a mount point,
// is emptied into one inside it. It returns where the data is.
func (e *removedError) putAside(data string, rename func(from, to string) error) (aside string, err error) {
	mark, err := json.Marshal(e)
	if err != nil {
		return "", err
	}
	if err := writeDurably(filepath.Join(data, removedFile), mark); err != nil {
		return "", err
	}
	if err := destroySealingKey(data); err != nil {
		return "", fmt.Errorf("destroy the sealing key: %w", err)
	}
	aside = fmt.Sprintf("%s.removed-%d", filepath.Clean(data), e.ID)
	switch err := rename(data, aside); {
	case err == nil:
		return aside, syncDirectory(filepath.Dir(aside))
	case !fixed(err):
		return "", err
	}
	inside := fmt.Sprintf("%s%d", insideName, e.ID)
	return filepath.Join(data, inside), emptyInto(data, inside)
}

// insideName begins the name of a directory of data put aside inside the data directory.
const insideName = "removed-"

// fixed reports whether a directory cannot be renamed because of where it is: it is a mount
// point, or the directory that has it cannot be written.
func fixed(err error) bool {
	for _, reason := range []error{syscall.EBUSY, syscall.EXDEV, syscall.EACCES, syscall.EPERM, syscall.EROFS} {
		if errors.Is(err, reason) {
			return true
		}
	}
	return false
}

// emptyInto moves what is in a directory into one inside it, the mark last and after the
// rest is there durably: after a crash it is called again and goes on. Nothing is copied.
func emptyInto(data, inside string) error {
	aside := filepath.Join(data, inside)
	if err := os.Mkdir(aside, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	entries, err := os.ReadDir(data)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name := entry.Name()
		if name == removedFile || name == persistence.LostFound || strings.HasPrefix(name, insideName) {
			continue
		}
		if err := os.Rename(filepath.Join(data, name), filepath.Join(aside, name)); err != nil {
			return err
		}
	}
	if err := errors.Join(syncDirectory(aside), syncDirectory(data)); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(data, removedFile), filepath.Join(aside, removedFile)); err != nil {
		return err
	}
	return errors.Join(syncDirectory(aside), syncDirectory(data))
}
