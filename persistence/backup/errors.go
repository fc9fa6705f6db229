package backup

import "errors"

var (
	// ErrPassphrase: the passphrase is another one, or the first bytes of the file,
	// which tell, were changed.
	ErrPassphrase = errors.New("the passphrase is not the one of this backup, or its first bytes are damaged")
	// ErrDamaged: it is no backup, or it was changed.
	ErrDamaged = errors.New("the backup is damaged")
	// ErrIncomplete: the end is missing.
	ErrIncomplete = errors.New("the backup is incomplete")
	// ErrFailed is an [ErrIncomplete] of which the node that made it says why; the
	// text does.
	ErrFailed = errors.New("the backup failed")
	// ErrVersion: another version of the programs made it.
	ErrVersion = errors.New("the backup is of a version that this program does not know")
)
