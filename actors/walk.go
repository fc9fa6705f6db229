package actors

import (
	"crypto/rand"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/cluster"
)

// maxHeads bounds the heads that a walk reads at once: 500 are a millisecond or two, in
// which others wait.
const maxHeads = 500

// walk sweeps the stored entities on the shards this node leads, again and again, until
// the runtime ends. A round takes at least Limits.SweepRound, shared among the shards:
// what the sweep finds is not urgent, and an idle node should stay idle.
func (r *Runtime) walk() {
	kinds := r.kindsWith(func(k *kind) bool { return k.Sweep != nil })
	if len(kinds) == 0 {
		return
	}
	share := r.limits.SweepRound / time.Duration(len(r.shards)-1)
	for {
		for _, s := range r.shards[1:] {
			until := time.Now().Add(share)
			if l := s.lead(); l != nil {
				r.walkThrough(l, kinds, rates{r.limits.SweepRate, r.limits.SweepRate}, func(k *kind, h cluster.Head) proto.Message {
					return k.Sweep(h, timesOf(l.handle))
				})
			}
			if !r.rest(time.Until(until)) {
				return
			}
		}
	}
}

// kindsWith returns the kinds that a walk is for.
func (r *Runtime) kindsWith(has func(*kind) bool) (kinds []*kind) {
	for _, k := range r.kinds {
		if has(k) {
			kinds = append(kinds, k)
		}
	}
	return kinds
}

// rates are the heads per second that a walk reads: most while the machine is idle,
// least while it is busy.
type rates struct{ least, most int }

// walkThrough looks at all stored entities of some kinds on a shard and sends the
// commands that look returns. It yields to requests, and reports whether it reached the
// end.
func (r *Runtime) walkThrough(l *leadership, kinds []*kind, at rates, look func(*kind, cluster.Head) proto.Message) bool {
	heads := min(maxHeads, max(1, at.most/20)) // no more than 20 times a second
	p := cluster.BeginPace()
	for _, k := range kinds {
		for after, more := "", true; more; {
			seen, last, err := r.walkOn(l, k, after, heads, look)
			if err != nil {
				r.log.Warn("walk through stored entities", "kind", k.Name, "shard", l.shard.id, "error", err)
				return false
			}
			after, more = last, seen == heads
			second := time.Duration(seen) * time.Second
			if seen > 0 && !p.Rest(r.ctx.Done(), second/time.Duration(at.most), second/time.Duration(at.least)) || l.over() {
				return false
			}
		}
	}
	return true
}

// found is a command that a kind has for a stored entity.
type found struct {
	identity string
	command  proto.Message
}

// walkOn looks at the next heads of a kind after an identity.
func (r *Runtime) walkOn(l *leadership, k *kind, after string, heads int, look func(*kind, cluster.Head) proto.Message) (seen int, last string, err error) {
	var commands []found
	err = l.handle.Entities(k.Name, after, func(identity string, h cluster.Head) bool {
		seen++
		last = identity
		if c := r.lookAt(k, h, look); c != nil {
			commands = append(commands, found{identity, c})
		}
		return seen < heads
	})
	for _, f := range commands {
		r.sendFound(k, f)
	}
	return seen, last, err
}

// lookAt calls look for one head and survives its panic.
func (r *Runtime) lookAt(k *kind, h cluster.Head, look func(*kind, cluster.Head) proto.Message) (command proto.Message) {
	defer func() {
		if cause := recover(); cause != nil {
			r.log.Error("looking at a stored entity panicked", "kind", k.Name)
		}
	}()
	return look(k, h)
}

func (r *Runtime) sendFound(k *kind, f found) {
	id, err := DecodeIdentity(f.identity)
	if err != nil {
		r.log.Warn("walk through stored entities", "kind", k.Name, "error", err)
		return
	}
	var request cluster.RequestID
	_, _ = rand.Read(request[:]) // never fails
	r.Tell(Address{Kind: k.Name, Identity: id}, request, 0, f.command)
}

// rest waits; false when the runtime ends.
func (r *Runtime) rest(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.ctx.Done():
		return false
	}
}
