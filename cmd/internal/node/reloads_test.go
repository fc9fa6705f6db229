package node

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ssod/httpfront/api/admin"
	"ssod/httpfront/config"
)

// A reload whose files do not answer is given up in time, changes nothing, and does
// not gather others behind it.
func TestReadingIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r reading
		answer := make(chan struct{})
		stuck := func() (*config.Config, func() error, error) { <-answer; return nil, nil, nil }
		began := time.Now()
		if _, _, err := r.read(t.Context(), stuck); !errors.Is(err, admin.ErrReload) || time.Since(began) != readTimeout {
			t.Errorf("got %v after %v, want ErrReload after %v", err, time.Since(began), readTimeout)
		}
		began = time.Now()
		if _, _, err := r.read(t.Context(), stuck); !errors.Is(err, admin.ErrReload) || time.Since(began) != 0 {
			t.Errorf("another one meanwhile: got %v after %v, want ErrReload at once", err, time.Since(began))
		}
		close(answer)
		synctest.Wait()
		if _, _, err := r.read(t.Context(), stuck); err != nil {
			t.Errorf("when the files answer again: %v", err)
		}
	})
}

// Who asks for a reload while one runs gets the result of the next one, all together.
func TestReloadsRunOneAfterAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReloads()
		var runs atomic.Int64
		turn := make(chan struct{})
		reload := func(ctx context.Context) (*config.Config, error) {
			runs.Add(1)
			select {
			case <-turn:
				return &config.Config{}, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		join := func() *turnResult {
			t.Helper()
			one, err := r.join(reload)
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			return &turnResult{t, one}
		}
		first := join()
		second, third := join(), join()
		if second.turn != third.turn || first.turn == second.turn {
			t.Error("those who wait are not one")
		}
		if got := runs.Load(); got != 1 {
			t.Errorf("%d run at a time", got)
		}
		turn <- struct{}{}
		first.done(nil)
		turn <- struct{}{}
		second.done(nil)
		if got := runs.Load(); got != 2 {
			t.Errorf("%d reloads for three who asked, want 2", got)
		}
		last := join()
		if err := r.close(); err != nil {
			t.Error(err)
		}
		last.done(context.Canceled)
		if _, err := r.join(reload); !errors.Is(err, admin.ErrReload) {
			t.Errorf("when the node stops: got %v, want ErrReload", err)
		}
	})
}

type turnResult struct {
	*testing.T
	turn *turn
}

// done checks that the turn is over.
func (r *turnResult) done(want error) {
	r.Helper()
	<-r.turn.done
	if !errors.Is(r.turn.err, want) {
		r.Errorf("got %v, want %v", r.turn.err, want)
	}
}
