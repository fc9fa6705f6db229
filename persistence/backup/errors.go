package backup

import "errors"

var (
	// ErrPassphrase: the passphrase is wrong, or the file's header was changed.
	ErrPassphrase = errors.New("the passphrase is not the one of this backup, or its first bytes are damaged")
	// ErrDamaged: it is not a backup, or it was changed.
	ErrDamaged = errors.New("the backup is damaged")
	// ErrIncomplete: the end is missing.
	ErrIncomplete = errors.New("the backup is incomplete")
	// ErrFailed is an [ErrIncomplete] with the reason of the node that made it.
	ErrFailed = errors.New("the backup failed")
	// ErrVersion: another version of the programs made it.
	ErrVersion = errors.New("the backup is of a version that this program does not know")
)
