package actors

import (
	"sync"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"

	"ssod/cluster"
)

// repliesID is the name of the process that receives a node's answers.
const repliesID = "asks"

// answer is how one attempt of a command ended.
type answer struct {
	code  Code
	reply proto.Message
	owner cluster.Owner // with NOT_OWNER, if known
}

// attempt identifies one sending of a command. Its number is unique among all
// Asks of a node, so an answer to an earlier attempt finds nobody waiting.
type attempt struct {
	request cluster.RequestID
	step    uint32
	number  uint32
}

// pending is an attempt that somebody waits for.
type pending struct {
	attempt
	address string // of the remote owner; "" for this node
	answer  chan answer
}

// replies is the one process that receives all answers of a node. A future per
// request would cost a registration each, and would wait out its whole time-out
// when the peer dies.
type replies struct {
	parts [64]repliesPart
	pool  sync.Pool
}

type repliesPart struct {
	sync.Mutex
	waiting map[uint32]*pending
}

var _ actor.Process = (*replies)(nil)

func newReplies() *replies {
	r := &replies{}
	r.pool.New = func() any { return &pending{answer: make(chan answer, 1)} }
	for i := range r.parts {
		r.parts[i].waiting = make(map[uint32]*pending)
	}
	return r
}

func (r *replies) part(number uint32) *repliesPart { return &r.parts[number%uint32(len(r.parts))] }

// expect registers an attempt before it is sent. The caller must receive the
// answer or forget the attempt, then release it.
func (r *replies) expect(a attempt, address string) *pending {
	p := r.pool.Get().(*pending)
	p.attempt, p.address = a, address
	part := r.part(a.number)
	part.Lock()
	part.waiting[a.number] = p
	part.Unlock()
	return p
}

func (r *replies) release(p *pending) { r.pool.Put(p) }

// forget gives an attempt up. When its answer came first, that is returned.
func (r *replies) forget(p *pending) (answer, bool) {
	if r.take(p.attempt) != nil {
		return answer{}, false
	}
	return <-p.answer, true // whoever took it answers
}

// take removes the attempt if it is still waited for.
func (r *replies) take(a attempt) *pending {
	part := r.part(a.number)
	part.Lock()
	defer part.Unlock()
	p := part.waiting[a.number]
	if p == nil || p.attempt != a {
		return nil
	}
	delete(part.waiting, a.number)
	return p
}

// deliver hands an answer to whoever waits for that very attempt.
func (r *replies) deliver(a attempt, ans answer) {
	if p := r.take(a); p != nil {
		p.answer <- ans
	}
}

// SendUserMessage receives the answers of other nodes.
func (r *replies) SendUserMessage(pid *actor.PID, message any) {
	switch m := actor.UnwrapEnvelopeMessage(message).(type) {
	case *RemoteAnswer:
		r.remote(m)
	case *actor.DeadLetterResponse: // the command reached no shard
		r.undelivered(pid.GetRequestId())
	}
}

// SendSystemMessage does nothing: nobody watches or stops the process.
func (r *replies) SendSystemMessage(*actor.PID, any) {}

// Stop does nothing: the process lives as long as the node.
func (r *replies) Stop(*actor.PID) {}

func (r *replies) remote(m *RemoteAnswer) {
	if len(m.GetRequest()) != len(cluster.RequestID{}) {
		return
	}
	ans := answer{code: m.GetCode(), owner: cluster.Owner{Address: m.GetOwner(), Term: m.GetOwnerTerm()}}
	if ans.code == Code_OK {
		reply, err := unpack(m.GetReply())
		if err != nil {
			ans.code = Code_FAILED
		}
		ans.reply = reply
	}
	r.deliver(attempt{cluster.RequestID(m.GetRequest()), m.GetStep(), m.GetAttempt()}, ans)
}

func (r *replies) undelivered(number uint32) {
	part := r.part(number)
	part.Lock()
	p := part.waiting[number]
	delete(part.waiting, number)
	part.Unlock()
	if p != nil {
		p.answer <- answer{code: Code_NOT_OWNER}
	}
}

// unreachable ends the attempts that are in flight to an address with code.
func (r *replies) unreachable(address string, code Code) {
	for i := range r.parts {
		part := &r.parts[i]
		part.Lock()
		for number, p := range part.waiting {
			if p.address == address {
				delete(part.waiting, number)
				p.answer <- answer{code: code}
			}
		}
		part.Unlock()
	}
}
