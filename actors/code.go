package actors

import (
	"errors"

	"ssod/cluster"
)

// codeOf is what an entity's error means to the caller of Ask.
func codeOf(err error) Code {
	for _, c := range errorCodes {
		if errors.Is(err, c.err) {
			return c.code
		}
	}
	return Code_FAILED
}

var errorCodes = []struct {
	err  error
	code Code
}{
	{ErrUnavailable, Code_UNAVAILABLE},
	{ErrOverloaded, Code_OVERLOADED},
	{ErrUnknown, Code_UNKNOWN},
	{cluster.ErrUnknown, Code_UNKNOWN},
	{cluster.ErrLost, Code_NOT_OWNER},
	{cluster.ErrRejected, Code_REFUSED}, // no effect: it may be sent again
	{cluster.ErrRefused, Code_REFUSED},
}

// passes reports whether an Ask sends the command again after such an end.
func (code Code) passes() bool {
	return code == Code_NOT_OWNER || code == Code_REFUSED || code == Code_UNKNOWN
}

// harmless reports whether an attempt with this end certainly had no effect.
func harmless(code Code) bool {
	switch code {
	case Code_NOT_OWNER, Code_REFUSED, Code_OVERLOADED, Code_EXPIRED, Code_UNAVAILABLE:
		return true
	}
	return false
}
