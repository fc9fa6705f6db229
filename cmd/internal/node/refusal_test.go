package node_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"ssod/cluster/placement"
	"ssod/cmd/internal/node"
)

// attempt starts a node in the background and ends the attempt with the test.
func attempt(t *testing.T, c node.Config) (started <-chan *node.Node) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	nodes := make(chan *node.Node, 1)
	go func() {
		defer close(nodes)
		if n, err := node.Start(ctx, c); err == nil {
			nodes <- n
		} else if !errors.Is(err, context.Canceled) {
			t.Errorf("start: %v", err)
		}
	}()
	t.Cleanup(func() {
		cancel()
		for n := range nodes {
			if err := n.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		}
	})
	return nodes
}

// says waits until a node that starts says what it waits for, in these words.
func says(t *testing.T, admin string, words ...string) {
	t.Helper()
	var last string
	defer func() {
		if t.Failed() {
			t.Logf("it says: %s", last)
		}
	}()
	eventually(t, strings.Join(words, ", "), func() bool {
		detail, ready := starting(t, admin)
		last = detail
		for _, word := range words {
			if !strings.Contains(detail, word) {
				return false
			}
		}
		return !ready
	})
}

func configured(t *testing.T, text string) (file string) { return write(t, t.TempDir(), text) }

// What no waiting mends ends the start, with what to do.
func TestJoinIsRefusedForGood(t *testing.T) {
	t.Parallel()
	founder := joining(t, "n1")
	founder.File = configured(t, "realms: [{id: acme, serviceProviders: [tv]}]")
	first := run(t, founder)
	tests := map[string]struct {
		change func(*node.Config)
		says   string
	}{
		"another number of shards": {func(c *node.Config) { c.Shards = 8 }, "--shards 2"},
		"another length of codes": {func(c *node.Config) {
			c.File = configured(t, "realms: [{id: acme, serviceProviders: [tv], linkCode: {length: 8}}]")
		}, "link codes of realm acme of length 6"},
		"another alphabet of codes": {func(c *node.Config) {
			c.File = configured(t, "realms: [{id: acme, serviceProviders: [tv], linkCode: {alphabet: alphanumeric}}]")
		}, "give it the configuration of the others"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := joining(t, "n2", first)
			tt.change(&c)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			_, err := node.Start(ctx, c)
			if !errors.Is(err, placement.ErrRefused) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want ErrRefused that says %q", err, tt.says)
			}
		})
	}
}

// A name that is taken is refused as long as the node that has it answers.
func TestJoinUnderALiveNodesNameWaits(t *testing.T) {
	t.Parallel()
	first := run(t, joining(t, "n1"))
	c := joining(t, "n1", first)
	c.Admin = fixed(t)
	attempt(t, c)
	says(t, c.Admin, "another --node name")
}

// A node that finds nobody to join goes on trying, and says what it tries.
func TestJoinToNobodyWaits(t *testing.T) {
	t.Parallel()
	c := joining(t, "n2")
	nobody := joining(t, "n1")
	c.Join, c.Admin = []string{nobody.Gossip}, fixed(t)
	started := attempt(t, c)
	says(t, c.Admin, nobody.Gossip, "refused")
	run(t, nobody)
	n := <-started
	eventually(t, "it joins when somebody is there", func() bool {
		_, page := get(t, "http://"+n.Admin()+"/admin/v1/cluster")
		return strings.Contains(page, `"n1"`) && strings.Contains(page, `"n2"`)
	})
	if err := n.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestJoinToItselfWaits(t *testing.T) {
	t.Parallel()
	c := joining(t, "n1")
	c.Join, c.Admin = []string{c.Gossip}, fixed(t)
	attempt(t, c)
	says(t, c.Admin, "that is this node")
}

// Two nodes that were founded apart stay apart: the one that is told to join is
// not ready and says what to do, the other one goes on.
func TestNodesThatWereFoundedApartDoNotMix(t *testing.T) {
	t.Parallel()
	first := run(t, joining(t, "n1"))
	alone := joining(t, "n2")
	n := start(t, alone)
	if err := n.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	alone.Join = []string{first.config.Gossip}
	n = start(t, alone)
	eventually(t, "n2 refuses to be ready", func() bool {
		c, ready := conditionOf(t, n.Admin(), "membership")
		return !ready && !c.OK && strings.Contains(c.Detail, "empty data directory and --join")
	})
	if c, ready := conditionOf(t, first.Admin(), "membership"); !ready || !c.OK {
		t.Errorf("n1: ready %v, %+v", ready, c)
	}
}
