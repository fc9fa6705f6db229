package linkdirectory

import (
	"errors"
	"fmt"
	"time"
)

// What a command can fail with, apart from the errors of package actors.
var (
	// ErrCode: no profile has this code. The guess was charged.
	ErrCode = errors.New("the link code is unknown, expired or already used")
	// ErrFull: the realm has as many live codes as it may have, or no free code
	// was found.
	ErrFull = errors.New("the realm has no free link code")
)

// GuessingError says that the device or the address made too many failed
// guesses. Nothing was looked up.
type GuessingError struct {
	RetryAfter time.Duration
}

func (e *GuessingError) Error() string {
	return fmt.Sprintf("too many failed guesses, retry in %v", e.RetryAfter)
}

// ClosedError says that codes of that length are closed because too many guesses
// failed: the code was looked up in the guesser's own network at most.
type ClosedError struct {
	RetryAfter time.Duration
}

func (e *ClosedError) Error() string {
	return fmt.Sprintf("link codes of that length are closed, retry in %v", e.RetryAfter)
}

// Err is why no profile was found: ErrCode, a *GuessingError or a *ClosedError.
func (r *ResolveReply) Err() error {
	return r.GetFailure().asError(time.Duration(r.GetRetryAfterMs()) * time.Millisecond)
}

// Err is why a code could not be reserved, ErrFull, or a guess found nothing.
func (f Failure) Err() error { return f.asError(0) }

// asError turns an answer's failure into what callers handle.
func (f Failure) asError(retry time.Duration) error {
	switch f {
	case Failure_OK:
		return nil
	case Failure_UNKNOWN_CODE:
		return ErrCode
	case Failure_GUESSING:
		return &GuessingError{RetryAfter: retry}
	case Failure_CLOSED:
		return &ClosedError{RetryAfter: retry}
	case Failure_FULL:
		return ErrFull
	default:
		return fmt.Errorf("link directory answered with unknown failure %d", f)
	}
}
