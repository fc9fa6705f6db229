package actors

import (
	"encoding/binary"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/cluster"
)

// Active is the number of entities in memory.
func (r *Runtime) Active() int { return int(r.active.Load()) }

// Bytes is about what they take.
func (r *Runtime) Bytes() int64 { return r.bytes.Load() }

// Sweep ticks every entity and passivates the idle ones, as if the idle time
// had passed.
func (r *Runtime) Sweep() {
	r.ticks.Add(r.idleTicks())
	r.sweepAll()
}

// InFlight is the number of commands admitted and not answered.
func (r *Runtime) InFlight() int { return int(r.queue.depth.Load()) }

// Admitted is the number of commands that entities have in flight.
func (r *Runtime) Admitted() (n int) {
	for _, s := range r.shards {
		if l := s.led.Load(); l != nil {
			n += l.admitted()
		}
	}
	return n
}

func (l *leadership) admitted() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.entities {
		for ; a != nil; a = a.next {
			n += int(a.queue.depth.Load())
		}
	}
	return n
}

// OwnSize is what a command counts for beside its message; EntityShare is the part
// of the node's bytes that one entity may have.
const (
	OwnSize     = ownSize
	EntityShare = entityShare
)

// Age lets one tick pass without a sweep.
func (r *Runtime) Age() { r.ticks.Add(1) }

// Press sweeps as under memory pressure.
func (r *Runtime) Press() { r.makeRoom() }

// Waiting is the number of Asks that wait.
func (r *Runtime) Waiting() int { return int(r.asks.Load()) }

// Pending is the number of attempts in flight to another node.
func (r *Runtime) Pending(address string) (n int) {
	for i := range r.replies.parts {
		part := &r.replies.parts[i]
		part.Lock()
		for _, p := range part.waiting {
			if p.address == address {
				n++
			}
		}
		part.Unlock()
	}
	return n
}

// Attempt is the number of the last attempt.
func (r *Runtime) Attempt() uint32 { return r.attempts.Load() }

// Workers is the number of goroutines that run entities, busy or not.
func (r *Runtime) Workers() int { return int(r.dispatcher.live.Load()) }

// Fencing is the number of turns that wait for a barrier to begin.
func (r *Runtime) Fencing() (n int) {
	for _, s := range r.shards {
		if l := s.led.Load(); l != nil {
			l.barrier.mu.Lock()
			n += len(l.barrier.waiting)
			l.barrier.mu.Unlock()
		}
	}
	return n
}

// Sent is a command as another node sends it.
type Sent struct {
	Flags          byte
	Shard, Term    uint64
	Voucher        cluster.Voucher
	Request        []byte
	Step, Attempt  uint32
	DeadlineMs     int64
	Kind, Identity string
	Type           string
	Value          []byte
}

// Encode is the payload of its envelope.
func (s Sent) Encode() []byte {
	b := binary.AppendUvarint([]byte{s.Flags}, s.Shard)
	b = binary.AppendUvarint(b, s.Term)
	if s.Flags&flagVouched != 0 {
		b = binary.AppendUvarint(binary.AppendUvarint(b, s.Voucher.Term), s.Voucher.Replica)
	}
	b = append(b, s.Request...)
	for _, n := range []uint64{uint64(s.Step), uint64(s.Attempt), uint64(s.DeadlineMs)} {
		b = binary.AppendUvarint(b, n)
	}
	return append(appendString(appendString(appendString(b, s.Kind), s.Identity), s.Type), s.Value...)
}

// Decode reads a command as a shard does, and encodes it again.
func (s *Sent) Decode(payload []byte) error {
	var m incoming
	err := m.decode(payload)
	*s = Sent{
		m.flags, m.shard, m.term, m.voucher, m.request[:], uint32(m.step), uint32(m.number), int64(m.deadline),
		string(m.kind), string(m.identity), string(m.name), m.value,
	}
	return err
}

// Got is an answer as it came from another node.
type Got struct {
	Attempt uint32
	Code    Code
	Reply   proto.Message
	Owner   cluster.Owner
	After   time.Duration
}

// DecodeAnswer reads the payload of its envelope.
func DecodeAnswer(payload []byte) (Got, error) {
	number, ans, err := decodeAnswer(payload)
	return Got{number, ans.code, ans.reply, ans.owner, ans.after}, err
}

// EncodeAnswer is the inverse.
func EncodeAnswer(g Got) ([]byte, error) {
	return appendAnswer(nil, g.Attempt, answer{g.Code, g.Reply, g.Owner, g.After})
}
