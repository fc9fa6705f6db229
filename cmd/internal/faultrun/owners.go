package faultrun

import (
	"context"
	"sync"
	"time"
)

// owners notes which node led which shard in which term, as all nodes say.
type owners struct {
	cluster *Cluster
	verdict *Verdict
	cancel  context.CancelFunc
	task    sync.WaitGroup
	leaders map[reign]string
}

// reign is one term of leading a shard. Raft elects at most one leader in it.
type reign struct {
	shard int
	term  uint64
}

// ownersPace is how often the nodes are asked.
const ownersPace = 250 * time.Millisecond

// watchOwners begins to note owners.
func watchOwners(c *Cluster, v *Verdict) *owners {
	ctx, cancel := context.WithCancel(c.Context())
	o := &owners{cluster: c, verdict: v, cancel: cancel, leaders: map[reign]string{}}
	o.task.Go(func() { o.watch(ctx) })
	return o
}

// end stops it and returns in how many reigns shards were led.
func (o *owners) end() int {
	o.cancel()
	o.task.Wait()
	return len(o.leaders)
}

func (o *owners) watch(ctx context.Context) {
	pace := time.NewTicker(ownersPace)
	defer pace.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-pace.C:
		}
		for _, n := range *o.cluster.serving.Load() {
			if v, err := o.cluster.view(n); err == nil {
				o.note(n, &v)
			}
		}
	}
}

func (o *owners) note(from *Node, v *view) {
	for _, s := range v.Shards {
		if s.Leader == "" {
			continue
		}
		at := reign{s.Shard, s.Term}
		if known, ok := o.leaders[at]; ok && known != s.Leader {
			o.verdict.Found(DoubleOwner, "%s says that %s leads shard %d in term %d, which %s did", from, s.Leader, s.Shard, s.Term, known)
		}
		o.leaders[at] = s.Leader
	}
}
