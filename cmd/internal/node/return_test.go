package node_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ssod/bench/process"
)

// stop ends a member before the test does.
func (m *member) stop(t *testing.T) {
	t.Helper()
	if err := m.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// remove gives a node up for good, as soon as it counts as unreachable.
func (m *member) remove(t *testing.T, name string) {
	t.Helper()
	eventually(t, "node "+name+" is removed", func() bool {
		status, _ := m.tryRemove(t, name)
		return status == http.StatusNoContent
	})
}

// tryRemove asks once; status 0: there was no answer.
func (m *member) tryRemove(t *testing.T, name string) (status int, answer string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 2 * time.Minute}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, "http://"+m.Admin()+"/admin/v1/nodes/"+name, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := client.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(body)
}

// The page of the cluster says for each shard how far this node has applied it.
func TestTheAppliedIndexIsShown(t *testing.T) {
	t.Parallel()
	all := trio(t, nil)
	var page struct {
		Shards []struct{ AppliedIndex uint64 }
	}
	if err := json.Unmarshal([]byte(all[1].view(t)), &page); err != nil {
		t.Fatal(err)
	}
	if len(page.Shards) != 3 || page.Shards[0].AppliedIndex == 0 {
		t.Errorf("got %+v, want three shards, the meta shard with entries", page.Shards)
	}
}

// A node that was removed meanwhile puts its data aside and joins anew, though
// nobody tells it whom to join.
func TestARemovedNodeThatReturnsJoinsAnew(t *testing.T) {
	t.Parallel()
	all := trio(t, nil)
	n3 := all[2]
	const says = `"the node is not removed: node n3 answers at `
	if status, body := all[0].tryRemove(t, "n3"); status != http.StatusConflict || !strings.Contains(body, says) || !strings.Contains(body, "stop it first") {
		t.Errorf("a node that runs: %d %s", status, body)
	}
	n3.stop(t)
	all[0].remove(t, "n3")
	eventually(t, "n3 has no vote any more", func() bool { return !strings.Contains(all[0].view(t), "n3") })
	n3.config.Join = nil
	threeVote(t, append(all[:2], run(t, n3.config)))
	if _, err := os.Stat(filepath.Join(n3.config.Data+".removed-3", "identity.json")); err != nil {
		t.Errorf("the old data is gone: %v", err)
	}
	if _, err := os.Stat(filepath.Join(n3.config.Data+".removed-3", "sealing.key")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the old data has a sealing key: %v", err)
	}
}

// A node that starts again at other addresses is found, and serves.
func TestANodeThatMovedIsFound(t *testing.T) {
	t.Parallel()
	all := trio(t, nil)
	n2 := all[1]
	n2.stop(t)
	ports, err := process.FreeAddresses(3)
	if err != nil {
		t.Fatal(err)
	}
	n2.config.Gossip, n2.config.RPC, n2.config.Raft = ports[0], ports[1], ports[2]
	n2.config.Join = nil
	moved := run(t, n2.config)
	eventually(t, "the others know the new addresses", func() bool {
		page := all[0].view(t)
		return strings.Contains(page, ports[1]) && strings.Contains(page, ports[2])
	})
	eventually(t, "it is ready", func() bool { _, ready := conditionOf(t, moved.Admin(), "contact"); return ready })
	all[2].stop(t)
	eventually(t, "it votes", func() bool { _, ready := conditionOf(t, all[0].Admin(), "shards"); return ready })
}

// A founder whose disk was wiped, started without --join, founds a cluster of its
// own. It finds out, serves nothing, and says what to do.
func TestAWipedFounderDoesNotServe(t *testing.T) {
	t.Parallel()
	all := trio(t, nil)
	n1 := all[0]
	n1.stop(t)
	if err := os.RemoveAll(n1.config.Data); err != nil {
		t.Fatal(err)
	}
	wiped := run(t, n1.config)
	eventually(t, "it is not ready", func() bool {
		c, ready := conditionOf(t, wiped.Admin(), "membership")
		return !ready && !c.OK && strings.Contains(c.Detail, "start it with --join")
	})
	if status, body := get(t, "http://"+wiped.HTTP()+"/api/demo/list"); status != 503 {
		t.Errorf("a call: got %d %s, want 503", status, body)
	}
	wiped.stop(t)
	if err := os.RemoveAll(n1.config.Data); err != nil {
		t.Fatal(err)
	}
	n1.config.Join = []string{all[1].config.Gossip}
	threeVote(t, append(all[1:], run(t, n1.config)))
}
