package faulty_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"ssod/cluster"
	"ssod/cluster/faulty"
	"ssod/cluster/shardtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformance(t *testing.T) {
	var truth *faulty.Truth
	shardtest.Run(t, shardtest.Implementation{
		Open: func(t *testing.T, clock func() time.Time) cluster.Shards {
			truth = faulty.New(faulty.Options{Clock: clock})
			return truth.Node("a:1")
		},
		Lose: func(s cluster.Shards) {
			for id := range cluster.ShardID(s.Count() + 1) {
				truth.Move(id, nil)
			}
		},
	})
}
