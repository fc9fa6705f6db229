package slots_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ssod/httpfront/slots"
)

// TestWorkIsBounded: two at once, three in the queue, and the next one is told
// at once.
func TestWorkIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := slots.New(2, 3)
		var mu sync.Mutex
		now, most := 0, 0
		count := func(n int) {
			mu.Lock()
			defer mu.Unlock()
			now += n
			most = max(most, now)
		}
		began := time.Now()
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() {
				if err := s.Enter(context.Background()); err != nil {
					t.Errorf("one of those who may wait: %v", err)
					return
				}
				defer s.Leave()
				count(1)
				<-time.After(time.Second)
				count(-1)
			})
		}
		synctest.Wait()
		if err := s.Enter(context.Background()); !errors.Is(err, slots.ErrBusy) || time.Since(began) != 0 {
			t.Errorf("one too many: got %v after %v, want ErrBusy at once", err, time.Since(began))
		}
		all.Wait()
		if took := time.Since(began); most != 2 || took != 3*time.Second {
			t.Errorf("%d at once, %v for five; want 2, 3s", most, took)
		}
	})
}

func TestNobodyWaitsLongerThanItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := slots.New(1, 1)
		if err := s.Enter(context.Background()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		for range 2 { // the first one left its place in the queue
			if err := s.Enter(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want the end of the context", err)
			}
		}
		s.Leave()
		if err := s.Enter(context.Background()); err != nil {
			t.Errorf("a free place: %v", err)
		}
	})
}

// TestOneCPUIsLeftToOthers: also when Go was allowed more threads at once
// meanwhile, as ssod allows it for media tokens.
func TestOneCPUIsLeftToOthers(t *testing.T) {
	cpus := runtime.GOMAXPROCS(0)
	runtime.GOMAXPROCS(2*cpus + 1)
	defer runtime.GOMAXPROCS(cpus)
	s, places := slots.New(0, 0), 0
	for s.Enter(context.Background()) == nil {
		places++
	}
	if want := max(1, cpus-1); places != want {
		t.Errorf("%d places for %d CPUs, want %d", places, cpus, want)
	}
}
