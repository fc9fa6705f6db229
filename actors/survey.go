package actors

import (
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/cluster"
)

// surveyStep is how many heads a survey looks at before it pauses.
const surveyStep = 1000

// survey goes once through the stored entities of every shard that this node
// begins to lead, and wakes those with unfinished work: what an earlier owner
// had in memory is forgotten, and the walker comes by too seldom. From then on
// unfinished work is in memory, where its entity gets a Tick until it is done.
func (r *Runtime) survey() {
	var kinds []*kind
	for _, k := range r.kinds {
		if k.Unfinished != nil {
			kinds = append(kinds, k)
		}
	}
	pace := time.NewTicker(r.limits.Tick)
	defer pace.Stop()
	for len(kinds) > 0 {
		select {
		case <-pace.C:
		case <-r.ctx.Done():
			return
		}
		for _, s := range r.shards[1:] {
			if l := s.lease(); l != nil && !l.surveyed {
				l.surveyed = r.surveyed(l, kinds)
			}
		}
	}
}

// surveyed goes through the shard of a lease; false when it did not reach the
// end.
func (r *Runtime) surveyed(l *lease, kinds []*kind) bool {
	for _, k := range kinds {
		for after, more := "", true; more; {
			var err error
			if after, more, err = r.surveyOn(l, k, after); err != nil {
				r.log.Warn("survey", "kind", k.Name, "shard", l.shard.id, "error", err)
				return false
			}
			if l.over() || !r.rest(surveyStep*time.Second/time.Duration(r.limits.SurveyRate)) {
				return false
			}
		}
	}
	return true
}

// surveyOn looks at the next heads of a kind.
func (r *Runtime) surveyOn(l *lease, k *kind, after string) (last string, more bool, err error) {
	seen := 0
	var commands []found
	err = l.handle.Entities(k.Name, after, func(identity string, h cluster.Head) bool {
		seen++
		last = identity
		if c := r.look(k, func() proto.Message { return k.Unfinished(h) }); c != nil {
			commands = append(commands, found{identity, c})
		}
		return seen < surveyStep
	})
	for _, f := range commands {
		r.sendFound(k, f)
	}
	return last, seen == surveyStep, err
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
