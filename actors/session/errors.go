package session

import (
	"errors"
	"fmt"
)

// What a command can fail with, apart from the errors of package actors.
var (
	// ErrTaken: another session has the code; draw another one.
	ErrTaken = errors.New("another session has this code")
	// ErrUnknown: no session has the code, or its end was long ago.
	ErrUnknown = errors.New("unknown authentication code")
	// ErrOver: the session expired, was finished or declined, or the device began
	// another.
	ErrOver = errors.New("the authentication session is over")
	// ErrIncomplete: parameters are missing, so a login is not possible yet.
	ErrIncomplete = errors.New("the authentication session lacks parameters")
)

var failures = map[Failure]error{
	Failure_OK:         nil,
	Failure_TAKEN:      ErrTaken,
	Failure_UNKNOWN:    ErrUnknown,
	Failure_OVER:       ErrOver,
	Failure_INCOMPLETE: ErrIncomplete,
}

// asError turns an answer's failure into what callers handle.
func asError(f Failure) error {
	err, known := failures[f]
	if !known {
		return fmt.Errorf("session answered with unknown failure %d", f)
	}
	return err
}
