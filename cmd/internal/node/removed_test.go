package node

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ssod/cluster/placement"
	"ssod/cluster/transport"
)

// expelledNode is a node that heard from n1 that it was removed.
func expelledNode(t *testing.T) (n *Node, start context.Context) {
	t.Helper()
	me := placement.Node{ID: 3, Name: "n3", Gossip: "127.0.0.1:3"}
	n = &Node{
		config: Config{Join: []string{"127.0.0.1:1"}}, log: slog.New(slog.DiscardHandler), failed: make(chan error, 1), me: me,
		book: placement.NewBook(me, placement.Node{ID: 1, Name: "n1", Gossip: "127.0.0.1:1"},
			placement.Node{ID: 2, Name: "n2", Gossip: "127.0.0.1:2"},
			placement.Node{ID: 4, Name: "n4", Gossip: "127.0.0.1:4", State: placement.NodeState_REMOVED}),
	}
	start, n.abort = context.WithCancelCause(t.Context())
	n.expelled(transport.Peer{ID: 1, Name: "n1"})
	return n, start
}

// A node that is told that it was removed ends, whether it runs or starts.
func TestAnExpelledNodeEnds(t *testing.T) {
	n, start := expelledNode(t)
	if err := <-n.Failed(); !errors.Is(err, ErrRemoved) {
		t.Errorf("a running node: got %v, want ErrRemoved", err)
	}
	if err := context.Cause(start); !errors.Is(err, ErrRemoved) {
		t.Errorf("a node that starts: got %v, want ErrRemoved", err)
	}
}

// Its data is put aside, and it joins through whoever it knew.
func TestAnExpelledNodeJoinsThroughWhoItKnew(t *testing.T) {
	_, start := expelledNode(t)
	removed, ok := errors.AsType[*removedError](context.Cause(start))
	if !ok {
		t.Fatal("nothing to join with")
	}
	data := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	c, err := removed.anew(Config{Data: data + "/"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"127.0.0.1:1", "127.0.0.1:2"}, c.Join); diff != "" || c.Name != "n3" {
		t.Errorf("name %q, join (-want +got):\n%s", c.Name, diff)
	}
	if _, err := os.Stat(data + ".removed-3"); err != nil {
		t.Error(err)
	}
	if _, err := removed.anew(Config{Data: data}); !errors.Is(err, ErrRemoved) {
		t.Errorf("without a directory to put aside: got %v, want ErrRemoved", err)
	}
}

// Where nobody is known to join, nothing is put aside and no cluster is founded.
func TestAnExpelledNodeFoundsNoCluster(t *testing.T) {
	data := t.TempDir()
	lonely := &removedError{by: "n1", name: "n3", id: 3}
	if c, err := lonely.anew(Config{Data: data}); !errors.Is(err, ErrRemoved) {
		t.Errorf("got %+v, %v, want ErrRemoved", c, err)
	}
	if _, err := os.Stat(data); err != nil {
		t.Error(err)
	}
}
