package actors_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/cluster"
	"ssod/cluster/faulty"
)

func TestOverloadIsAnsweredAtOnce(t *testing.T) {
	one := func(int) actors.Address { return address("x") }
	several := func(n int) actors.Address { return address("x", fmt.Sprint(n)) }
	const three = 3*actors.OwnSize + 100 // bytes
	tests := []struct {
		name   string
		limits actors.Limits
		to     func(n int) actors.Address
		next   actors.Address
	}{
		{"entity", actors.Limits{Wait: 1}, one, address("x")},
		{"bytes of an entity", actors.Limits{QueueBytes: actors.EntityShare * three}, one, address("x")},
		{"bytes of the node", actors.Limits{QueueBytes: three}, several, address("y")},
		{"asks", actors.Limits{Asks: 3}, one, address("y")},
		{"active", actors.Limits{Active: 1}, one, address("y")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := &probe{entered: make(chan struct{}), release: make(chan struct{})}
			r := start(t, faulty.New(faulty.Options{}).Node("a:1"), p, func(c *actors.Config) {
				tt.limits.Tick, tt.limits.OwnerWait = time.Hour, time.Hour // nothing to wait for comes
				c.Limits = tt.limits
				c.Kinds[0].AtOnce = 3
			})
			var group sync.WaitGroup
			for n := range 3 {
				group.Go(func() {
					if _, err := r.Ask(context.Background(), tt.to(n), request(n), 0, do("block")); err != nil {
						t.Errorf("admitted ask: %v", err)
					}
				})
			}
			<-p.entered
			eventually(t, "three are admitted", func() bool { return r.Admitted() == 3 })
			if _, err := r.Ask(t.Context(), tt.next, request(9), 0, do("read")); !errors.Is(err, actors.ErrOverloaded) {
				t.Errorf("one too many: got %v, want ErrOverloaded at once", err)
			}
			close(p.release)
			for range 2 {
				<-p.entered
			}
			group.Wait()
		})
	}
}

// TestMemoryPressureTakesTheLeastRecentlyUsed fills the node to a limit.
func TestMemoryPressureTakesTheLeastRecentlyUsed(t *testing.T) {
	for name, limits := range map[string]actors.Limits{
		"entities": {Active: 10},
		"bytes":    {Bytes: 3800}, // each takes about 360
	} {
		t.Run(name, func(t *testing.T) {
			p := &probe{}
			r := start(t, faulty.New(faulty.Options{}).Node("a:1"), p, func(c *actors.Config) {
				c.Limits = limits
				c.Limits.Tick, c.Limits.Idle = time.Hour, 100*time.Hour
			})
			for n := range 10 {
				ask(t, r, address(fmt.Sprint(n)), request(n), add(1))
				r.Age()
			}
			ask(t, r, address("0"), request(20), add(1)) // used again: now the youngest
			r.Press()
			eventually(t, "down to nine tenths", func() bool { return r.Active() == 9 })
			loads := p.loads.Load()
			ask(t, r, address("0"), request(21), do("read"))
			if p.loads.Load() != loads {
				t.Error("the entity used last was passivated")
			}
			ask(t, r, address("1"), request(22), do("read"))
			if p.loads.Load() != loads+1 {
				t.Error("the entity unused for longest was kept")
			}
		})
	}
}

// TestBytesAreGivenBack: what entities take is counted when they are loaded and
// changed, and not any more when they are gone.
func TestBytesAreGivenBack(t *testing.T) {
	r := start(t, faulty.New(faulty.Options{}).Node("a:1"), &probe{})
	ask(t, r, address("x"), request(1), do("read"))
	before := r.Bytes()
	if before == 0 {
		t.Fatal("an entity takes nothing")
	}
	ask(t, r, address("x"), request(2), add(1)) // it has a state now
	if r.Bytes() <= before {
		t.Errorf("%d bytes with a longer state, %d before", r.Bytes(), before)
	}
	r.Sweep()
	eventually(t, "nothing held", func() bool { return r.Active() == 0 && r.Bytes() == 0 })
}

func TestRestlessEntityStays(t *testing.T) {
	p := &probe{}
	p.restless.Store(true)
	r := start(t, faulty.New(faulty.Options{}).Node("a:1"), p)
	ask(t, r, address("x"), request(1), add(1))
	r.Sweep()
	eventually(t, "a tick", func() bool { return p.ticks.Load() == 1 })
	ask(t, r, address("x"), request(2), do("read"))
	if r.Active() != 1 {
		t.Error("an entity that is not idle was passivated")
	}
}

// TestTicksAreSpread uses many entities in the same moment: their ticks come
// shard by shard, not together.
func TestTicksAreSpread(t *testing.T) {
	const tick, entities = 200 * time.Millisecond, 64
	at := make(chan time.Time, 10*entities)
	p := &probe{ticked: func() { at <- time.Now() }}
	r := start(t, faulty.New(faulty.Options{Shards: 16}).Node("a:1"), p, func(c *actors.Config) {
		c.Limits.Tick = tick
	})
	for n := range entities {
		ask(t, r, address(fmt.Sprint(n)), request(n), do("read"))
	}
	first := <-at
	last := first
	for range entities - 1 {
		last = <-at
	}
	if spread := last.Sub(first); spread < tick/2 {
		t.Errorf("all within %v, want over most of %v", spread, tick)
	}
}

// TestPassivationStormLosesNothing passivates entities again and again while
// they are asked.
func TestPassivationStormLosesNothing(t *testing.T) {
	r := start(t, faulty.New(faulty.Options{}).Node("a:1"), &probe{})
	const callers, rounds = 16, 200
	done := make(chan struct{})
	var sweeper, group sync.WaitGroup
	sweeper.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				r.Sweep()
			}
		}
	})
	for caller := range callers {
		group.Go(func() {
			for i := range rounds {
				n := caller*rounds + i
				if _, err := r.Ask(context.Background(), address(fmt.Sprint(n%4)), request(n), 0, add(1)); err != nil {
					t.Errorf("ask %d: %v", n, err)
				}
			}
		})
	}
	group.Wait()
	close(done)
	sweeper.Wait()
	var sum int64
	for i := range 4 {
		sum += total(ask(t, r, address(fmt.Sprint(i)), request(1e6), do("read")))
	}
	if sum != callers*rounds {
		t.Errorf("got %d effects of %d requests", sum, callers*rounds)
	}
}

func TestBarrierIsShared(t *testing.T) {
	var barriers atomic.Int32
	truth := faulty.New(faulty.Options{Shards: 1, Barriers: func(faulty.Op) faulty.Fault {
		barriers.Add(1)
		return faulty.Hold
	}})
	r := start(t, truth.Node("a:1"), &probe{})
	var group sync.WaitGroup
	read := func(n int) {
		group.Go(func() {
			to := address(fmt.Sprint(n % 10))
			if _, err := r.Ask(context.Background(), to, request(n), 0, do([]string{"read", "read fenced"}[n%2])); err != nil {
				t.Errorf("read: %v", err)
			}
		})
	}
	read(0)
	eventually(t, "the first has a barrier", func() bool { return barriers.Load() == 1 })
	for n := range 99 {
		read(n + 1)
	}
	eventually(t, "the others wait for one", func() bool { return r.Fencing() == 99 })
	truth.Release()
	group.Wait()
	if got := barriers.Load(); got != 2 {
		t.Errorf("100 reads took %d barriers, want 2", got)
	}
}

// free makes barriers free, as on a node without peers.
type free struct{ cluster.Shards }

type freeShard struct{ cluster.Shard }

func (f free) Lead(id cluster.ShardID) (cluster.Shard, bool) {
	s, ok := f.Shards.Lead(id)
	return freeShard{s}, ok
}

func (freeShard) TryBarrier() bool { return true }

func (freeShard) ReadBarrier(context.Context) error { panic("a free barrier is not waited for") }

func TestFreeBarrierIsNotWaitedFor(t *testing.T) {
	r := start(t, free{faulty.New(faulty.Options{}).Node("a:1")}, &probe{})
	for n, how := range []string{"read", "read fenced"} {
		ask(t, r, address("x"), request(n), do(how))
	}
}

func TestARoundOfTheSweepTakesAWhile(t *testing.T) {
	node := faulty.New(faulty.Options{}).Node("a:1")
	seen := make(chan time.Time)
	const round = 100 * time.Millisecond
	began := time.Now()
	r := start(t, node, &probe{}, func(c *actors.Config) {
		c.Limits.SweepRate, c.Limits.SweepRound = 1_000_000, round
		c.Kinds[0].Sweep = func(cluster.Head, actors.Times) proto.Message {
			select {
			case seen <- time.Now():
			case <-t.Context().Done():
			}
			return nil
		}
	})
	ask(t, r, address("x"), request(1), add(1))
	for n := range 4 {
		if after := (<-seen).Sub(began); after < time.Duration(n)*round {
			t.Errorf("seen for the %dth time after %v, want rounds of %v at least", n+1, after, round)
		}
	}
}

func TestSweepVisitsStoredEntities(t *testing.T) {
	truth := faulty.New(faulty.Options{})
	node := truth.Node("a:1")
	p := &probe{swept: make(chan proto.Message, 1)}
	first := start(t, node, p)
	const stored = 40
	for n := range stored {
		ask(t, first, address("realm", fmt.Sprint(n)), request(n), add(1))
	}
	stop(t, first)
	second := start(t, node, p, func(c *actors.Config) {
		c.Limits.SweepRate, c.Limits.SweepRound = 10_000, 10*time.Millisecond
		c.Kinds[0].Sweep = func(h cluster.Head, _ actors.Times) proto.Message {
			if h.Rev > 1 {
				return nil // was swept
			}
			return do("sweep")
		}
	})
	eventually(t, "every stored entity is swept once", func() bool {
		for n := range stored {
			if total(ask(t, second, address("realm", fmt.Sprint(n)), request(1000+n), do("read"))) != 2 {
				return false
			}
		}
		return true
	})
}
