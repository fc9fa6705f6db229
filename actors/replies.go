package actors

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/cluster"
	"ssod/cluster/stream"
)

// answer is how one attempt of a command ended.
type answer struct {
	code  Code
	reply proto.Message
	owner cluster.Owner // with NOT_OWNER, if known
	after time.Duration // with OVERLOADED: when to ask again, if known
}

// attempt identifies one sending of a command. Its number is unique among all Asks of a
// node, so an answer to an earlier attempt is dropped.
type attempt struct {
	request cluster.RequestID
	step    uint32
	number  uint32
}

// pending is an attempt whose answer is waited for.
type pending struct {
	attempt
	answer  chan answer
	address string // of the remote owner; "" for this node

	// Of an attempt on another node:
	command outgoing
	link    *stream.Link // that carries it; guarded by the lock of its part
	silent  time.Time    // until when it waits
}

// replies are the attempts of a node that wait for their answers. A protoactor future
// per request would cost a registration each, and its whole time-out when the peer dies.
type replies struct {
	parts  [64]repliesPart
	pool   sync.Pool
	abroad atomic.Int64  // attempts on other nodes
	first  chan struct{} // wakes watch; has room for one signal
}

type repliesPart struct {
	sync.Mutex
	waiting map[uint32]*pending
}

func newReplies() *replies {
	r := &replies{first: make(chan struct{}, 1)}
	r.pool.New = func() any { return &pending{answer: make(chan answer, 1)} }
	for i := range r.parts {
		r.parts[i].waiting = make(map[uint32]*pending)
	}
	return r
}

func (r *replies) part(number uint32) *repliesPart { return &r.parts[number%uint32(len(r.parts))] }

// expect registers an attempt before it is sent. The caller must receive the
// answer or forget the attempt, then release it.
func (r *replies) expect(a attempt) *pending {
	p := r.pool.Get().(*pending)
	p.attempt = a
	r.add(p)
	return p
}

func (r *replies) add(p *pending) {
	part := r.part(p.number)
	part.Lock()
	defer part.Unlock()
	part.waiting[p.number] = p
}

// expectAbroad is expect for an attempt on another node that waits for patience.
func (r *replies) expectAbroad(a attempt, address string, patience time.Duration) *pending {
	p := r.pool.Get().(*pending)
	p.attempt, p.address, p.silent = a, address, time.Now().Add(patience)
	r.add(p)
	if r.abroad.Add(1) == 1 {
		select {
		case r.first <- struct{}{}:
		default:
		}
	}
	return p
}

func (r *replies) release(p *pending) {
	if p.address != "" {
		r.abroad.Add(-1)
		p.address, p.command, p.link = "", outgoing{}, nil
	}
	r.pool.Put(p)
}

// forget gives an attempt up. When its answer came first, that is returned.
func (r *replies) forget(p *pending) (answer, bool) {
	if r.take(p.attempt) != nil {
		return answer{}, false
	}
	return <-p.answer, true // the goroutine that took it sends the answer
}

// take removes the attempt if it still waits.
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

// deliver hands an answer to the caller if it waits for that very attempt.
func (r *replies) deliver(a attempt, ans answer) {
	if p := r.take(a); p != nil {
		p.answer <- ans
	}
}

// receive takes the answer to an attempt that was made on the link; any other is dropped.
func (r *replies) receive(l *stream.Link, payload []byte) error {
	number, ans, err := decodeAnswer(payload)
	if err != nil {
		return err
	}
	part := r.part(number)
	part.Lock()
	p := part.waiting[number]
	if p != nil && p.link != l {
		p = nil
	}
	if p != nil {
		delete(part.waiting, number)
	}
	part.Unlock()
	if p != nil {
		p.answer <- ans
	}
	return nil
}

// bind notes the link that carries an attempt.
func (r *replies) bind(p *pending, l *stream.Link) {
	part := r.part(p.number)
	part.Lock()
	defer part.Unlock()
	p.link = l
}

// lost ends the attempts on a link that has ended.
func (r *replies) lost(l *stream.Link, code Code) {
	r.end(code, func(p *pending) bool { return p.link == l })
}

// silent ends the attempts on other nodes that have waited long enough, or whose node is
// no longer connected.
func (r *replies) silent(now time.Time, reaches func(address string) bool) {
	known := map[string]bool{}
	r.end(codeSilent, func(p *pending) bool {
		if p.address == "" {
			return false
		}
		up, ok := known[p.address]
		if !ok {
			up = reaches(p.address)
			known[p.address] = up
		}
		return !up || now.After(p.silent)
	})
}

// end ends the attempts that match.
func (r *replies) end(code Code, match func(*pending) bool) {
	for i := range r.parts {
		part := &r.parts[i]
		part.Lock()
		for number, p := range part.waiting {
			if match(p) {
				delete(part.waiting, number)
				p.answer <- answer{code: code}
			}
		}
		part.Unlock()
	}
}

// watch ends silent attempts on other nodes: one ticker for all of them, which stands
// still while there are none.
func (r *replies) watch(ctx context.Context, reaches func(address string) bool) {
	t := time.NewTicker(glance)
	defer t.Stop()
	for {
		if r.abroad.Load() == 0 {
			t.Stop()
			select {
			case <-r.first:
			case <-ctx.Done():
				return
			}
			t.Reset(glance)
		}
		select {
		case now := <-t.C:
			r.silent(now, reaches)
		case <-ctx.Done():
			return
		}
	}
}
