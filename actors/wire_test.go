package actors_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/cluster"
	"ssod/cluster/faulty"
)

// caller is a process that asks as another node would, and sees every answer.
type caller struct {
	answers chan *actors.RemoteAnswer
	pid     *actor.PID
	system  *actor.ActorSystem
}

func newCaller(r *actors.Runtime) *caller {
	c := &caller{answers: make(chan *actors.RemoteAnswer, 100), system: r.System()}
	c.pid, _ = c.system.ProcessRegistry.Add(c, "caller")
	return c
}

func (c *caller) SendUserMessage(_ *actor.PID, m any) {
	c.answers <- actor.UnwrapEnvelopeMessage(m).(*actors.RemoteAnswer)
}
func (c *caller) SendSystemMessage(*actor.PID, any) {}
func (c *caller) Stop(*actor.PID)                   {}

func (c *caller) send(m *actors.RemoteCommand) {
	to := c.system.NewLocalPID(fmt.Sprintf("shard-%d", m.Shard))
	c.system.Root.Send(to, &actor.MessageEnvelope{Message: m, Sender: c.pid})
}

// command is a command as another node sends it.
func command(t *testing.T, to actors.Address, shards, n int, m proto.Message) *actors.RemoteCommand {
	t.Helper()
	value, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	id := request(n)
	return &actors.RemoteCommand{
		Shard: uint32(to.Shard(shards)), Kind: to.Kind, Identity: []byte(to.Identity.Encode()),
		Request: id[:], Attempt: uint32(n), DeadlineMs: time.Now().Add(5 * time.Second).UnixMilli(),
		Command: &actors.Packed{Type: string(m.ProtoReflect().Descriptor().FullName()), Value: value},
	}
}

func TestOwnerChecksWhatArrives(t *testing.T) {
	r := start(t, faulty.New(faulty.Options{}).Node("a:1"), &probe{})
	c := newCaller(r)
	tests := []struct {
		name   string
		change func(*actors.RemoteCommand)
		want   actors.Code
	}{
		{"good", func(*actors.RemoteCommand) {}, actors.Code_OK},
		{"deadline passed", func(m *actors.RemoteCommand) { m.DeadlineMs -= 6000 }, actors.Code_EXPIRED},
		{"deadline far ahead", func(m *actors.RemoteCommand) { m.DeadlineMs += 60_000 }, actors.Code_EXPIRED},
		{"later term", func(m *actors.RemoteCommand) { m.Term = 99 }, actors.Code_NOT_OWNER},
		{"unknown kind", func(m *actors.RemoteCommand) { m.Kind = "x" }, actors.Code_NOT_OWNER},
		{"wrong shard", func(m *actors.RemoteCommand) { m.Shard = m.Shard%4 + 1 }, actors.Code_UNAVAILABLE},
		{"unknown type", func(m *actors.RemoteCommand) { m.Command.Type = "x.Y" }, actors.Code_FAILED},
		{"no type", func(m *actors.RemoteCommand) { m.Command = nil }, actors.Code_FAILED},
		{"garbage", func(m *actors.RemoteCommand) { m.Command.Value = []byte{0xff} }, actors.Code_FAILED},
		{"too large", func(m *actors.RemoteCommand) { m.Command.Value = make([]byte, 300<<10) }, actors.Code_FAILED},
		{"identity of another encoding", func(m *actors.RemoteCommand) {
			bad := cluster.Entity{Kind: m.Kind, Identity: "\xff"}
			m.Identity, m.Shard = []byte(bad.Identity), uint32(actors.ShardOf(bad, 4))
		}, actors.Code_UNAVAILABLE},
	}
	for n, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := command(t, address("x"), 4, n, add(1))
			tt.change(m)
			c.send(m)
			if got := <-c.answers; got.Code != tt.want {
				t.Errorf("got %v, want %v", got.Code, tt.want)
			}
		})
	}
	short := command(t, address("x"), 4, 99, add(1))
	short.Request = short.Request[:5]
	c.send(short) // nobody to answer
	if got := total(ask(t, r, address("x"), request(1000), do("read"))); got != 1 {
		t.Errorf("effects: got %d, want 1", got)
	}
}

// TestDuplicatesHaveOneEffect delivers the same message many times.
func TestDuplicatesHaveOneEffect(t *testing.T) {
	r := start(t, faulty.New(faulty.Options{}).Node("a:1"), &probe{})
	c := newCaller(r)
	for range 20 {
		c.send(command(t, address("x"), 4, 7, do("claim")))
	}
	for range 20 {
		got := <-c.answers
		if got.Code != actors.Code_OK || string(got.Reply.Value) != "\x08\x01" {
			t.Errorf("got %v", got)
		}
	}
}

// TestLateAnswerIsDropped answers attempts that nobody waits for.
func TestLateAnswerIsDropped(t *testing.T) {
	p := &probe{entered: make(chan struct{}), release: make(chan struct{})}
	r := start(t, faulty.New(faulty.Options{}).Node("a:1"), p)
	got := make(chan int64, 1)
	go func() {
		m, err := r.Ask(context.Background(), address("x"), request(1), 3, do("block"))
		if err != nil {
			t.Errorf("ask: %v", err)
		}
		got <- total(m)
	}()
	<-p.entered
	right, other := request(1), request(2)
	asks := r.System().NewLocalPID(actors.Replies)
	current := r.Attempt()
	for _, a := range []*actors.RemoteAnswer{
		{Request: right[:], Step: 3, Attempt: current - 1, Code: actors.Code_FAILED},
		{Request: right[:], Step: 3, Attempt: current + 1, Code: actors.Code_FAILED},
		{Request: right[:], Step: 2, Attempt: current, Code: actors.Code_FAILED},
		{Request: other[:], Step: 3, Attempt: current, Code: actors.Code_FAILED},
		{Request: right[:3], Step: 3, Attempt: current, Code: actors.Code_FAILED},
	} {
		r.System().Root.Send(asks, a)
	}
	close(p.release)
	if n := <-got; n != 0 {
		t.Errorf("got %d, want the entity's own answer 0", n)
	}
}

func TestFramesAreChecked(t *testing.T) {
	batch := func(change func(*remote.MessageBatch)) *remote.RemoteMessage {
		b := &remote.MessageBatch{
			TypeNames: []string{"ssod.actors.RemoteCommand"},
			Targets:   []*actor.PID{{Id: "shard-1"}},
			Envelopes: []*remote.MessageEnvelope{{}},
		}
		change(b)
		return &remote.RemoteMessage{MessageType: &remote.RemoteMessage_MessageBatch{MessageBatch: b}}
	}
	tests := []struct {
		name  string
		frame *remote.RemoteMessage
		ok    bool
	}{
		{"good", batch(func(*remote.MessageBatch) {}), true},
		{"empty", &remote.RemoteMessage{}, true},
		{"type that stops actors", batch(func(b *remote.MessageBatch) { b.TypeNames[0] = "actor.Stop" }), false},
		{"type index", batch(func(b *remote.MessageBatch) { b.Envelopes[0].TypeId = 1 }), false},
		{"negative target", batch(func(b *remote.MessageBatch) { b.Envelopes[0].Target = -1 }), false},
		{"sender index", batch(func(b *remote.MessageBatch) { b.Envelopes[0].Sender = 1 }), false},
		{"serializer", batch(func(b *remote.MessageBatch) { b.Envelopes[0].SerializerId = 1 }), false},
		{"connection kind", &remote.RemoteMessage{MessageType: &remote.RemoteMessage_ConnectRequest{
			ConnectRequest: &remote.ConnectRequest{},
		}}, false},
	}
	for _, tt := range tests {
		if err := actors.CheckFrame(tt.frame); (err == nil) != tt.ok {
			t.Errorf("%s: got %v", tt.name, err)
		}
	}
}
