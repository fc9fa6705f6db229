package actors_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"ssod/actors"
	"ssod/cluster"
	"ssod/cluster/faulty"
	"ssod/cluster/stream"
)

// caller is another node, which asks and sees every answer.
type caller struct {
	answers chan actors.Got
	link    *stream.Link
}

func newCaller(t *testing.T, r *actors.Runtime) *caller {
	t.Helper()
	c := &caller{answers: make(chan actors.Got, 100)}
	n, err := stream.Open(stream.Config{
		Listen: "127.0.0.1:0", Papers: loopback().Papers, Ended: func(*stream.Link, bool) {},
		Receive: func(_ *stream.Link, _ stream.Kind, payload []byte) error {
			got, err := actors.DecodeAnswer(payload)
			c.answers <- got
			return err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	n.Start()
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	if c.link, err = n.Link(r.Address()); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *caller) send(t *testing.T, k stream.Kind, payload []byte) {
	t.Helper()
	if err := c.link.Send(k, payload); err != nil {
		t.Fatal(err)
	}
}

// ask sends a command and waits for what comes next.
func (c *caller) ask(t *testing.T, s actors.Sent) actors.Got {
	t.Helper()
	c.send(t, stream.Command, s.Encode())
	return <-c.answers
}

// command is a command as another node sends it.
func command(t *testing.T, to actors.Address, shards, n int, m proto.Message) actors.Sent {
	t.Helper()
	value, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	id := request(n)
	return actors.Sent{
		Shard: uint64(to.Shard(cluster.DivideSlots(shards))), Kind: to.Kind, Identity: to.Identity.Encode(),
		Request: id[:], Attempt: uint32(n), DeadlineMs: time.Now().Add(5 * time.Second).UnixMilli(),
		Type: string(m.ProtoReflect().Descriptor().FullName()), Value: value,
	}
}

// open is a runtime that other nodes reach.
func open(t *testing.T, p *probe) *actors.Runtime {
	t.Helper()
	v := newView(faulty.Options{})
	r := start(t, v, p, func(c *actors.Config) { c.Self, c.Remote = "", loopback() })
	v.self = r.Address()
	v.move(v.self, 5)
	return r
}

func TestOwnerChecksWhatArrives(t *testing.T) {
	r := open(t, &probe{})
	c := newCaller(t, r)
	tests := []struct {
		name   string
		change func(*actors.Sent)
		want   actors.Code
	}{
		{"good", func(*actors.Sent) {}, actors.Code_OK},
		{"deadline passed", func(m *actors.Sent) { m.DeadlineMs -= 6000 }, actors.Code_EXPIRED},
		{"deadline far ahead", func(m *actors.Sent) { m.DeadlineMs += 60_000 }, actors.Code_EXPIRED},
		{"later term", func(m *actors.Sent) { m.Term = 2000 }, actors.Code_NOT_OWNER},
		{"unknown kind", func(m *actors.Sent) { m.Kind = "x" }, actors.Code_NOT_OWNER},
		{"wrong shard", func(m *actors.Sent) { m.Shard = m.Shard%4 + 1 }, actors.Code_UNAVAILABLE},
		{"shard of the tables", func(m *actors.Sent) { m.Shard = 0 }, actors.Code_NOT_OWNER},
		{"shard beyond the last", func(m *actors.Sent) { m.Shard = 5 }, actors.Code_NOT_OWNER},
		{"unknown type", func(m *actors.Sent) { m.Type = "x.Y" }, actors.Code_FAILED},
		{"no type", func(m *actors.Sent) { m.Type = "" }, actors.Code_FAILED},
		{"garbage", func(m *actors.Sent) { m.Value = []byte{0xff} }, actors.Code_FAILED},
		{"too large", func(m *actors.Sent) { m.Value = make([]byte, 260<<10) }, actors.Code_FAILED},
		{"identity of another encoding", func(m *actors.Sent) {
			bad := cluster.Entity{Kind: m.Kind, Identity: "\xff"}
			m.Identity, m.Shard = bad.Identity, uint64(cluster.DivideSlots(4).Of(bad))
		}, actors.Code_UNAVAILABLE},
	}
	for n, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := command(t, address("x"), 4, n, add(1))
			tt.change(&m)
			if got := c.ask(t, m); got.Code != tt.want || got.Attempt != uint32(n) {
				t.Errorf("got %v of attempt %d, want %v of %d", got.Code, got.Attempt, tt.want, n)
			}
		})
	}
	if got := total(ask(t, r, address("x"), request(1000), do("read"))); got != 1 {
		t.Errorf("effects: got %d, want 1", got)
	}
}

// TestDuplicatesHaveOneEffect delivers the same message many times.
func TestDuplicatesHaveOneEffect(t *testing.T) {
	c := newCaller(t, open(t, &probe{}))
	m := command(t, address("x"), 4, 7, do("claim"))
	m.Flags = 1 // repeated
	for range 20 {
		c.send(t, stream.Command, m.Encode())
	}
	for range 20 {
		if got := <-c.answers; got.Code != actors.Code_OK || total(got.Reply) != 1 {
			t.Errorf("got %v", got)
		}
	}
}

// TestTellsAreNotAnswered: of a tell and a command behind it only this one is.
func TestTellsAreNotAnswered(t *testing.T) {
	r := open(t, &probe{})
	c := newCaller(t, r)
	c.send(t, stream.Tell, command(t, address("x"), 4, 1, add(1)).Encode())
	unknown := command(t, address("x"), 4, 2, add(1))
	unknown.Kind = "x"
	c.send(t, stream.Tell, unknown.Encode())
	if got := c.ask(t, command(t, address("y"), 4, 3, add(1))); got.Attempt != 3 {
		t.Errorf("attempt %d is answered", got.Attempt)
	}
	eventually(t, "the told command has its effect", func() bool {
		return total(ask(t, r, address("x"), request(1000), do("read"))) == 1
	})
}

// TestFlowsOfOthersCountTheirWorkers: two that wait are as much as 20 KiB allow.
func TestFlowsOfOthersCountTheirWorkers(t *testing.T) {
	p := &probe{entered: make(chan struct{}), release: make(chan struct{})}
	v := newView(faulty.Options{})
	r := start(t, v, p, func(c *actors.Config) {
		c.Self, c.Remote, c.Limits.QueueBytes = "", loopback(), 20<<10
	})
	v.self = r.Address()
	v.move(v.self, 5)
	c := newCaller(t, r)
	c.send(t, stream.Command, command(t, address("x's partner"), 4, 1, do("block")).Encode())
	<-p.entered
	for n := range 2 {
		c.send(t, stream.Command, command(t, address("x"), 4, 2+n, do("both")).Encode())
	}
	eventually(t, "both wait for the partner", func() bool { return r.Admitted() == 3 })
	c.send(t, stream.Command, command(t, address("x"), 4, 4, do("both")).Encode())
	eventually(t, "the third is refused, or waits as well", func() bool { return len(c.answers) > 0 || r.Admitted() > 3 })
	if r.Admitted() > 3 {
		t.Error("the third waits as well")
	} else if got := <-c.answers; got.Attempt != 4 || got.Code != actors.Code_OVERLOADED {
		t.Errorf("got %v of attempt %d, want OVERLOADED of the third", got.Code, got.Attempt)
	}
	close(p.release)
	eventually(t, "nothing waits any more", func() bool { return r.InFlight() == 0 })
}

// TestATellIsPassedOn by a node that is not the owner any more, also if it stops being
// the owner while the command waits, and by one that does not reach the owner it knows.
func TestATellIsPassedOn(t *testing.T) {
	patient := func(c *actors.Config) {
		c.Self, c.Remote, c.Limits.OwnerWait = "", loopback(), time.Hour
	}
	told := func(t *testing.T, r *actors.Runtime) {
		t.Helper()
		eventually(t, "the told command has its effect", func() bool {
			return total(ask(t, r, address("x"), request(1000), do("read"))) == 1
		})
	}
	t.Run("it comes too late", func(t *testing.T) {
		heir, v := open(t, &probe{}), newView(faulty.Options{})
		former := start(t, v, &probe{}, patient)
		v.move(heir.Address(), 6)
		newCaller(t, former).send(t, stream.Tell, command(t, address("x"), 4, 1, add(1)).Encode())
		told(t, heir)
	})
	t.Run("it waits", func(t *testing.T) {
		truth := faulty.New(faulty.Options{})
		node := truth.Node("a:1")
		p := &probe{entered: make(chan struct{}), release: make(chan struct{})}
		r := start(t, node, p, func(c *actors.Config) { c.Limits.OwnerWait = time.Hour })
		blocked := make(chan error, 1)
		go func() {
			_, err := r.Ask(context.Background(), address("x"), request(1), 0, do("block"))
			blocked <- err
		}()
		<-p.entered
		r.Tell(address("x"), request(2), 0, add(1))
		truth.Move(address("x").Shard(truth.Slots()), nil)
		close(p.release)
		if err := <-blocked; err != nil {
			t.Error(err)
		}
		eventually(t, "nothing waits any more", func() bool { return r.InFlight() == 0 })
		truth.Move(address("x").Shard(truth.Slots()), node)
		told(t, r)
	})
	t.Run("the owner is gone", func(t *testing.T) {
		heir, v := open(t, &probe{}), newView(faulty.Options{})
		r := start(t, v, &probe{}, patient)
		v.move(deadAddress(t), 6)
		r.Tell(address("x"), request(1), 0, add(1))
		v.move(heir.Address(), 7)
		told(t, heir)
	})
}

// TestLateAnswerIsDropped answers attempts that nobody waits for, or not on that
// connection.
func TestLateAnswerIsDropped(t *testing.T) {
	p := &probe{entered: make(chan struct{}), release: make(chan struct{})}
	r := open(t, p)
	c := newCaller(t, r)
	got := make(chan int64, 1)
	go func() {
		m, err := r.Ask(context.Background(), address("x"), request(1), 3, do("block"))
		if err != nil {
			t.Errorf("ask: %v", err)
		}
		got <- total(m)
	}()
	<-p.entered
	for _, n := range []uint32{r.Attempt() - 1, r.Attempt(), r.Attempt() + 1} {
		b, err := actors.EncodeAnswer(actors.Got{Attempt: n, Code: actors.Code_FAILED})
		if err != nil {
			t.Fatal(err)
		}
		c.send(t, stream.Answer, b)
	}
	c.ask(t, command(t, address("y"), 4, 2, add(1))) // they have been read when this is answered
	close(p.release)
	if n := <-got; n != 0 {
		t.Errorf("got %d, want the entity's own answer 0", n)
	}
}

// TestWhatNoNodeSendsEndsTheConnection: nothing that is behind it is carried out.
func TestWhatNoNodeSendsEndsTheConnection(t *testing.T) {
	good := command(t, address("x"), 4, 1, add(1)).Encode()
	answer, err := actors.EncodeAnswer(actors.Got{Attempt: 1, Code: actors.Code_FAILED})
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		kind    stream.Kind
		payload []byte
	}{
		"empty command":          {stream.Command, nil},
		"half a command":         {stream.Command, good[:20]},
		"unknown flags":          {stream.Command, append([]byte{8}, good[1:]...)},
		"voucher of nobody":      {stream.Command, slices.Concat([]byte{2}, good[1:3], []byte{5, 0}, good[3:])},
		"needless byte":          {stream.Command, append([]byte{0, 0x81, 0}, good[2:]...)},
		"answer of unknown code": {stream.Answer, []byte{1, 99}},
		"long answer":            {stream.Answer, append(slices.Clone(answer), 1)},
		"empty answer":           {stream.Answer, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := open(t, &probe{})
			c := newCaller(t, r)
			c.ask(t, command(t, address("y"), 4, 2, add(1)))
			c.send(t, tt.kind, tt.payload)
			eventually(t, "the connection has ended", func() bool {
				return errors.Is(c.link.Send(stream.Command, good), stream.ErrDown)
			})
		})
	}
}

func FuzzCommand(f *testing.F) {
	id := request(1)
	f.Add(actors.Sent{Shard: 1, Term: 2, Request: id[:], Step: 3, Attempt: 4, DeadlineMs: 5, Kind: "counter", Identity: "\x01x", Type: "a.B", Value: []byte{1}}.Encode())
	f.Add(actors.Sent{Flags: 3, Voucher: cluster.Voucher{Term: 2, Replica: 1<<32 | 1}, Request: id[:], Kind: "counter", Identity: "\x01x", Type: "a.B"}.Encode())
	f.Fuzz(func(t *testing.T, in []byte) {
		var s actors.Sent
		switch err := s.Decode(in); {
		case err == nil && string(s.Encode()) != string(in):
			t.Errorf("encoded again: %q", s.Encode())
		case err != nil && !errors.Is(err, stream.ErrEnvelope):
			t.Errorf("error: %v", err)
		}
	})
}

func FuzzAnswer(f *testing.F) {
	for _, g := range []actors.Got{
		{Attempt: 3, Code: actors.Code_OVERLOADED, After: 1500 * time.Millisecond},
		{Attempt: 1, Code: actors.Code_OK, Reply: add(7)},
		{Attempt: 300, Code: actors.Code_NOT_OWNER, Owner: cluster.Owner{Address: "b:1", Term: 9}},
		{Attempt: 1 << 31, Code: actors.Code_UNKNOWN},
	} {
		b, err := actors.EncodeAnswer(g)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := actors.DecodeAnswer(in)
		if err != nil {
			if !errors.Is(err, stream.ErrEnvelope) {
				t.Errorf("error: %v", err)
			}
			return
		}
		b, err := actors.EncodeAnswer(got)
		if err != nil {
			t.Fatal(err)
		}
		again, err := actors.DecodeAnswer(b)
		if diff := cmp.Diff(got, again, protocmp.Transform(), cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
	})
}
