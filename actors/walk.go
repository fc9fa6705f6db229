package actors

import (
	"crypto/rand"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/cluster"
)

// maxStep bounds for how long the walker saves up work: 1,000 heads in one go
// are several milliseconds in which others wait.
const maxStep = 50 * time.Millisecond

// leastRound is how long a round takes at least: a place costs an iterator, also
// when nothing is stored there, and promises are at least two seconds old.
const leastRound = 5 * time.Second

// walker goes round all stored entities of the kinds that want it, on the
// shards this node leads, a bounded number per step.
type walker struct {
	runtime *Runtime
	kinds   []*kind
	shard   int    // index of the shard it is at; 1..Count
	kind    int    // index of the kind
	after   string // the identity it saw last
}

// walk runs the walker until the runtime ends.
func (r *Runtime) walk() {
	w := walker{runtime: r, shard: 1}
	for _, k := range r.kinds {
		if k.Sweep != nil {
			w.kinds = append(w.kinds, k)
		}
	}
	if len(w.kinds) == 0 {
		return
	}
	step := min(r.limits.Tick, maxStep)
	heads := max(1, int(step.Seconds()*float64(r.limits.SweepRate)))
	places := placesIn(step, len(w.kinds)*(len(r.shards)-1))
	pace := time.NewTicker(step)
	defer pace.Stop()
	for {
		select {
		case <-pace.C:
			w.walk(heads, places)
		case <-r.ctx.Done():
			return
		}
	}
}

// placesIn is how many of all places a step may visit, so that a round does not
// end too early.
func placesIn(step time.Duration, all int) int {
	return max(1, int(int64(all)*int64(step)/int64(leastRound)))
}

// walk looks at up to budget heads at some places.
func (w *walker) walk(budget, places int) {
	for range places {
		budget -= w.visit(budget)
		if budget <= 0 {
			return
		}
	}
}

// found is a command that a kind wants to be sent to a stored entity.
type found struct {
	identity string
	command  proto.Message
}

// visit looks at up to budget heads of one kind on one shard, sends the
// commands that Sweep returns, and moves on to the next place at the end.
func (w *walker) visit(budget int) (seen int) {
	k, s := w.kinds[w.kind], w.runtime.shards[w.shard]
	l := s.lease()
	if l == nil {
		w.advance()
		return 0
	}
	var commands []found
	now := l.handle.Now()
	err := l.handle.Entities(k.Name, w.after, func(identity string, h cluster.Head) bool {
		seen++
		w.after = identity
		if c := w.runtime.look(k, func() proto.Message { return k.Sweep(h, now) }); c != nil {
			commands = append(commands, found{identity, c})
		}
		return seen < budget
	})
	if err != nil {
		w.runtime.log.Warn("sweep", "kind", k.Name, "shard", s.id, "error", err)
	}
	if err != nil || seen < budget {
		w.advance()
	}
	for _, f := range commands {
		w.runtime.sendFound(k, f)
	}
	return seen
}

// advance moves to the next kind, then to the next shard.
func (w *walker) advance() {
	w.after = ""
	w.kind++
	if w.kind == len(w.kinds) {
		w.kind = 0
		w.shard++
	}
	if w.shard == len(w.runtime.shards) {
		w.shard = 1
	}
}

// look asks the kind about one head; a panic of its code costs that head only.
func (r *Runtime) look(k *kind, at func() proto.Message) (command proto.Message) {
	defer func() {
		if cause := recover(); cause != nil {
			r.log.Error("sweep panicked", "kind", k.Name)
		}
	}()
	return at()
}

func (r *Runtime) sendFound(k *kind, f found) {
	id, err := DecodeIdentity(f.identity)
	if err != nil {
		r.log.Warn("sweep", "kind", k.Name, "error", err)
		return
	}
	var request cluster.RequestID
	_, _ = rand.Read(request[:]) // never fails
	r.Tell(Address{Kind: k.Name, Identity: id}, request, 0, f.command)
}
