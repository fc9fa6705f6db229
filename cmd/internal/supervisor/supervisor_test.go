package supervisor_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"ssod/cmd/internal/supervisor"
)

// service is one whose start, reload and stop last until they are let go.
type service struct {
	starting, reloading, stopping chan struct{}
	starts, stops                 int
	failed                        chan error
	end, reload                   chan os.Signal
	reloads                       int
	done                          chan error // what Run returned
}

func (s *service) Reload(context.Context) error {
	s.reloads++
	<-s.reloading
	return nil
}

func (s *service) Failed() <-chan error { return s.failed }

func (s *service) Stop(context.Context) error {
	s.stops++
	<-s.stopping
	return nil
}

var errAgain = errors.New("again")

func closed() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

// run supervises a service of which nothing takes time that change does not let
// take time.
func run(t *testing.T, start func(ctx context.Context, s *service) error, change func(s *service)) *service {
	s := &service{
		starting: closed(), reloading: closed(), stopping: closed(), failed: make(chan error, 1),
		end: make(chan os.Signal, 2), reload: make(chan os.Signal, 1), done: make(chan error, 1),
	}
	if change != nil {
		change(s)
	}
	o := supervisor.Options{
		Again: errAgain,
		Start: func(ctx context.Context) (supervisor.Service, error) {
			s.starts++
			if start != nil {
				if err := start(ctx, s); err != nil {
					return nil, err
				}
			}
			return s, nil
		},
		End: s.end, Reload: s.reload, Patience: 20 * time.Second, Log: slog.New(slog.DiscardHandler),
	}
	go func() { s.done <- supervisor.Run(o) }()
	synctest.Wait()
	return s
}

// ends checks how the run has ended; it must have, without any time to pass.
func (s *service) ends(t *testing.T, want error) {
	t.Helper()
	synctest.Wait()
	select {
	case err := <-s.done:
		if !errors.Is(err, want) {
			t.Errorf("ended with %v, want %v", err, want)
		}
	default:
		t.Fatal("it goes on")
	}
}

func (s *service) goesOn(t *testing.T) {
	t.Helper()
	synctest.Wait()
	select {
	case err := <-s.done:
		t.Fatalf("ended: %v", err)
	default:
	}
}

// Two signals end the process in every state, however long that state lasts.
func TestASecondSignalEndsEverything(t *testing.T) {
	deaf := func(_ context.Context, s *service) error {
		<-s.starting
		return context.Canceled
	}
	states := map[string]struct {
		start func(context.Context, *service) error
		stuck func(s *service) *chan struct{}
		begin func(s *service)
	}{
		"starting":  {deaf, func(s *service) *chan struct{} { return &s.starting }, func(*service) {}},
		"reloading": {nil, func(s *service) *chan struct{} { return &s.reloading }, func(s *service) { s.reload <- syscall.SIGHUP }},
		"stopping":  {nil, func(s *service) *chan struct{} { return &s.stopping }, func(*service) {}},
	}
	for name, state := range states {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := run(t, state.start, func(s *service) { *state.stuck(s) = make(chan struct{}) })
				defer close(*state.stuck(s))
				state.begin(s)
				synctest.Wait()
				s.end <- syscall.SIGTERM
				if name == "reloading" { // it does not keep the service from being stopped
					s.ends(t, nil)
					return
				}
				s.goesOn(t)
				s.end <- syscall.SIGINT
				s.ends(t, supervisor.ErrAtOnce)
			})
		})
	}
}

func TestAStopIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := run(t, nil, func(s *service) { s.stopping = make(chan struct{}) })
		defer close(s.stopping)
		s.end <- syscall.SIGTERM
		<-time.After(20*time.Second - 1)
		s.goesOn(t)
		<-time.After(1)
		s.ends(t, supervisor.ErrOverdue)
	})
}

func TestAFailureIsSeenInEveryState(t *testing.T) {
	for _, signal := range []os.Signal{nil, syscall.SIGHUP, syscall.SIGTERM} {
		synctest.Test(t, func(t *testing.T) {
			s := run(t, nil, func(s *service) { s.reloading, s.stopping = make(chan struct{}), make(chan struct{}) })
			defer close(s.reloading)
			defer close(s.stopping)
			switch signal {
			case syscall.SIGHUP:
				s.reload <- signal
			case syscall.SIGTERM:
				s.end <- signal
			}
			s.goesOn(t)
			s.failed <- errors.New("the disk is gone")
			s.ends(t, supervisor.ErrFailed)
		})
	}
}

func TestAStartIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := run(t, func(ctx context.Context, _ *service) error {
			<-ctx.Done()
			return ctx.Err()
		}, nil)
		s.end <- syscall.SIGTERM
		s.ends(t, nil)
	})
	broken := errors.New("the port is taken")
	synctest.Test(t, func(t *testing.T) {
		s := run(t, func(context.Context, *service) error { return broken }, nil)
		s.ends(t, broken)
	})
}

// A signal while the service starts stops it as soon as it has started, and asks
// for a reload once it serves.
func TestSignalsDuringTheStart(t *testing.T) {
	slow := func(_ context.Context, s *service) error {
		<-s.starting
		return nil
	}
	synctest.Test(t, func(t *testing.T) {
		s := run(t, slow, func(s *service) { s.starting = make(chan struct{}) })
		s.reload <- syscall.SIGHUP
		s.goesOn(t)
		if s.reloads != 0 {
			t.Error("reloaded before it was started")
		}
		close(s.starting)
		s.goesOn(t)
		if s.reloads != 1 {
			t.Errorf("%d reloads, want 1", s.reloads)
		}
		s.end <- syscall.SIGTERM
		s.ends(t, nil)
	})
	synctest.Test(t, func(t *testing.T) {
		s := run(t, slow, func(s *service) { s.starting = make(chan struct{}) })
		s.end <- syscall.SIGTERM
		s.goesOn(t)
		close(s.starting)
		s.ends(t, nil)
	})
}

// Signals that come while a reload runs are one more reload.
func TestReloadsAreCoalesced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := run(t, nil, func(s *service) { s.reloading = make(chan struct{}) })
		for range 5 {
			select {
			case s.reload <- syscall.SIGHUP:
			default: // as os/signal does
			}
			s.goesOn(t)
		}
		if s.reloads != 1 {
			t.Errorf("%d reloads at a time, want 1", s.reloads)
		}
		close(s.reloading)
		s.goesOn(t)
		if s.reloads != 2 {
			t.Errorf("%d reloads after five signals, want 2", s.reloads)
		}
		s.end <- syscall.SIGTERM
		s.ends(t, nil)
	})
}

// A service that asks for it is ended and started again, as is a start that asks for
// it. A signal ends both.
func TestAServiceStartsAgain(t *testing.T) {
	out := func(ctx context.Context, s *service) error { // the second start goes on for ever, the third does not
		switch s.starts {
		case 2:
			select {
			case <-s.starting:
				return errAgain
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	}
	for _, ends := range []string{"served again", "starts again"} {
		synctest.Test(t, func(t *testing.T) {
			s := run(t, out, func(s *service) { s.starting = make(chan struct{}) })
			s.failed <- errAgain
			s.goesOn(t)
			if s.starts != 2 || s.stops != 1 {
				t.Errorf("%d starts and %d stops, want 2 and 1", s.starts, s.stops)
			}
			if ends == "served again" {
				close(s.starting)
				s.goesOn(t)
			}
			s.end <- syscall.SIGTERM
			s.ends(t, nil)
			if ends == "served again" && (s.starts != 3 || s.stops != 2) {
				t.Errorf("%d starts and %d stops, want 3 and 2", s.starts, s.stops)
			}
		})
	}
}

// Who is stopped is not started again.
func TestAStopEndsWhatWouldStartAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := run(t, nil, func(s *service) { s.stopping = make(chan struct{}) })
		s.end <- syscall.SIGTERM
		s.goesOn(t)
		s.failed <- errAgain
		s.goesOn(t)
		close(s.stopping)
		s.ends(t, nil)
		if s.starts != 1 {
			t.Errorf("%d starts, want 1", s.starts)
		}
	})
}
