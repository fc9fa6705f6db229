package node_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ssod/bench/process"
	"ssod/cmd/internal/node"
)

// member is a node that can have others beside it.
type member struct {
	*node.Node
	config node.Config
}

// joining are the settings of a node that joins others, or founds a cluster when
// there are none.
func joining(t *testing.T, name string, others ...*member) node.Config {
	t.Helper()
	ports, err := process.FreeAddresses(3)
	if err != nil {
		t.Fatal(err)
	}
	c := node.Config{
		Data: filepath.Join(t.TempDir(), "data"), Name: name, HTTP: "127.0.0.1:0", Admin: "127.0.0.1:0",
		Gossip: ports[0], RPC: ports[1], Raft: ports[2], Shards: 2, SilentFor: 3 * time.Second,
		Secret: secretOf(t, 1),
		Log:    slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	for _, o := range others {
		c.Join = append(c.Join, o.config.Gossip)
	}
	return c
}

// secretOf writes a file of keys of a cluster's secret, each of which has a number.
func secretOf(t *testing.T, keys ...byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	keep(t, file, keys...)
	return file
}

func keep(t *testing.T, file string, keys ...byte) {
	t.Helper()
	var text []byte
	for _, k := range keys {
		text = append(base64.StdEncoding.AppendEncode(text, bytes.Repeat([]byte{k}, 32)), '\n')
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// run starts a node that is stopped at the end of the test.
func run(t *testing.T, c node.Config) *member {
	t.Helper()
	return &member{start(t, c), c}
}

// trio starts three nodes and waits until they hold every shard together.
func trio(t *testing.T, change func(*node.Config)) []*member {
	t.Helper()
	var all []*member
	for i := range 3 {
		c := joining(t, fmt.Sprint("n", i+1), all...)
		if change != nil {
			change(&c)
		}
		all = append(all, run(t, c))
	}
	threeVote(t, all)
	return all
}

// threeVote waits until any of three nodes may be lost: each of those asked says that
// every shard has three who vote, and that this is written down. (Two who vote are two copies, and need both.)
func threeVote(t *testing.T, asked []*member) {
	t.Helper()
	eventually(t, "three votes for every shard", func() bool {
		return !slices.ContainsFunc(asked, func(m *member) bool { return !m.seesThreeVotes(t) })
	})
}

func (m *member) seesThreeVotes(t *testing.T) bool {
	t.Helper()
	var view struct {
		Shards []struct {
			Leader             string
			Replicas, Learners []string
			Confirmed          bool
		}
	}
	if err := json.Unmarshal([]byte(m.view(t)), &view); err != nil {
		t.Fatal(err)
	}
	for _, s := range view.Shards {
		absent := slices.ContainsFunc(s.Replicas, func(name string) bool { return strings.Contains(name, "(") }) // "n2 (removed)"
		if s.Leader == "" || len(s.Replicas) != 3 || len(s.Learners) > 0 || absent || !s.Confirmed {
			return false
		}
	}
	return len(view.Shards) > 0
}

// view is the page that says what the cluster looks like.
func (m *member) view(t *testing.T) string {
	t.Helper()
	_, page := get(t, "http://"+m.Admin()+"/admin/v1/cluster")
	return page
}

// condition is one line of /readyz.
type condition struct {
	Condition, Detail string
	OK, Advice        bool
}

// condition asks an admin listener about one condition, and whether the node is
// ready.
func conditionOf(t *testing.T, admin, name string) (c condition, ready bool) {
	t.Helper()
	status, body := get(t, "http://"+admin+"/readyz")
	var page struct{ Conditions []condition }
	if err := json.Unmarshal([]byte(body), &page); err != nil {
		t.Fatalf("readyz: %v in %s", err, body)
	}
	for _, c := range page.Conditions {
		if c.Condition == name {
			return c, status == 200
		}
	}
	return condition{}, status == 200
}

// eventually polls until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(2 * time.Minute)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not in time: %s", what)
		}
	}
}

// A node that has no majority beside it turns unready and refuses every call,
// since what was revoked may not be known there.
func TestANodeThatIsCutOffRefusesTokens(t *testing.T) {
	t.Parallel()
	all := trio(t, func(c *node.Config) { c.Lease = 2 * time.Second })
	last := all[2]
	if c, ready := conditionOf(t, last.Admin(), "contact"); !ready || !c.OK {
		t.Fatalf("among others: ready %v, %+v", ready, c)
	}
	var stopping sync.WaitGroup
	for _, m := range all[:2] {
		stopping.Go(func() {
			if err := m.Stop(context.Background()); err != nil {
				t.Errorf("stop: %v", err)
			}
		})
	}
	stopping.Wait()
	eventually(t, "the contact condition", func() bool {
		c, ready := conditionOf(t, last.Admin(), "contact")
		return !ready && !c.OK && strings.Contains(c.Detail, "revocations")
	})
	if status, body := get(t, "http://"+last.HTTP()+"/api/demo/list"); status != 503 {
		t.Errorf("a call without a token: got %d %s, want 503", status, body)
	}
}

// fixed is an address that is known before the node listens at it.
func fixed(t *testing.T) string {
	t.Helper()
	addresses, err := process.FreeAddresses(1)
	if err != nil {
		t.Fatal(err)
	}
	return addresses[0]
}

// starting is what a node says that it waits for; "" while it does not answer.
func starting(t *testing.T, admin string) (detail string, ready bool) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Second}
	r, err := client.Get("http://" + admin + "/livez")
	if err != nil {
		return "", false
	}
	r.Body.Close()
	c, ready := conditionOf(t, admin, "lifecycle")
	return c.Detail, ready
}
