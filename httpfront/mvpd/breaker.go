package mvpd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/sony/gobreaker/v2"
)

// Decider is the part of a [Connector] that decides.
type Decider interface {
	Decide(ctx context.Context, q Question) ([]Decision, error)
}

// A decision point that fails so often in a row is not asked for a while, so that
// viewers do not wait for what will not come; then one question tries it again.
const (
	failuresToOpen = 5
	openFor        = 10 * time.Second
)

// Break puts a circuit breaker before a decision point of the provider with the id.
func Break(d Decider, id string, log *slog.Logger) Decider {
	return &breaking{d, gobreaker.NewCircuitBreaker[[]Decision](gobreaker.Settings{
		Name:        id,
		Timeout:     openFor,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= failuresToOpen },
		// A caller that went away says nothing about the provider.
		IsExcluded: func(err error) bool { return errors.Is(err, context.Canceled) },
		OnStateChange: func(id string, from, to gobreaker.State) {
			switch {
			case to == gobreaker.StateClosed:
				log.Info("the decision point of a TV provider answers again", "mvpd", id)
			case from == gobreaker.StateClosed:
				log.Warn("the decision point of a TV provider is not asked for now", "mvpd", id, "retry", openFor.String())
			}
		},
	})}
}

type breaking struct {
	decider Decider
	breaker *gobreaker.CircuitBreaker[[]Decision]
}

func (b *breaking) Decide(ctx context.Context, q Question) ([]Decision, error) {
	return b.breaker.Execute(func() ([]Decision, error) {
		decisions, err := b.decider.Decide(ctx, q)
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("%w: %w", ErrTimeout, err)
		}
		return decisions, err
	})
}
