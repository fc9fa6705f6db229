package actors_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"ssod/cluster"
	"ssod/cluster/faulty"
)

// calling are shards whose barriers end when the test says so.
type calling struct {
	cluster.Shards
	begun chan func(error)
}

type callingShard struct {
	cluster.Shard
	begun chan func(error)
}

func (c calling) Lead(id cluster.ShardID) (cluster.Shard, bool) {
	s, ok := c.Shards.Lead(id)
	return callingShard{s, c.begun}, ok
}

func (s callingShard) BeginBarrier(done func(error)) { s.begun <- done }

func (callingShard) ReadBarrier(context.Context) error { panic("who can be called does not wait") }

// TestABarrierCallsBack: one is under way at a time, and what comes meanwhile shares
// the next.
func TestABarrierCallsBack(t *testing.T) {
	shards := calling{faulty.New(faulty.Options{Shards: 1}).Node("a:1"), make(chan func(error), 100)}
	r := start(t, shards, &probe{})
	var group sync.WaitGroup
	read := func(n int) {
		group.Go(func() {
			if _, err := r.Ask(context.Background(), address(fmt.Sprint(n%10)), request(n), 0, do("read")); err != nil {
				t.Errorf("read: %v", err)
			}
		})
	}
	read(0)
	first := <-shards.begun
	for n := range 99 {
		read(n + 1)
	}
	eventually(t, "the others wait", func() bool { return r.Fencing() == 99 })
	first(nil)
	(<-shards.begun)(nil)
	group.Wait()
	if n := len(shards.begun); n != 0 {
		t.Errorf("%d more barriers for 100 reads", n)
	}
}

// TestABarrierThatDoesNotEndHoldsNoReadBack when the leadership is over; what is said of it
// later means nothing.
func TestABarrierThatDoesNotEndHoldsNoReadBack(t *testing.T) {
	truth := faulty.New(faulty.Options{Shards: 1})
	shards := calling{truth.Node("a:1"), make(chan func(error), 100)}
	r := start(t, shards, &probe{})
	answered := make(chan error, 1)
	go func() {
		_, err := r.Ask(context.Background(), address("x"), request(1), 0, do("read"))
		answered <- err
	}()
	never := <-shards.begun
	truth.Flap(1)
	next := <-shards.begun // it is asked again, in the next term
	never(nil)
	select {
	case err := <-answered:
		t.Fatalf("answered without a barrier of its term: %v", err)
	default:
	}
	next(nil)
	if err := <-answered; err != nil {
		t.Error(err)
	}
}
