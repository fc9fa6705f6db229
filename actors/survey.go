package actors

import (
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/cluster"
)

// slower is the factor by which the survey slows down for requests.
const slower = 8

// survey goes once through the stored entities of every shard that this node begins to
// lead, and wakes those with unfinished work, which an earlier owner had in memory: the
// sweep would find them much later. From then on such an entity gets a Tick until its
// work is done.
func (r *Runtime) survey() {
	kinds := r.kindsWith(func(k *kind) bool { return k.Unfinished != nil })
	pace := time.NewTicker(r.limits.Tick)
	defer pace.Stop()
	for len(kinds) > 0 {
		select {
		case <-pace.C:
		case <-r.ctx.Done():
			return
		}
		for _, s := range r.shards[1:] {
			if l := s.lead(); l != nil && !l.surveyed {
				l.surveyed = r.walkThrough(l, kinds, rates{max(1, r.limits.SurveyRate/slower), r.limits.SurveyRate}, func(k *kind, h cluster.Head) proto.Message {
					return k.Unfinished(h)
				})
			}
		}
	}
}
