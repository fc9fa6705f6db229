package shardtest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"ssod/cluster"
)

func (s *suite) race() {
	shard := s.lead(1)
	for rev := range uint64(20) {
		var won atomic.Int32
		var callers sync.WaitGroup
		for range 8 {
			callers.Go(func() {
				err := shard.Commit(s.Context(), cluster.Commit{Entity: alice, BaseRev: rev})
				switch {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, cluster.ErrRejected):
					s.Errorf("got %v, want ErrRejected", err)
				}
			})
		}
		callers.Wait()
		s.equal(fmt.Sprintf("winners of revision %d", rev+1), won.Load(), int32(1))
	}
	s.equal("revision", s.head(shard, alice).Rev, uint64(20))
}

func (s *suite) parallel() {
	const entities, commits = 32, 20
	var callers sync.WaitGroup
	for n := range entities {
		callers.Go(func() {
			shard, e := s.lead(cluster.ShardID(n%s.shards.Count()+1)), cluster.Entity{Kind: "k", Identity: fmt.Sprint(n)}
			for rev := range uint64(commits) {
				c := cluster.Commit{Entity: e, BaseRev: rev, State: fmt.Append(nil, n, rev)}
				if err := shard.Commit(s.Context(), c); err != nil {
					s.Errorf("commit %d of entity %d: %v", rev, n, err)
					return
				}
				if h, _, err := shard.Head(e); err != nil || h.Rev != rev+1 || string(h.State) != string(c.State) {
					s.Errorf("head after commit %d of entity %d: %v %v", rev, n, h, err)
				}
			}
		})
	}
	callers.Wait()
}
