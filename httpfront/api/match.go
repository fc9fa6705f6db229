package api

import (
	"context"
	"errors"

	"ssod/actors"
)

func is(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

func anyOf(targets ...error) func(error) bool {
	return func(err error) bool {
		for _, t := range targets {
			if errors.Is(err, t) {
				return true
			}
		}
		return false
	}
}

func as[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// unknownOutcome covers the request's deadline: what it had asked for may
// still happen.
func unknownOutcome(err error) bool {
	return errors.Is(err, actors.ErrUnknown) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

func never(error) bool { return false }
