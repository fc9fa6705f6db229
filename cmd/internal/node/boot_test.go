package node

import (
	"context"
	"errors"
	"strings"
	"testing"

	"ssod/cluster/placement"
	"ssod/cluster/replica/core"
	"ssod/cluster/transport"
)

// What ends a node says what to do, and ends its start as well.
func TestWhatEndsANodeSaysWhatToDo(t *testing.T) {
	by := transport.Peer{ID: 1, Name: "n1"}
	for name, tt := range map[string]struct {
		end  func(*Node)
		want []string
	}{
		"another node refuses it": {
			func(n *Node) { n.outdated(by, transport.ErrOlder) },
			[]string{"older than what this node acknowledged", "node n1", "mv /data/n3 /data/n3.older", "--data /data/n3 --node n3 --join 127.0.0.1:1"},
		},
		"another node has it already": {
			func(n *Node) { n.outdated(by, transport.ErrTwice) },
			[]string{"node n3 is running already", "/data/n3", "--join 127.0.0.1:1", "node n1"},
		},
		"the registry has another start": {
			func(n *Node) { n.deposed(placement.ErrOutdated) },
			[]string{"older than what this node acknowledged", "registry", "--join"},
		},
		"a replica lacks what others have": {
			func(n *Node) {
				n.broken(&core.BrokenError{Known: true, Shard: 5, Text: "tocommit(18) is out of range"})
			},
			[]string{"older than what this node acknowledged", "shard 5", "tocommit(18)", "--join"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			me := placement.Node{ID: 3, Name: "n3"}
			n := &Node{
				config: Config{Data: "/data/n3/", Secret: "secret", Raft: "127.0.0.1:9"}, failed: make(chan error, 1), me: me,
				nodes: placement.NewRegistry(me, placement.Node{ID: 1, Name: "n1", Gossip: "127.0.0.1:1"}),
			}
			var start context.Context
			start, n.abort = context.WithCancelCause(t.Context())
			tt.end(n)
			err := <-n.Failed()
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in %q", want, err)
				}
			}
			if !errors.Is(context.Cause(start), err) {
				t.Errorf("the start ended with %v", context.Cause(start))
			}
		})
	}
}
