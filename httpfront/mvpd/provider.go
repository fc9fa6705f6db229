package mvpd

import (
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ssod/httpfront/config"
)

// maxQuestions is how many questions may be with one provider at once, per node. A
// provider that hangs holds no more requests than that.
const maxQuestions = 128

// Provider is a TV provider of a realm with its connector.
type Provider struct {
	Connector
	Config *config.MVPD

	slots    chan struct{}
	budget   time.Duration
	log      *slog.Logger
	troubles troubles
	warner   warner
	seconds  map[string]prometheus.Observer // by call
	refused  atomic.Bool                    // by the breaker, and not answered since
}

// ActiveFor reports whether the integration with a service provider is active.
func (p *Provider) ActiveFor(serviceProvider string) bool {
	return !slices.Contains(p.Config.DisabledFor, serviceProvider)
}

// Decide asks the provider and returns one decision for each resource, within
// its decisionTimeout.
func (p *Provider) Decide(ctx context.Context, q Question) []Decision {
	decisions, err := p.ask(ctx, q)
	if err == nil && len(decisions) == len(q.Resources) {
		return decisions
	}
	if err == nil {
		err = errLength
	}
	if ctx.Err() == nil {
		p.troubles.report(p.log, p.Config.ID, err)
	}
	return slices.Repeat([]Decision{{Verdict: verdictOf(err)}}, len(q.Resources))
}

func (p *Provider) ask(ctx context.Context, q Question) ([]Decision, error) {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	default:
		return nil, errBusy
	}
	ctx, cancel := context.WithTimeout(ctx, p.budget)
	defer cancel()
	began := time.Now()
	decisions, err := p.Connector.Decide(ctx, q)
	p.asked(began, err)
	return decisions, err
}

// logEvery is the least time between two log lines about one provider.
const logEvery = 10 * time.Second

// troubles counts questions without a decision: a provider that is down must
// not fill the log.
type troubles struct {
	untold atomic.Int64
	next   atomic.Int64 // Unix nanoseconds
}

func (t *troubles) report(log *slog.Logger, mvpd string, err error) {
	count, now, next := t.untold.Add(1), time.Now(), t.next.Load()
	if now.UnixNano() < next || !t.next.CompareAndSwap(next, now.Add(logEvery).UnixNano()) {
		return
	}
	t.untold.Add(-count)
	log.Warn("a TV provider gives no decisions", "mvpd", mvpd, "count", count, "last", err)
}
