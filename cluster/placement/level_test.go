package placement_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"ssod/cluster/placement"
	"ssod/persistence"
	"ssod/persistence/level"
)

// upgrade restarts the placement of a node, as a version that knows the levels up to
// one. What it hears of the cluster's level is added to heard.
func (c *testCluster) upgrade(n *testNode, newest int, heard *levels) {
	c.Helper()
	c.mu.Lock()
	p := n.placement
	n.placement = nil
	c.mu.Unlock()
	if err := p.Close(); err != nil {
		c.Fatal(err)
	}
	c.assignment(n, func(cfg *placement.Config) {
		cfg.Self.Levels, cfg.Self.Version = level.Range{Oldest: 1, Newest: newest}, "v2"
		cfg.Levelled = func(at int, _ error) { heard.add(n.name, at) }
	})
}

// levels are the levels that nodes heard of, by name.
type levels struct {
	mu sync.Mutex
	of map[string][]int
}

func (l *levels) add(name string, at int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.of[name] = append(l.of[name], at)
}

func (l *levels) last(name string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.of[name][len(l.of[name])-1]
}

// TestALevelIsRaisedWhenEveryMemberKnowsIt: also one that is down, and then a version
// that does not know it is let in no more.
func TestALevelIsRaisedWhenEveryMemberKnowsIt(t *testing.T) {
	c := newCluster(t)
	c.found("n1")
	c.join("n2", 1)
	heard := &levels{of: map[string][]int{}}
	n1, n2 := c.nodes[1], c.nodes[2]
	to := map[string]string{"level": "2"}
	c.upgrade(n1, 2, heard)
	c.eventually("n1 is registered as what it is", func() bool { n, _ := n2.registry().Node(1); return n.Levels.Newest == 2 })
	err := n1.placement.Set(t.Context(), to)
	if !errors.Is(err, placement.ErrSetting) || !strings.Contains(err.Error(), "n2 (version unknown) knows format level 1") {
		t.Errorf("n2 does not know the level: got %v", err)
	}
	c.upgrade(n2, 3, heard)
	c.eventually("n2 is registered as what it is", func() bool { n, _ := n1.registry().Node(2); return n.Levels.Newest == 3 })
	if err := n2.placement.Set(t.Context(), to); err != nil {
		t.Fatal(err)
	}
	for _, n := range c.running() {
		c.eventually(n.name+" hears of it", func() bool { return heard.last(n.name) == 2 })
	}
	err = n1.placement.Set(t.Context(), map[string]string{"level": "1"})
	if !errors.Is(err, placement.ErrSetting) || !strings.Contains(err.Error(), "never lowered") {
		t.Errorf("the level is lowered: got %v", err)
	}
	err = n1.placement.Set(t.Context(), map[string]string{"level": "4"})
	if !errors.Is(err, placement.ErrSetting) || !strings.Contains(err.Error(), "n1 (version v2) knows format levels 1 to 2, n2 (version v2) knows format levels 1 to 3") {
		t.Errorf("no member knows the level: got %v", err)
	}
	old := newApplicant("n3")
	old.Levels = level.Range{Oldest: 1, Newest: 1}
	if _, err := c.ask(1, old); !errors.Is(err, placement.ErrRefused) || !strings.Contains(err.Error(), "the cluster is at format level 2") {
		t.Errorf("a node that does not know the level joins: got %v", err)
	}
	old.Levels.Newest = 2
	if _, err := c.ask(1, old); err != nil {
		t.Errorf("a node that knows the level: %v", err)
	}
}

// TestALevelThatThisVersionDoesNotKnow is told as an error, whenever it is heard of.
func TestALevelThatThisVersionDoesNotKnow(t *testing.T) {
	c := newCluster(t)
	c.found("n1")
	n := c.nodes[1]
	c.eventually("the settings are there", func() bool { return n.placement.Tables().Read("settings").Revision() > 0 })
	if err := n.placement.Tables().Change(t.Context(), "settings", map[string][]byte{"level": []byte("1000")}, nil); err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	p := n.placement
	n.placement = nil
	c.mu.Unlock()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	heard := make(chan error, 10)
	c.assignment(n, func(cfg *placement.Config) {
		cfg.Boots, cfg.Levelled = persistence.Boots{}, func(_ int, err error) { heard <- err }
	})
	if err := <-heard; !errors.Is(err, placement.ErrLevel) || !strings.Contains(err.Error(), "level 1000") {
		t.Errorf("got %v, want %v", err, placement.ErrLevel)
	}
}
