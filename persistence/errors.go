package persistence

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"ssod/persistence/data"
	"ssod/persistence/disk"
	"ssod/persistence/state"
)

// What a commit can fail with. Each of them means that nothing was written.
var (
	// ErrRevision: the stored revision is another than the commit's BaseRev.
	ErrRevision = state.ErrRevision
	// ErrNoSpace: the disk is below its reserve. Reads go on.
	ErrNoSpace = disk.ErrNoSpace
	// ErrClosed: the store is closed.
	ErrClosed = data.ErrClosed
)

// What opening a data directory can fail with. The text tells an operator what to do.
var (
	// ErrLocked: another process uses the directory.
	ErrLocked = disk.ErrLocked
	// ErrReadOnly: the directory cannot be written.
	ErrReadOnly = disk.ErrReadOnly
	// ErrOtherNode: the directory belongs to a node of another name; see
	// [OtherNodeError].
	ErrOtherNode = errors.New("the data directory belongs to another node")
	// ErrNewerFormat: the directory was written by a newer version.
	ErrNewerFormat = errors.New("the data directory was written by a newer version")
	// ErrOlderFormat: the directory was written by an older version, which this
	// one does not read.
	ErrOlderFormat = errors.New("the data directory was written by an older version")
	// ErrRecovering: a recovery of the directory was cut short.
	ErrRecovering = errors.New("the recovery of this data directory was cut short: apply the same plan once more")
	// ErrDamaged: what is on disk is not what was written. Reads fail with it
	// too.
	ErrDamaged = data.ErrDamaged
)

// OtherNodeError says which node a data directory belongs to. It is
// [ErrOtherNode].
type OtherNodeError struct {
	Dir, Stored, Given string
}

func (e *OtherNodeError) Error() string {
	return fmt.Sprintf("%s belongs to node %q, not %q: start with --node %s or choose another --data directory",
		e.Dir, e.Stored, e.Given, e.Stored)
}

// Is makes an OtherNodeError an [ErrOtherNode].
func (e *OtherNodeError) Is(target error) bool { return target == ErrOtherNode }

// explain says what an operator can do about an error of opening the store.
func explain(d *disk.Directory, err error) error {
	switch {
	case err == nil, errors.Is(err, ErrNewerFormat), errors.Is(err, ErrOlderFormat), errors.Is(err, ErrOtherNode), errors.Is(err, ErrRecovering):
		return err
	case errors.Is(err, ErrDamaged):
		return fmt.Errorf("%s: %w: move it aside; a member of a cluster joins again with an empty one, and only a node that is alone is restored from a copy", d.Path, err)
	}
	return d.Explain(err)
}

// unopened explains why Pebble did not open a store: unless the operating system refused
// something, the store is damaged.
func unopened(err error) error {
	var errno syscall.Errno
	switch {
	case errors.As(err, &errno) && errno != syscall.ENOENT:
		return err
	case strings.Contains(err.Error(), "unknown format major version"): // Pebble has no sentinel for it
		return fmt.Errorf("%w: start the version that wrote it (%w)", ErrNewerFormat, err)
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}
