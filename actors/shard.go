package actors

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"

	"ssod/cluster"
)

// maxDeadline is how far ahead a command's deadline may be. An outcome is kept for much
// longer, so a late command is never carried out twice.
const maxDeadline = 10 * time.Second

// maxSkew is how far the clocks of two nodes may be apart.
const maxSkew = 2 * time.Second

// shard admits the commands for the entities of one shard, of every node, and forwards
// them. It neither waits nor touches the disk, so it runs in the goroutine that brings a
// command and has no mailbox. Other nodes see it as the process "shard-N".
type shard struct {
	runtime *Runtime
	id      cluster.ShardID
	name    string
	served  atomic.Uint64 // commands for its entities, repeats included

	abroad  atomic.Pointer[actor.PID]  // the shard on another node, as this one sent to it last
	led     atomic.Pointer[leadership] // nil: this node does not lead, as far as it knows
	mu      sync.Mutex                 // taken to change led
	changed atomic.Pointer[chan struct{}]
}

func newShard(r *Runtime, id cluster.ShardID) *shard {
	s := &shard{runtime: r, id: id, name: fmt.Sprintf("shard-%d", id)}
	s.changed.Store(new(make(chan struct{})))
	return s
}

// target is an entity's name, encoded and hashed once.
type target struct {
	kind     *kind
	identity string
	hash     uint64
}

func (p target) entity() cluster.Entity {
	return cluster.Entity{Kind: p.kind.Name, Identity: p.identity}
}

// moved returns a channel that is closed when the shard's owner changes.
func (s *shard) moved() <-chan struct{} { return *s.changed.Load() }

func (s *shard) wake() { close(*s.changed.Swap(new(make(chan struct{})))) }

// lead returns the node's leadership of the shard, nil if it does not lead.
func (s *shard) lead() *leadership {
	if l := s.led.Load(); l != nil && !l.over() {
		return l
	}
	return s.acquire()
}

func (s *shard) acquire() *leadership {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropLostLocked()
	if l := s.led.Load(); l != nil {
		return l
	}
	if s.runtime.ctx.Err() != nil {
		return nil
	}
	handle, ok := s.runtime.view.Lead(s.id)
	if !ok {
		return nil
	}
	l := newLeadership(s, handle)
	s.led.Store(l)
	return l
}

// dropLost closes a leadership that is over.
func (s *shard) dropLost() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropLostLocked()
}

func (s *shard) dropLostLocked() {
	if l := s.led.Load(); l != nil && l.over() {
		s.led.Store(nil)
		l.close()
	}
}

// close ends the leadership for good; the runtime's context is over by then.
func (s *shard) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.led.Swap(nil); l != nil {
		l.close()
	}
}

// deliver hands a turn to its entity, or answers it.
func (s *shard) deliver(t *Turn, p target) {
	l := s.lead()
	if l == nil || l.handle.Term() < t.term {
		s.end(t, p, s.answer(Code_NOT_OWNER))
		return
	}
	s.served.Add(1)
	if t.size == 0 {
		t.size = ownSize + int32(proto.Size(t.command))
	}
	if flow := p.kind.flow(t.command); flow != nil {
		s.flow(t, p, flow)
		return
	}
	if ans := l.admit(t, p); ans.code != Code_OK {
		s.end(t, p, ans)
		return
	}
	p.kind.metrics.message(t.command)
	l.forward(t)
}

// end ends a turn with an answer. A command of Tell that an Ask would send again is sent
// to the owner, because its sender does not learn of the failure; once, because it is an
// Ask then.
func (s *shard) end(t *Turn, p target, ans answer) {
	if t.tells() && ans.code.passes() {
		c := call{
			runtime: s.runtime, shard: s, target: p, request: t.request, step: t.step, command: t.command,
			deadline: time.UnixMilli(t.deadline), uncertain: t.state.past != first || !harmless(ans.code),
		}
		c.behind()
		return
	}
	s.runtime.respond(t, ans)
}

// answerTo is answer for an error that may say when to ask again.
func (s *shard) answerTo(err error, code Code) answer {
	ans := s.answer(code)
	if e, ok := errors.AsType[*OverloadedError](err); ok && code == Code_OVERLOADED {
		ans.after = e.RetryAfter
	}
	return ans
}

// answer is an answer without a reply; NOT_OWNER says who owns the shard.
func (s *shard) answer(code Code) answer {
	ans := answer{code: code}
	if code == Code_NOT_OWNER {
		ans.owner, _ = s.runtime.view.Owner(s.id)
	}
	return ans
}

// receive takes a command of another node.
func (s *shard) receive(t *Turn, m *incoming) {
	p, code := s.check(t, m)
	if code != Code_OK {
		s.runtime.respond(t, s.answer(code))
		return
	}
	s.deliver(t, p)
}

// check decodes a command from another node and refuses what does not belong here. A
// stopping node accepts Tells, which are not sent again.
func (s *shard) check(t *Turn, m *incoming) (target, Code) {
	k := s.runtime.kinds[string(m.kind)]
	if k == nil || s.runtime.stopping.Load() && !t.tells() {
		return target{}, Code_NOT_OWNER
	}
	now := time.Now()
	if t.late(now) || t.deadline > now.Add(maxDeadline+maxSkew).UnixMilli() {
		return target{}, Code_EXPIRED
	}
	p := target{kind: k, identity: string(m.identity)}
	p.hash = p.entity().Hash()
	switch s.runtime.home(p) {
	case s:
	case nil:
		return target{}, Code_NOT_OWNER
	default:
		return target{}, Code_UNAVAILABLE
	}
	var err error
	if t.command, err = decodeMessage(m.name, m.value); err != nil {
		return target{}, Code_FAILED
	}
	return p, Code_OK
}

// pid is the shard on the node at an address.
func (s *shard) pid(address string) *actor.PID {
	if pid := s.abroad.Load(); pid != nil && pid.Address == address {
		return pid
	}
	pid := actor.NewPID(address, s.name)
	s.abroad.Store(pid)
	return pid
}
