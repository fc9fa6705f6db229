package profile

import (
	"errors"
	"fmt"
	"time"
)

// What a command can fail with, apart from the errors of package actors.
var (
	// ErrNotMember: the device that the token was minted for is no member, or
	// it left and joined again since; httpfront/docs/headers.md#token-checks, step
	// membership.
	ErrNotMember = errors.New("the device of the token is not a member of the profile")
	// ErrWrongDevice: the request names another device than the token.
	ErrWrongDevice = errors.New("the token was issued to another device")
	// ErrCode: the link code is unknown here, expired or used long ago.
	ErrCode = errors.New("the link code is unknown, expired or already used")
	// ErrRaceLost: another device used the link code less than a minute ago. The viewer
	// is told the same as for ErrCode, but the guess is refunded.
	ErrRaceLost = errors.New("the link code was used by another device just now")
	// ErrTooManyDevices: the member limit is reached and no member was unseen for long
	// enough to make room; httpfront/docs/limits.md#sizes-and-counts.
	ErrTooManyDevices = errors.New("the profile has too many devices")
)

// TooManyCodesError says that the profile was given as many link codes as it
// may have within one lifetime of a code.
type TooManyCodesError struct {
	// RetryAfter is how long until the oldest of them no longer counts.
	RetryAfter time.Duration
}

func (e *TooManyCodesError) Error() string {
	return fmt.Sprintf("the profile was given too many link codes, retry in %v", e.RetryAfter)
}

// PendingError says that the device is in another network than the one that created the
// link code, and joins when that device has confirmed it. The code is kept for it; asking
// again costs nothing.
type PendingError struct {
	// Asked says that it was this request that made the code pending.
	Asked bool
}

func (e *PendingError) Error() string { return "the link code waits for confirmation" }

// failures are the errors that need nothing but the failure.
var failures = map[Failure]error{
	Failure_OK:               nil,
	Failure_NOT_MEMBER:       ErrNotMember,
	Failure_WRONG_DEVICE:     ErrWrongDevice,
	Failure_CODE_UNUSABLE:    ErrCode,
	Failure_CODE_RACE_LOST:   ErrRaceLost,
	Failure_TOO_MANY_DEVICES: ErrTooManyDevices,
}

// asError turns an answer's failure into what callers handle.
func asError(f Failure, retryAfterMS int64) error {
	if f == Failure_TOO_MANY_CODES {
		return &TooManyCodesError{RetryAfter: time.Duration(retryAfterMS) * time.Millisecond}
	}
	err, known := failures[f]
	if !known {
		return fmt.Errorf("profile answered with unknown failure %d", f)
	}
	return err
}
