// Package supervisor carries a service from its start to its end, as signals
// want it.
//
// Nothing here waits for the service: it starts, reloads and stops beside the
// loop that hears signals and failures. So in every state the first signal to end
// begins the end, a second one ends it at once, and a failure is seen.
//
//	starting   a signal to end cancels the start; one to reload waits
//	serving    one reload at a time; any number of signals meanwhile is one more
//	again      a service that asks for it is ended and started; as while it starts
//	stopping   bounded; a second signal, or a failure, does not wait for it
package supervisor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"
)

// Service is what was started.
type Service interface {
	// Reload rereads the configuration.
	Reload(ctx context.Context) error
	// Failed receives the error after which the service is of no use.
	Failed() <-chan error
	// Stop drains the service and ends it.
	Stop(ctx context.Context) error
}

// Options is what [Run] needs.
type Options struct {
	// Start starts the service; when ctx ends it should give up.
	Start func(ctx context.Context) (Service, error)
	// End and Reload receive signals. Reload must have room for one, and End for
	// two.
	End, Reload <-chan os.Signal
	// Again is the error by which a service, or its start, asks to be ended and
	// started again. nil: there is none.
	Again error
	// Patience is how long the end may take after the first signal, what is served
	// meanwhile included.
	Patience time.Duration
	Log      *slog.Logger
}

// Why a service did not end cleanly.
var (
	// ErrAtOnce: a second signal came.
	ErrAtOnce = errors.New("stopped at once")
	// ErrOverdue: it took longer than [Options.Patience].
	ErrOverdue = errors.New("not stopped in time")
	// ErrFailed: the service was of no use any more.
	ErrFailed = errors.New("the service failed")
)

// Run starts a service and returns when it has ended: nil after a clean stop, also
// of a service that was not ready yet.
func Run(o Options) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r := &run{Options: o, abort: cancel, started: make(chan start, 1), reloaded: make(chan error, 1), stopped: make(chan error, 1)}
	r.ctx = ctx
	r.start()
	for !r.over {
		r.step()
	}
	return r.err
}

type start struct {
	service Service
	err     error
}

// run is what the loop knows.
type run struct {
	Options
	ctx       context.Context // of the start
	abort     context.CancelFunc
	started   chan start
	reloaded  chan error
	stopped   chan error
	service   Service // nil: it starts
	reloading bool
	stopping  bool
	overdue   <-chan time.Time
	over      bool
	err       error
}

// step waits for the next thing to happen.
func (r *run) step() {
	select {
	case s := <-r.End:
		r.end(s)
	case s := <-r.started:
		r.serve(s)
	case <-r.reloads():
		r.reloading = true
		go func() { r.reloaded <- r.service.Reload(context.Background()) }()
	case err := <-r.reloaded:
		r.reloading = false
		if err != nil {
			r.Log.Error("configuration not reloaded", "error", err)
		}
	case err := <-r.failed():
		if r.again(err) {
			r.restart()
			return
		}
		r.Log.Error("the node failed, stopping at once; what was not answered is unknown", "error", err)
		r.finish(fmt.Errorf("%w: %w", ErrFailed, err))
	case err := <-r.stopped:
		if err != nil {
			r.Log.Error("not stopped cleanly", "error", err)
		}
		r.finish(err)
	case <-r.overdue:
		r.Log.Error("not stopped in time, ended at once", "patience", r.Patience.String())
		r.finish(ErrOverdue)
	}
}

func (r *run) finish(err error) { r.over, r.err = true, err }

// reloads are the signals that can be obeyed now; others wait in the channel, all
// of them as one.
func (r *run) reloads() <-chan os.Signal {
	if r.service == nil || r.reloading || r.stopping {
		return nil
	}
	return r.Reload
}

func (r *run) failed() <-chan error {
	if r.service == nil {
		return nil
	}
	return r.service.Failed()
}

// end begins the end, or ends everything.
func (r *run) end(s os.Signal) {
	if r.stopping {
		r.Log.Warn("stopped at once", "signal", s.String())
		r.finish(ErrAtOnce)
		return
	}
	r.Log.Info("stopping", "signal", s.String())
	r.stopping, r.overdue = true, time.After(r.Patience)
	r.abort()
	if r.service != nil {
		r.stop()
	}
}

// serve takes over what was started.
func (r *run) serve(s start) {
	switch {
	case s.err == nil:
		r.service = s.service
		if r.stopping {
			r.stop()
		}
	case r.stopping && (errors.Is(s.err, context.Canceled) || r.again(s.err)):
		r.Log.Info("stopped before it was ready")
		r.finish(nil)
	case r.again(s.err):
		r.start()
	default:
		r.Log.Error("cannot start", "error", s.err)
		r.finish(s.err)
	}
}

func (r *run) start() {
	go func() {
		s, err := r.Start(r.ctx)
		r.started <- start{s, err}
	}()
}

// again reports whether an error asks for another start.
func (r *run) again(err error) bool { return r.Again != nil && errors.Is(err, r.Again) }

// restart ends the service and starts another one. The first signal to end cancels
// both.
func (r *run) restart() {
	if r.stopping { // its end is under way
		return
	}
	old := r.service
	r.service = nil
	go func() {
		if err := old.Stop(r.ctx); err != nil {
			r.Log.Warn("not ended cleanly before another start", "error", err)
		}
		s, err := r.Start(r.ctx)
		r.started <- start{s, err}
	}()
}

func (r *run) stop() {
	go func() { r.stopped <- r.service.Stop(context.Background()) }()
}
