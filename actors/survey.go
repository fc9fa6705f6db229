package actors

import (
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/cluster"
)

// slower is by how much the survey slows down for requests.
const slower = 8

// survey goes once through the stored entities of every shard that this node
// begins to lead, and wakes those with unfinished work: what an earlier owner
// had in memory is forgotten, and the sweep comes by too seldom. From then on
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
				l.surveyed = r.walkThrough(l, kinds, rates{max(1, r.limits.SurveyRate/slower), r.limits.SurveyRate}, func(k *kind, h cluster.Head) proto.Message {
					return k.Unfinished(h)
				})
			}
		}
	}
}
