package placement

import (
	"context"
	"errors"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
)

// called answers requests to other nodes with what it does.
type called func(ctx context.Context, to NodeID) error

func (f called) Call(ctx context.Context, to NodeID, _ []byte) ([]byte, error) {
	if err := f(ctx, to); err != nil {
		return nil, err
	}
	return proto.Marshal(&Answer{})
}

// spreading is a placement that can only spread changes, to the nodes 2 and 3.
func spreading(t *testing.T, calls called) *Placement {
	t.Helper()
	b := NewRegistry(Node{ID: 1}, Node{ID: 2}, Node{ID: 3})
	p := &Placement{
		cfg:  Config{Calls: calls, LastHeard: func(NodeID) time.Time { return time.Now() }}.withDefaults(),
		self: 1, registry: b, leases: newLeases(),
		view: &View{registry: b},
	}
	p.ctx, p.cancel = context.WithCancel(t.Context())
	t.Cleanup(p.cancel)
	return p
}

// TestWhatIsEverywhereIsNotUnknown: the caller may give up in the moment in which the
// last node says that it has the change.
func TestWhatIsEverywhereIsNotUnknown(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	heard := make(chan struct{}, 2)
	p := spreading(t, func(context.Context, NodeID) error {
		if heard <- struct{}{}; len(heard) == cap(heard) {
			cancel()
		}
		return nil
	})
	// The last to answer ends the context; the other one has answered by then or is
	// about to, and is not asked again.
	if err := p.spread(ctx, "t", 1); err != nil {
		t.Errorf("every node has it: got %v", err)
	}
	if ctx.Err() == nil {
		t.Fatal("not both nodes were asked")
	}
}

// TestWhatMayBeMissingSomewhereIsUnknown: a node that did not say that it has the
// change, when the caller gives up.
func TestWhatMayBeMissingSomewhereIsUnknown(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p := spreading(t, func(_ context.Context, to NodeID) error {
		if to == 3 {
			cancel()
			return errors.New("no answer")
		}
		return nil
	})
	if err := p.spread(ctx, "t", 1); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it ended before", err)
	}
}
