package actors_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"ssod/actors"
	"ssod/cluster/faulty"
)

// Flows of counters: "both" adds one to the counter it is sent to and to its partner,
// which is asked first; "owing" tells the first one instead.
func flowOf(command proto.Message) actors.FlowFunc {
	s, _ := command.(*wrapperspb.StringValue)
	switch s.GetValue() {
	case "both":
		return both
	case "owing":
		return owing
	case "flow panic":
		return func(*actors.Flow) (proto.Message, error) { panic(errors.New("a secret")) }
	case "flow error":
		return func(*actors.Flow) (proto.Message, error) { return nil, errors.New("no sentinel") }
	}
	return nil
}

func both(f *actors.Flow) (proto.Message, error) {
	partner := address(f.Identity()[0] + "'s partner")
	first, err := f.Ask(partner, 1, add(1))
	if err != nil {
		return nil, err
	}
	second, err := f.Turn(2, add(1))
	if err != nil {
		return nil, err
	}
	return answer(10*total(first) + total(second)), nil
}

func owing(f *actors.Flow) (proto.Message, error) {
	id := f.Identity()[0]
	reply, err := f.Ask(address(id+"'s partner"), 1, add(1))
	f.Tell(address(id), 2, add(1))
	return reply, err
}

// TestWhatAFlowOwesIsAdmitted: its entity hears it however much waits there.
func TestWhatAFlowOwesIsAdmitted(t *testing.T) {
	p := &probe{entered: make(chan struct{}), release: make(chan struct{})}
	r := start(t, faulty.New(faulty.Options{}).Node("a:1"), p, func(c *actors.Config) {
		c.Limits.Wait = 1
		c.Kinds[0].AtOnce = 1
	})
	blocked := make(chan error, 1)
	go func() {
		_, err := r.Ask(context.Background(), address("x"), request(1), 0, do("block"))
		blocked <- err
	}()
	<-p.entered
	if _, err := r.Ask(t.Context(), address("x"), request(2), 0, do("read")); !errors.Is(err, actors.ErrOverloaded) {
		t.Errorf("another command: got %v, want ErrOverloaded", err)
	}
	ask(t, r, address("x"), request(3), do("owing"))
	close(p.release)
	if err := <-blocked; err != nil {
		t.Error(err)
	}
	eventually(t, "nothing waits any more", func() bool { return r.InFlight() == 0 })
	if got := total(ask(t, r, address("x"), request(4), add(10))); got != 11 {
		t.Errorf("got %d, want 11", got)
	}
}

// TestANodeThatStopsHearsWhatItsFlowsOwe.
func TestANodeThatStopsHearsWhatItsFlowsOwe(t *testing.T) {
	p := &probe{entered: make(chan struct{}), release: make(chan struct{})}
	node := faulty.New(faulty.Options{}).Node("a:1")
	r := start(t, node, p)
	ended := make(chan error, 3)
	go func() {
		_, err := r.Ask(context.Background(), address("x's partner"), request(1), 0, do("block"))
		ended <- err
	}()
	<-p.entered
	go func() {
		_, err := r.Ask(context.Background(), address("x"), request(2), 0, do("owing"))
		ended <- err
	}()
	eventually(t, "the flow waits for the partner", func() bool { return r.Admitted() == 2 })
	go func() { ended <- r.Stop(context.Background()) }()
	eventually(t, "the node is stopping", func() bool {
		_, err := r.Ask(t.Context(), address("y"), request(3), 0, do("read"))
		return errors.Is(err, actors.ErrUnavailable)
	})
	close(p.release)
	for range cap(ended) {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	if got := total(ask(t, start(t, node, &probe{}), address("x"), request(4), do("read"))); got != 1 {
		t.Errorf("got %d, want 1", got)
	}
}

// TestAFlowHasOneOutcome: it may be repeated and its commits may fail, and each
// entity is changed once.
func TestAFlowHasOneOutcome(t *testing.T) {
	for _, fault := range faulty.Faults {
		for _, commit := range []int{0, 1} {
			script := []faulty.Fault{faulty.None, faulty.None}
			script[commit] = fault
			r := start(t, faulty.New(faulty.Options{Commits: faulty.Script(script...)}).Node("a:1"), &probe{})
			for range 2 {
				if got := total(ask(t, r, address("x"), request(1), do("both"))); got != 11 {
					t.Errorf("%v at commit %d: got %d, want 11", fault, commit, got)
				}
			}
			stop(t, r)
		}
	}
}

// TestAFlowThatCannotGoOn: what its last ask says is what the Ask says.
func TestAFlowThatCannotGoOn(t *testing.T) {
	for _, orphan := range []actors.Address{address("x"), address("x's partner")} {
		truth := faulty.New(faulty.Options{Shards: 16})
		r := start(t, truth.Node("a:1"), &probe{})
		truth.Move(orphan.Shard(truth.Slots()), nil)
		if _, err := r.Ask(t.Context(), address("x"), request(1), 0, do("both")); !errors.Is(err, actors.ErrUnavailable) {
			t.Errorf("nobody has %v: got %v, want %v", orphan.Identity, err, actors.ErrUnavailable)
		}
	}
}

// TestAnEntityServesOthersDuringItsFlow.
func TestAnEntityServesOthersDuringItsFlow(t *testing.T) {
	p := &probe{entered: make(chan struct{}), release: make(chan struct{})}
	r := start(t, faulty.New(faulty.Options{}).Node("a:1"), p)
	blocked, flown := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := r.Ask(context.Background(), address("x's partner"), request(1), 0, do("block"))
		blocked <- err
	}()
	<-p.entered
	go func() {
		_, err := r.Ask(context.Background(), address("x"), request(2), 0, do("both"))
		flown <- err
	}()
	eventually(t, "the flow waits for the partner", func() bool { return r.Admitted() == 2 })
	if got := total(ask(t, r, address("x"), request(3), add(1))); got != 1 {
		t.Errorf("an add during the flow: got %d, want 1", got)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- r.Stop(context.Background()) }()
	eventually(t, "new asks are refused", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := r.Ask(ctx, address("y"), request(4), 0, do("read"))
		return errors.Is(err, actors.ErrUnavailable)
	})
	close(p.release)
	for name, ended := range map[string]chan error{"block": blocked, "flow": flown, "stop": stopped} {
		if err := <-ended; err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAFaultyFlowCostsOneRequest.
func TestAFaultyFlowCostsOneRequest(t *testing.T) {
	log := &recorder{}
	r := start(t, faulty.New(faulty.Options{}).Node("a:1"), &probe{}, func(c *actors.Config) { c.Log = log.logger() })
	for _, command := range []string{"flow panic", "flow error"} {
		if _, err := r.Ask(t.Context(), address("x"), request(2), 0, do(command)); !errors.Is(err, actors.ErrInternal) {
			t.Errorf("%s: got %v, want ErrInternal", command, err)
		}
	}
	for _, said := range []string{"flow panicked", "flow failed"} {
		if n := log.count(said, "trace=00000000-0000-0003-0000-000000000000"); n != 1 {
			t.Errorf("%q logged %d times with the request id, want once", said, n)
		}
	}
	if n := log.count("a secret"); n != 0 {
		t.Error("the panic's text is in the log")
	}
}
