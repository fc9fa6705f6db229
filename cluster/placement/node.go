package placement

import (
	"fmt"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/cluster/plan"
	"ssod/persistence"
	"ssod/persistence/level"
)

// NodeID numbers a node; it is never used again.
type NodeID = persistence.NodeID

// Node is a node in the registry.
type Node struct {
	ID    NodeID
	Name  string
	State NodeState
	// Leave is how far it is in being drained, and Drain the revision of the table that
	// began that.
	Leave Leave
	Drain uint64
	// RPC is its address for actor messages, Raft that for everything else from other
	// nodes.
	RPC, Raft string
	// Zone names the nodes that fail together with it; it may be empty.
	Zone string
	// HTTP, Admin, Gossip and Version are for operators.
	HTTP, Admin, Gossip, Version string
	// Levels are the format levels that its version knows.
	Levels level.Range
	// Joined is when it became a member, Changed when its State changed last.
	Joined, Changed time.Time
	// ReplacedBy is the node that took the name of a removed one.
	ReplacedBy NodeID
	// Applicant is the token of the process that joined. Claimant is the token of a process
	// that is about to get the name, from the leader of the meta shard in the term
	// ClaimTerm.
	Applicant, Claimant []byte
	ClaimTerm           uint64
	// Boot is its newest start; the zero value: none is registered yet.
	Boot persistence.Boot
	// Certificates are digests of those that others saw of it, the newest last. Those of
	// a removed node are refused.
	Certificates [][]byte
}

// sameAs reports whether two nodes have the same addresses and descriptions.
func (n Node) sameAs(o Node) bool {
	return n.RPC == o.RPC && n.Raft == o.Raft && n.HTTP == o.HTTP && n.Admin == o.Admin &&
		n.Gossip == o.Gossip && n.Version == o.Version && n.Levels == o.Levels && n.Zone == o.Zone
}

// here is the node with the addresses and descriptions of another.
func (n Node) here(o Node) Node {
	n.RPC, n.Raft, n.HTTP, n.Admin, n.Gossip, n.Version, n.Zone = o.RPC, o.Raft, o.HTTP, o.Admin, o.Gossip, o.Version, o.Zone
	n.Levels = o.Levels
	return n
}

// planned is the node of the plan.
func (n Node) planned() plan.Node {
	states := map[NodeState]plan.State{NodeState_DEAD: plan.Dead, NodeState_REMOVED: plan.Removed}
	return plan.Node{ID: n.ID, State: states[n.State], Leave: n.Leave.planned(), Zone: n.Zone}
}

func (n Node) record() *NodeRecord {
	return &NodeRecord{
		Id: uint32(n.ID), Name: n.Name, State: n.State, Rpc: n.RPC, Raft: n.Raft,
		Http: n.HTTP, Admin: n.Admin, Gossip: n.Gossip, Version: n.Version, Zone: n.Zone,
		OldestLevel: uint32(n.Levels.Oldest), NewestLevel: uint32(n.Levels.Newest),
		JoinedMs: milli(n.Joined), ChangedMs: milli(n.Changed), ReplacedBy: uint32(n.ReplacedBy),
		Applicant: n.Applicant, Claimant: n.Claimant, ClaimTerm: n.ClaimTerm,
		Boot: n.Boot.Number, Incarnation: n.Boot.Incarnation, Certificates: n.Certificates,
		Leave: n.Leave, Drain: n.Drain,
	}
}

func nodeOf(r *NodeRecord) Node {
	return Node{
		ID: NodeID(r.GetId()), Name: r.GetName(), State: r.GetState(), RPC: r.GetRpc(), Raft: r.GetRaft(),
		HTTP: r.GetHttp(), Admin: r.GetAdmin(), Gossip: r.GetGossip(), Version: r.GetVersion(), Zone: r.GetZone(),
		Levels: level.Range{Oldest: int(max(level.First, r.GetOldestLevel())), Newest: int(max(level.First, r.GetNewestLevel()))},
		Joined: timeOf(r.GetJoinedMs()), Changed: timeOf(r.GetChangedMs()), ReplacedBy: NodeID(r.GetReplacedBy()),
		Applicant: r.GetApplicant(), Claimant: r.GetClaimant(), ClaimTerm: r.GetClaimTerm(),
		Boot: persistence.Boot{Number: r.GetBoot(), Incarnation: r.GetIncarnation()}, Certificates: r.GetCertificates(),
		Leave: r.GetLeave(), Drain: r.GetDrain(),
	}
}

func milli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func timeOf(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// key is the node's key in the table; keys are in the order of ids.
func (n Node) key() string { return fmt.Sprintf("%010d", n.ID) }

func (n Node) encode() []byte { return encode(n.record()) }

func decodeNode(key string, value []byte) (Node, error) {
	r := &NodeRecord{}
	if err := proto.Unmarshal(value, r); err != nil {
		return Node{}, fmt.Errorf("node %s: %w", key, err)
	}
	return nodeOf(r), nil
}

// encode encodes a message of ours, which never fails.
func encode(m proto.Message) []byte {
	b, err := proto.Marshal(m)
	if err != nil {
		panic(fmt.Sprintf("encode %T: %v", m, err))
	}
	return b
}

func shardKey(shard int) string { return fmt.Sprintf("%05d", shard) }

func encodeAssignment(a plan.Assignment) []byte {
	return encode(&ShardRecord{Voters: numbers(a.Voters), Learners: numbers(a.Learners), Preferred: uint32(a.Preferred), Home: uint32(a.Home)})
}

func decodeAssignment(key string, value []byte) (shard int, a plan.Assignment, err error) {
	r := &ShardRecord{}
	if err = proto.Unmarshal(value, r); err == nil {
		shard, err = strconv.Atoi(key)
	}
	if err != nil {
		return 0, a, fmt.Errorf("assignment of shard %s: %w", key, err)
	}
	a = plan.Assignment{
		Voters: ids(r.GetVoters()), Learners: ids(r.GetLearners()),
		Preferred: NodeID(r.GetPreferred()), Home: NodeID(r.GetHome()),
	}
	return shard, a, nil
}

func numbers(nodes []NodeID) (ns []uint32) {
	for _, n := range nodes {
		ns = append(ns, uint32(n))
	}
	return ns
}

func ids(ns []uint32) (nodes []NodeID) {
	for _, n := range ns {
		nodes = append(nodes, NodeID(n))
	}
	return nodes
}
