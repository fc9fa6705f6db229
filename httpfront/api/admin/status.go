package admin

import "time"

// State is where a node is in its life; cmd/ssod/docs/operating.md#life-of-a-node.
type State string

// The states of a node that answers.
const (
	Starting State = "starting"
	Ready    State = "ready"
	Draining State = "draining"
	// Left is a node that was drained and holds nothing any more.
	Left State = "left"
)

// The states of another node.
const (
	Alive       State = "alive"
	Unreachable State = "unreachable"
	Dead        State = "dead" // for so long that what it holds is replaced
)

// Status is a node as it sees itself.
type Status struct {
	State   State
	Node    string
	Version string
	Cluster string // its id
	Started time.Time
	// Addresses are host:port by name: http, admin, gossip, rpc, raft.
	Addresses map[string]string
	// PublicTLS says that the public listener speaks HTTPS.
	PublicTLS  bool
	Conditions []Condition
}

// Configuration is the name of the condition that all nodes have the same
// configuration file.
const Configuration = "configuration"

// Condition is one thing that readiness depends on.
type Condition struct {
	Name   string `json:"condition"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty"`
	// Advice marks a condition that does not make the node unready.
	Advice bool `json:"advice,omitempty"`
}

// ready reports whether the node may receive traffic.
func (s *Status) ready() bool {
	for _, c := range s.Conditions {
		if !c.OK && !c.Advice {
			return false
		}
	}
	return s.State == Ready
}
