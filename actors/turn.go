package actors

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/cluster"
	"ssod/cluster/stream"
)

// maxDeliveries bounds how often a command is delivered again to an entity
// that was loaded afresh.
const maxDeliveries = 16

// Turn is one command being handled by an entity. It is used only inside the
// entity's turns (Receive, Tick and the functions passed to Begin).
//
// A turn is delivered once. A command that is delivered again, to an entity loaded
// afresh or after a barrier, is another Turn, and calls on the old one have no effect.
type Turn struct {
	attempt
	origin   origin
	state    state
	command  proto.Message   // nil: a turn of the runtime's own
	deadline int64           // Unix milliseconds
	term     uint64          // of the owner the sender believes in; 0: unknown
	voucher  cluster.Voucher // of the node that asked; may be none
	from     *stream.Link    // to the node that asked; nil: this one
	entity   *activation
	caller   context.Context // of the goroutine that runs the turn itself; nil: a worker does

	size   int32 // approximate memory in bytes
	depth  int32 // commands in flight with it for the entity,
	crowd  int32 // and for the node
	queued int64 // when it was admitted, by the runtime's clock; 0 unless its wait is measured

	deliveries uint8
	refused    Code // why the fence is broken
	looked     bool // its outcome was looked up in this delivery: there is none
	borrowed   bool // runs in a goroutine that must not wait

	next, prev *Turn // in the entity's list of open turns
}

// origin is where a turn comes from.
type origin uint8

const (
	asked    origin = iota // an Ask, which waits for the answer
	told                   // a Tell
	owed                   // a Tell of a flow that was admitted
	own                    // the runtime, without a command
	retiring               // likewise: a Tick after which the entity may be passivated
)

// Command is the command; nil in Tick.
func (t *Turn) Command() proto.Message { return t.command }

// Request and Step identify the request for outcomes.
func (t *Turn) Request() cluster.RequestID { return t.request }

// Step numbers this ask among those of the same request.
func (t *Turn) Step() uint32 { return t.step }

// Now is the time that decisions use.
func (t *Turn) Now() time.Time { return t.entity.lead.handle.Now() }

// Fenced reports whether a read barrier began after the command arrived and has passed,
// or a voucher counted for one, so that an answer from memory is not stale.
func (t *Turn) Fenced() bool { return t.state.fence == passed }

// Retiring reports, in Tick, that the entity will be passivated if it is idle.
func (t *Turn) Retiring() bool { return t.origin == retiring }

// Fence delivers the command again after a read barrier. The turn ends.
func (t *Turn) Fence() {
	switch {
	case t.over():
	case t.command == nil:
		t.close() // a Tick comes again
	case t.Fenced():
		t.entity.fault(t, "fence of a fenced turn")
	default:
		next := t.again(false)
		next.state.want()
		next.entity.lead.forward(next)
	}
}

// Reply answers the command. Later calls do nothing.
func (t *Turn) Reply(m proto.Message) { t.finish(answer{code: Code_OK, reply: m}) }

// Fail answers with an error of this package or of package cluster.
func (t *Turn) Fail(err error) {
	code := codeOf(err)
	if code == Code_FAILED && !t.over() {
		t.entity.report(t, "entity failed a command", "error", err)
	}
	t.finish(t.entity.lead.shard.answerTo(err, code))
}

// Defer keeps the turn open after Receive returns: Reply, Change, Fail or Fence
// is called in a later turn of the same entity. When the entity is loaded
// afresh, its open turns are delivered again.
func (t *Turn) Defer() {
	if t.state.leave() {
		t.entity.opened(t)
	}
}

// Repeat answers a command that was carried out before, with its first answer, and
// reports whether the turn is over: answered, or failed because the store could not be
// read. Change does that itself; an entity that batches with Begin calls Repeat before
// it decides, unless its own state has the answer.
func (t *Turn) Repeat() (over bool) { return t.over() || t.entity.repeat(t) }

// Outcome is reply as the outcome of this turn's request and step, for the
// commits of Begin. The reply must be one that can be marshalled.
func (t *Turn) Outcome(reply proto.Message) cluster.Outcome {
	result, err := encodeReply(reply)
	if err != nil {
		panic(err) // the runtime answers ErrInternal and loads the entity afresh
	}
	return cluster.Outcome{Request: t.request, Step: t.step, Result: result}
}

func (t *Turn) recorded() (proto.Message, bool, error) {
	if t.command == nil || t.looked {
		return nil, false, nil
	}
	a := t.entity
	result, ok, err := a.lead.handle.Outcome(a.target.entity(), t.request, t.step)
	if err != nil || !ok {
		t.looked = err == nil
		return nil, false, err
	}
	reply, err := decodeReply(result)
	return reply, err == nil, err
}

// barred notes how the turn's barrier ended.
func (t *Turn) barred(code Code) {
	t.state.settle(code == Code_OK)
	t.refused = code
}

// tells reports whether the command is one of Tell, whose answer is not waited for.
func (t *Turn) tells() bool { return t.origin == told || t.origin == owed }

// sampled reports whether the command's wait is measured in any case.
func (t *Turn) sampled() bool { return t.number%mailboxSample == 0 }

// late reports whether the deadline has passed.
func (t *Turn) late(now time.Time) bool { return now.UnixMilli() >= t.deadline }

// finish answers the turn's command, once.
func (t *Turn) finish(ans answer) {
	if t.over() {
		return
	}
	t.close()
	if t.command == nil {
		return
	}
	if t.state.past == doubtful && harmless(ans.code) {
		ans = answer{code: Code_UNKNOWN}
	}
	t.entity.answered(t)
	t.entity.lead.shard.end(t, t.entity.target, ans)
}

// again ends the turn without an answer and returns its successor, for the same admitted
// command. effect says that the command may have had one.
func (t *Turn) again(effect bool) *Turn {
	t.close()
	next := *t
	next.state, next.looked, next.borrowed = t.state.again(effect), false, false
	next.next, next.prev, next.caller = nil, nil, nil
	next.deliveries++
	return &next
}

func (t *Turn) close() {
	if t.state.end() {
		t.entity.shut(t)
	}
}

// over reports whether the turn was answered or replaced.
func (t *Turn) over() bool { return t.state.stage == ended }
