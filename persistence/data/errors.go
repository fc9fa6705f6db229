package data

import "errors"

// Errors that log and state have in common.
var (
	// ErrInvalid: the commit breaks a limit of this package.
	ErrInvalid = errors.New("invalid commit")
	// ErrNoReplica: the store has no replica of the shard.
	ErrNoReplica = errors.New("no replica of the shard")
	// ErrClosed: the store is closed.
	ErrClosed = errors.New("the store is closed")
	// ErrDamaged: what is on disk is not what was written. Reads fail with it
	// too.
	ErrDamaged = errors.New("the data directory is damaged")
)
