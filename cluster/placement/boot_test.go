package placement_test

import (
	"errors"
	"sync/atomic"
	"testing"

	"ssod/cluster/placement"
	"ssod/cluster/replica/core"
	"ssod/persistence"
)

// restart starts the placement of a node again, as the start that it says, and
// returns what the node hears when it is outdated.
func (c *testCluster) restart(n *testNode, boots persistence.Boots) *atomic.Pointer[error] {
	c.Helper()
	heard := &atomic.Pointer[error]{}
	c.mu.Lock()
	p := n.placement
	n.placement = nil
	c.mu.Unlock()
	if err := p.Close(); err != nil {
		c.Fatal(err)
	}
	c.assignment(n, func(cfg *placement.Config) {
		cfg.Boots, cfg.Outdated = boots, func(err error) { heard.Store(&err) }
	})
	return heard
}

// registered is the start of a node that another one's registry has.
func (c *testCluster) registered(at *testNode, id core.NodeID) persistence.Boot {
	n, _ := at.registry().Node(id)
	return n.Boot
}

func bootsOf(confirmed persistence.Boot, number uint64, incarnations ...uint64) persistence.Boots {
	return persistence.Boots{Confirmed: confirmed, Number: number, Incarnations: incarnations}
}

// A start is registered when the others have taken it in, and not before; what
// does not follow the registered one hears so and changes nothing.
func TestAStartIsRegisteredOnce(t *testing.T) {
	c := newCluster(t)
	c.found("n1")
	n2 := c.nodes[c.join("n2", 1)]
	c.members(1, 1)
	first, second := persistence.Boot{Number: 1, Incarnation: 11}, persistence.Boot{Number: 2, Incarnation: 22}

	c.restart(n2, bootsOf(persistence.Boot{}, 1, 11))
	c.eventually("contact", func() bool { return !n2.placement.LastContact().IsZero() })
	if got := c.registered(n2, 2); got != (persistence.Boot{}) {
		t.Errorf("registered before it is introduced: %v", got)
	}
	n2.placement.Introduced()
	<-n2.placement.Registered()
	c.eventually("the others know", func() bool { return c.registered(c.nodes[1], 2) == first })

	c.restart(n2, bootsOf(first, 2, 22))
	n2.placement.Introduced()
	<-n2.placement.Registered()

	for name, boots := range map[string]persistence.Boots{
		"from before the second start": bootsOf(first, 2, 23),
		"started often":                bootsOf(first, 5, 23, 24, 25, 26),
		"from before any":              bootsOf(persistence.Boot{}, 1, 9),
	} {
		heard := c.restart(n2, boots)
		n2.placement.Introduced()
		c.eventually("a copy "+name+" hears that it is one", func() bool {
			err := heard.Load()
			return err != nil && errors.Is(*err, placement.ErrOutdated)
		})
		if got := c.registered(c.nodes[1], 2); got != second {
			t.Errorf("a copy %s: %v is registered, want %v", name, got, second)
		}
	}
}

// A running node hears when another start takes its place in the registry.
func TestASupersededStartHearsOfIt(t *testing.T) {
	c := newCluster(t)
	c.found("n1")
	c.join("n2", 1)
	c.members(1, 1)
	n1 := c.nodes[1]
	heard := c.restart(n1, bootsOf(persistence.Boot{}, 1, 11))
	n1.placement.Introduced()
	<-n1.placement.Registered()
	records, revision := n1.placement.Tables().Records("nodes")
	for key, value := range records {
		if n, err := placement.DecodeNode(key, value); err == nil && n.ID == 1 {
			n.Boot = persistence.Boot{Number: 1, Incarnation: 12}
			if err := n1.placement.Tables().Update(t.Context(), "nodes", revision, map[string][]byte{key: n.Encode()}, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	c.eventually("it hears of the other one", func() bool { return heard.Load() != nil })
}
