package node

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
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
		nodes: placement.NewRegistry(me, placement.Node{ID: 1, Name: "n1", Gossip: "127.0.0.1:1"},
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
	lonely := &removedError{By: "n1", Name: "n3", ID: 3}
	if c, err := lonely.anew(Config{Data: data}); !errors.Is(err, ErrRemoved) {
		t.Errorf("got %+v, %v, want ErrRemoved", c, err)
	}
	if _, err := os.Stat(data); err != nil {
		t.Error(err)
	}
}

// crash stops a node that puts its data aside after some of the steps, as a death
// would: what is left is what the next start finds.
func crash(t *testing.T, e *removedError, data string, after int) {
	t.Helper()
	mark := filepath.Join(data, removedFile)
	steps := []func() error{
		func() error { return os.WriteFile(mark+".new", []byte("{"), 0o600) },
		func() error {
			raw, err := json.Marshal(e)
			return errors.Join(err, writeDurably(mark, raw))
		},
		func() error { // overwritten, not yet removed
			return os.WriteFile(filepath.Join(data, sealingFile), make([]byte, 65), 0o600)
		},
		func() error { return destroySealingKey(data) },
	}
	for _, step := range steps[:after] {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
}

// What is put aside has no sealing key, whenever the process died meanwhile; from the
// moment on at which the key may be gone the directory says that its node was removed.
func TestWhatIsPutAsideHasNoSealingKey(t *testing.T) {
	for died := range 5 {
		t.Run(fmt.Sprint("died after step ", died), func(t *testing.T) {
			data := filepath.Join(t.TempDir(), "data")
			if err := os.Mkdir(data, 0o700); err != nil {
				t.Fatal(err)
			}
			key := []byte("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n")
			for _, name := range []string{sealingFile, sealingFile + ".new"} {
				if err := os.WriteFile(filepath.Join(data, name), key, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			e := &removedError{By: "n1", Name: "n3", ID: 3, Seeds: []string{"127.0.0.1:1"}, log: slog.New(slog.DiscardHandler).Warn}
			crash(t, e, data, died)
			c := Config{Data: data, Join: []string{"127.0.0.1:9"}, Log: slog.New(slog.DiscardHandler)}
			found, err := marked(c)
			if err != nil {
				t.Fatal(err)
			}
			if (found != nil) != (died >= 2) {
				t.Fatalf("marked as %+v", found)
			}
			if found == nil { // it starts, and is told again
				found = e
			} else if diff := cmp.Diff([]string{"127.0.0.1:1", "127.0.0.1:9"}, found.Seeds); diff != "" {
				t.Errorf("who is asked (-want +got):\n%s", diff)
			}
			if c, err = found.anew(c); err != nil || c.Name != "n3" {
				t.Fatalf("got name %q, %v", c.Name, err)
			}
			files, err := os.ReadDir(data + ".removed-3")
			if err != nil || len(files) == 0 {
				t.Fatalf("got %v, %v", files, err)
			}
			for _, f := range files {
				raw, err := os.ReadFile(filepath.Join(data+".removed-3", f.Name()))
				if err != nil || bytes.Contains(raw, key[:16]) || strings.HasPrefix(f.Name(), sealingFile) {
					t.Errorf("%s is there: %v", f.Name(), err)
				}
			}
			if again, err := marked(c); again != nil || err != nil {
				t.Errorf("the new directory is marked: %v, %v", again, err)
			}
		})
	}
}

// A key is overwritten before its file is removed: another name of the file shows it.
func TestASealingKeyIsOverwritten(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, sealingFile), filepath.Join(dir, "link")
	if err := os.WriteFile(path, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(path, link); err != nil {
		t.Fatal(err)
	}
	if err := destroySealingKey(dir); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(link); err != nil || !bytes.Equal(got, make([]byte, 6)) {
		t.Errorf("got %q, %v, want zeros", got, err)
	}
}
