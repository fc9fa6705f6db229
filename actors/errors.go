package actors

import (
	"errors"
	"fmt"
	"time"
)

// The errors of Ask. Each says what the caller may conclude about the effect of
// its command.
var (
	// ErrUnavailable: the command certainly had no effect. No node owns the
	// shard, the owner refused, the node is stopping, or the deadline passed
	// before the command was sent.
	ErrUnavailable = errors.New("entity unavailable")
	// ErrOverloaded: likewise no effect, and reported at once: the commands in flight
	// for the entity or the node take too long or too much memory. An [OverloadedError]
	// says when to ask again.
	ErrOverloaded = errors.New("entity overloaded")
	// ErrUnknown: the command may or may not have had its effect. The same
	// request and step may be asked again and get the first answer.
	ErrUnknown = errors.New("effect of the command unknown")
	// ErrInternal: the entity's code failed (a panic, or an answer that cannot
	// be given). The entity was loaded afresh; the fault was logged where it
	// happened, with the request id.
	ErrInternal = errors.New("entity failed")
)

// OverloadedError is [ErrOverloaded] with the time that the commands in flight will
// take; 0: unknown.
type OverloadedError struct{ RetryAfter time.Duration }

func (e *OverloadedError) Error() string {
	if e.RetryAfter == 0 {
		return ErrOverloaded.Error()
	}
	return fmt.Sprintf("%s for %v", ErrOverloaded, e.RetryAfter.Round(time.Millisecond))
}

// Is makes it an ErrOverloaded.
func (e *OverloadedError) Is(target error) bool { return target == ErrOverloaded }

// ErrLevel: the cluster's format level does not have the kind of entity yet. The command
// had no effect. It is a [LevelError], and an ErrUnavailable too.
var ErrLevel = errors.New("the format level of the cluster is too low")

// LevelError is [ErrLevel] with the level that is needed.
type LevelError struct {
	Kind      string // of the entity
	Has, Need int
}

func (e *LevelError) Error() string {
	return fmt.Sprintf("%s: it is %d, and entities of kind %s need %d", ErrLevel, e.Has, e.Kind, e.Need)
}

// Is makes it an ErrLevel and an ErrUnavailable.
func (e *LevelError) Is(target error) bool { return target == ErrLevel || target == ErrUnavailable }

// ErrIdentity says that an encoded identity is malformed.
var ErrIdentity = errors.New("malformed entity identity")
