package admin

import (
	"context"
	"fmt"
	"time"

	"ssod/cluster"
)

// clusterView is the answer of GET /admin/v1/cluster.
type clusterView struct {
	ID         string      `json:"id"`
	Durability string      `json:"durability"`
	ConfigHash string      `json:"configHash"`
	Nodes      []node      `json:"nodes"`
	Shards     []shard     `json:"shards"`
	Invariants []invariant `json:"invariants"`
}

type node struct {
	Name      string            `json:"name"`
	Self      bool              `json:"self"`
	State     State             `json:"state"`
	Version   string            `json:"version"`
	Started   time.Time         `json:"started"`
	Addresses map[string]string `json:"addresses"`
	PublicTLS bool              `json:"publicTLS"`
}

type shard struct {
	Shard    cluster.ShardID `json:"shard"`
	Leader   string          `json:"leader"`
	Term     uint64          `json:"term"`
	Replicas []string        `json:"replicas"`
	Lag      uint64          `json:"lag"` // entries that the slowest replica is behind
}

type invariant struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty"`
}

// showCluster serves GET /admin/v1/cluster. A cluster is one node, which leads
// and holds every shard.
func showCluster(_ context.Context, c *call) (any, error) {
	if _, err := c.query(); err != nil {
		return nil, err
	}
	s := c.server.status()
	view := clusterView{
		ID: s.Cluster, Durability: "durability of one node", ConfigHash: c.Settings().Hash,
		Nodes: []node{{
			Name: s.Node, Self: true, State: s.State, Version: s.Version, Started: s.Started,
			Addresses: s.Addresses, PublicTLS: s.PublicTLS,
		}},
	}
	orphans := 0
	for id := cluster.ShardID(0); int(id) <= c.Shards.Count(); id++ {
		one := shard{Shard: id, Replicas: []string{s.Node}}
		if owner, ok := c.Shards.Owner(id); ok {
			one.Leader, one.Term = s.Node, owner.Term
		} else {
			orphans++
		}
		view.Shards = append(view.Shards, one)
	}
	view.Invariants = []invariant{{Name: "every shard has a leader", OK: orphans == 0}}
	if orphans > 0 {
		view.Invariants[0].Detail = fmt.Sprintf("%d shards have none", orphans)
	}
	return view, nil
}
