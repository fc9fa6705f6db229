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

// maxDeadline is how far ahead a command's deadline may be. An outcome is kept
// for much longer, so a command that arrives late can never be carried out
// twice.
const maxDeadline = 10 * time.Second

// maxSkew is how far the clocks of two nodes may be apart.
const maxSkew = 2 * time.Second

// shard is the door to the entities of one shard, which commands of every node
// arrive at. It admits commands and forwards them; it neither waits nor touches
// the disk, so it runs in the goroutine of whoever brings a command and has no
// mailbox of its own. Another node sees it as the process "shard-N".
type shard struct {
	runtime *Runtime
	id      cluster.ShardID
	name    string
	served  atomic.Uint64 // commands for its entities, repeats included

	abroad  atomic.Pointer[actor.PID] // the shard on another node, as this one sent to it last
	leased  atomic.Pointer[lease]     // nil: this node does not lead, as far as it knows
	mu      sync.Mutex                // taken to change leased
	changed atomic.Pointer[chan struct{}]
}

func newShard(r *Runtime, id cluster.ShardID) *shard {
	s := &shard{runtime: r, id: id, name: fmt.Sprintf("shard-%d", id)}
	s.changed.Store(new(make(chan struct{})))
	return s
}

// place is an entity's name as the runtime passes it on: encoded and hashed
// once.
type place struct {
	kind     *kind
	identity string
	hash     uint64
}

func (p place) entity() cluster.Entity {
	return cluster.Entity{Kind: p.kind.Name, Identity: p.identity}
}

// moved returns a channel that is closed when the shard's owner changes.
func (s *shard) moved() <-chan struct{} { return *s.changed.Load() }

func (s *shard) wake() { close(*s.changed.Swap(new(make(chan struct{})))) }

// lease returns the node's lease on the shard, taking one if it leads.
func (s *shard) lease() *lease {
	if l := s.leased.Load(); l != nil && !l.over() {
		return l
	}
	return s.acquire()
}

func (s *shard) acquire() *lease {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropLostLocked()
	if l := s.leased.Load(); l != nil {
		return l
	}
	if s.runtime.ctx.Err() != nil {
		return nil
	}
	handle, ok := s.runtime.view.Lead(s.id)
	if !ok {
		return nil
	}
	l := newLease(s, handle)
	s.leased.Store(l)
	return l
}

// dropLost lets the entities of a lease go when the lease is over.
func (s *shard) dropLost() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropLostLocked()
}

func (s *shard) dropLostLocked() {
	if l := s.leased.Load(); l != nil && l.over() {
		s.leased.Store(nil)
		l.close()
	}
}

// close ends the lease for good; the runtime's context is over by then.
func (s *shard) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.leased.Swap(nil); l != nil {
		l.close()
	}
}

// deliver hands a turn to its entity. When it cannot, the turn is answered.
func (s *shard) deliver(t *Turn, p place) {
	l := s.lease()
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

// end ends a turn with an answer. A command that was told and that an Ask would send
// again is asked of whoever owns the shard: nobody else knows that it was not taken.
// That is done once, because it is not told any more then.
func (s *shard) end(t *Turn, p place, ans answer) {
	if t.tells() && ans.code.passes() {
		c := call{
			runtime: s.runtime, shard: s, place: p, request: t.request, step: t.step, command: t.command,
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

// check decodes a command from another node and refuses what does not belong
// here. A node that stops takes what it is told: nobody sends that again.
func (s *shard) check(t *Turn, m *incoming) (place, Code) {
	k := s.runtime.kinds[string(m.kind)]
	if k == nil || s.runtime.stopping.Load() && !t.tells() {
		return place{}, Code_NOT_OWNER
	}
	now := time.Now()
	if t.late(now) || t.deadline > now.Add(maxDeadline+maxSkew).UnixMilli() {
		return place{}, Code_EXPIRED
	}
	p := place{kind: k, identity: string(m.identity)}
	p.hash = p.entity().Hash()
	switch s.runtime.home(p) {
	case s:
	case nil:
		return place{}, Code_NOT_OWNER
	default:
		return place{}, Code_UNAVAILABLE
	}
	var err error
	if t.command, err = decodeMessage(m.name, m.value); err != nil {
		return place{}, Code_FAILED
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
