package placement

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"ssod/cluster"
	"ssod/cluster/meta"
	"ssod/cluster/plan"
)

// Recovery is what the tables have after a recovery from a lost majority.
type Recovery struct {
	// Survivors go on; all others are removed.
	Survivors []NodeID
	// Groups and Map are the groups and assignments by shard.
	Groups []plan.Config
	Map    plan.Map
	At     time.Time
}

// Recover writes a recovery into the tables. It may be repeated.
func Recover(ctx context.Context, tables *meta.Store, r Recovery) error {
	nodes, err := r.nodes(tables.Read(nodesTable))
	if err != nil {
		return err
	}
	shards := map[string][]byte{}
	for shard, a := range r.Map {
		shards[shardKey(shard)] = encodeAssignment(a)
	}
	for _, t := range []struct {
		name string
		puts map[string][]byte
	}{{shardsTable, shards}, {nodesTable, nodes}} {
		table := tables.Read(t.name)
		for key, value := range t.puts {
			if old, ok := table.Get(key); ok && bytes.Equal(old, value) {
				delete(t.puts, key)
			}
		}
		if len(t.puts) == 0 {
			continue
		}
		if err := tables.Update(ctx, t.name, table.Revision(), t.puts, nil); err != nil {
			return fmt.Errorf("write table %s: %w", t.name, err)
		}
	}
	return nil
}

// nodes are the records of nodes and groups. A node that is removed this way may come back
// with its certificate.
func (r *Recovery) nodes(table meta.Table) (map[string][]byte, error) {
	survives := map[NodeID]bool{}
	for _, n := range r.Survivors {
		survives[n] = true
	}
	puts := map[string][]byte{}
	for key, value := range table.All() {
		if strings.HasPrefix(key, groupPrefix) {
			continue
		}
		n, err := decodeNode(key, value)
		if err != nil {
			return nil, err
		}
		switch {
		case survives[n.ID] && n.State == NodeState_REMOVED:
			return nil, fmt.Errorf("node %s was removed before: make the plan without it", n.Name)
		case survives[n.ID]:
			n.Claimant, n.ClaimTerm = nil, 0
			if n.State == NodeState_DEAD {
				n.State, n.Changed = NodeState_ACTIVE, r.At
			}
		case n.State != NodeState_REMOVED:
			n.State, n.Changed, n.Certificates = NodeState_REMOVED, r.At, nil
		}
		puts[key] = n.encode()
	}
	for shard, c := range r.Groups {
		puts[groupKey(cluster.ShardID(shard))] = encodeGroup(c)
	}
	return puts, nil
}

// Stored are the nodes in the registry that a node has stored, in order of id.
func Stored(r cluster.Reader) ([]Node, error) {
	table, err := meta.Stored(r, nodesTable)
	if err != nil {
		return nil, err
	}
	p := &contents{nodes: map[NodeID]Node{}}
	for key, value := range table.All() {
		if err := p.enter(key, value); err != nil {
			return nil, err
		}
	}
	b := &Registry{}
	b.contents.Store(p)
	return b.Nodes(), nil
}
