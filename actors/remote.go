package actors

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"ssod/cluster/stream"
)

// returnTime is how much longer an Ask looks for an owner that is connected but not
// reachable yet: it was restarted, and is dialed again within that time.
const returnTime = 3 * time.Second

// peers are the other nodes, as processes that the actor system resolves by address, as
// it does with protoactor's own remote.
type peers struct {
	runtime *Runtime
	up      func(address string) bool
	node    *stream.Node
	known   sync.Map // address -> *far
}

// listen starts the stream of actor messages.
func (r *Runtime) listen(c *Remote, self string) (err error) {
	p := &peers{runtime: r, up: c.Up}
	if p.up == nil {
		p.up = func(string) bool { return true }
	}
	p.node, err = stream.Open(stream.Config{
		Listen: c.Listen, Address: self, Papers: c.Papers, Log: r.log,
		Receive: r.receive, Ended: p.ended,
	})
	if err != nil {
		return err
	}
	r.peers, r.self = p, p.node.Address()
	r.system.ProcessRegistry.Address = r.self
	r.system.ProcessRegistry.RegisterAddressResolver(p.resolve)
	if r.metrics.registerer != nil {
		r.metrics.registerer.MustRegister(p.node)
	}
	return nil
}

// resolve implements [actor.AddressResolver].
func (p *peers) resolve(pid *actor.PID) (actor.Process, bool) {
	f, ok := p.known.Load(pid.Address)
	if !ok {
		f, _ = p.known.LoadOrStore(pid.Address, &far{p, pid.Address})
	}
	return f.(*far), true
}

// ended is called when a connection has ended. What waited for one that never stood was
// not sent: it had no effect.
func (p *peers) ended(l *stream.Link, up bool) {
	code := codeUnreachable
	if up {
		code = Code_UNKNOWN
	}
	p.runtime.replies.lost(l, code)
}

// stop closes every connection.
func (p *peers) stop() error {
	err := p.node.Close()
	if p.runtime.metrics.registerer != nil {
		p.runtime.metrics.registerer.Unregister(p.node)
	}
	return err
}

// returns reports whether an unreachable node is expected back: it was connected before.
func (r *Runtime) returns(address string) bool {
	return r.peers != nil && r.peers.up(address) && r.peers.node.Met(address)
}

// reaches reports whether it makes sense to send something to a node.
func (r *Runtime) reaches(address string) bool { return r.peers == nil || r.peers.up(address) }

// reachPace is how often Reach looks for the connection.
const reachPace = 10 * time.Millisecond

// Reach makes a connection to the node at an address, unless there is one, and returns
// when it stands.
func (r *Runtime) Reach(ctx context.Context, address string) error {
	if r.peers == nil || address == r.self {
		return nil
	}
	pace := time.NewTicker(reachPace)
	defer pace.Stop()
	for {
		l, err := r.peers.node.Link(address)
		if err == nil && l.Up() {
			return nil
		}
		select {
		case <-pace.C:
		case <-ctx.Done():
			return fmt.Errorf("connect to the actors at %s: %w", address, errors.Join(ctx.Err(), err))
		}
	}
}

// far are the shards of another node, as processes of this one.
type far struct {
	peers   *peers
	address string
}

var _ actor.Process = (*far)(nil)

// SendUserMessage sends a command there. An attempt that cannot be sent is ended.
func (f *far) SendUserMessage(_ *actor.PID, message any) {
	r := f.peers.runtime
	switch m := message.(type) {
	case *pending:
		if code := f.ask(m); code != Code_OK {
			r.replies.deliver(m.attempt, answer{code: code})
		}
	case *outgoing:
		f.tell(m)
	default:
		r.log.Error("message for another node is no command", "type", fmt.Sprintf("%T", m))
	}
}

// ask sends a command on a connection that stands. One still being made would carry it
// later, perhaps after the caller has given up, and then "no effect" would be a guess.
func (f *far) ask(p *pending) Code {
	l, err := f.peers.node.Link(f.address)
	if err != nil || !l.Up() {
		return codeUnreachable
	}
	f.peers.runtime.replies.bind(p, l)
	return f.send(l, stream.Command, &p.command, p.number)
}

// tell sends a command of Tell. Without a connection it looks for the owner as Ask does,
// which may have changed by then.
func (f *far) tell(m *outgoing) {
	code := codeUnreachable
	if l, err := f.peers.node.Link(f.address); err == nil && l.Up() {
		code = f.send(l, stream.Tell, m, 0)
	}
	if code == codeUnreachable {
		r := f.peers.runtime
		c := call{
			runtime: r, shard: r.shards[m.shard], target: m.target, request: m.request, step: m.step, command: m.message,
			deadline: time.UnixMilli(m.deadline), uncertain: m.repeated,
		}
		c.behind()
	}
}

func (f *far) send(l *stream.Link, k stream.Kind, m *outgoing, number uint32) Code {
	b := scratch.Get().(*[]byte)
	defer scratch.Put(b)
	var err error
	*b, err = m.append((*b)[:0], number)
	if err == nil {
		err = l.Send(k, *b)
	}
	switch {
	case err == nil:
		return Code_OK
	case errors.Is(err, stream.ErrDown):
		return codeUnreachable
	case errors.Is(err, stream.ErrFull):
		return Code_OVERLOADED
	}
	f.peers.runtime.log.Error("command cannot be sent", "kind", m.target.kind.Name, "trace", trace(m.request), "error", err)
	return Code_FAILED
}

// SendSystemMessage does nothing: nodes do not stop or watch each other's actors.
func (f *far) SendSystemMessage(*actor.PID, any) {}

// Stop does nothing, likewise.
func (f *far) Stop(*actor.PID) {}

// receive handles an envelope of another node.
func (r *Runtime) receive(l *stream.Link, k stream.Kind, payload []byte) error {
	switch k {
	case stream.Answer:
		return r.replies.receive(l, payload)
	case stream.Command, stream.Tell:
		var m incoming
		if err := m.decode(payload); err != nil {
			return err
		}
		t := m.turn(l, originOf(k))
		if m.shard == 0 || m.shard >= uint64(len(r.shards)) {
			r.respond(t, answer{code: Code_NOT_OWNER})
			return nil
		}
		r.shards[m.shard].receive(t, &m)
		return nil
	}
	return fmt.Errorf("%w: %d", stream.ErrKind, k)
}

// originOf is the origin of a command in an envelope of a kind.
func originOf(k stream.Kind) origin {
	if k == stream.Tell {
		return told
	}
	return asked
}

// answer sends the answer of a turn to the node that asked. Without room for it that
// node learns only that the effect is unknown.
func (r *Runtime) answer(t *Turn, ans answer) {
	b := scratch.Get().(*[]byte)
	defer scratch.Put(b)
	var err error
	if *b, err = appendAnswer((*b)[:0], t.number, ans); err != nil {
		r.log.Error("answer cannot be sent", "trace", trace(t.request), "error", err)
		*b, _ = appendAnswer((*b)[:0], t.number, answer{code: Code_FAILED}) // without a reply it can
	}
	if err = t.from.Send(stream.Answer, *b); errors.Is(err, stream.ErrFull) {
		*b, _ = appendAnswer((*b)[:0], t.number, answer{code: Code_UNKNOWN})
		_ = t.from.Send(stream.Answer, *b) // else the connection has ended, and the node asks again
	}
}

// gather sends the answers that f gives to other nodes together. f must not wait.
func (r *Runtime) gather(f func()) {
	if r.peers == nil {
		f()
		return
	}
	r.peers.node.Hold(f)
}
