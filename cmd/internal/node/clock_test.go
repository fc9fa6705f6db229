package node_test

import (
	"context"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ssod/cmd/internal/node"
)

// shifted is a clock that is set while the node runs.
type shifted struct{ by atomic.Int64 }

func (s *shifted) now() time.Time { return time.Now().Add(time.Duration(s.by.Load())) }

// A clock that is set wrong while the node runs makes the node unready within
// seconds, and it says what to do.
func TestANodeWhoseClockIsOffIsUnready(t *testing.T) {
	t.Parallel()
	var clock shifted
	all := trio(t, func(c *node.Config) {
		if c.Name == "n3" {
			c.Clock = clock.now
		}
	})
	clock.by.Store(int64(5 * time.Minute))
	since := time.Now()
	eventually(t, "n3 is unready", func() bool {
		c, ready := conditionOf(t, all[2].Admin(), "clock")
		return !ready && !c.OK && strings.Contains(c.Detail, "5m0s ahead of") && strings.Contains(c.Detail, "NTP")
	})
	took := time.Since(since)
	t.Logf("unready after %v", took)
	if os.Getenv("SSOD_LONG") != "" && took > 5*time.Second {
		t.Errorf("it took %v, want at most 5 s", took)
	}
	eventually(t, "n3 leads nothing", func() bool { return !strings.Contains(all[0].view(t), `"leader": "n3"`) })
	for _, m := range all[:2] {
		if c, _ := conditionOf(t, m.Admin(), "clock"); !c.OK {
			t.Errorf("a node with a good clock: %+v", c)
		}
	}
	clock.by.Store(0)
	eventually(t, "n3 is ready again", func() bool { _, ready := conditionOf(t, all[2].Admin(), "clock"); return ready })
}

// A node whose clock is ten seconds off is not taken in; it says why and goes on
// trying, so that it joins when its clock is right.
func TestANodeWhoseClockIsOffJoinsWhenItIsRight(t *testing.T) {
	t.Parallel()
	first := run(t, joining(t, "n1"))
	var clock shifted
	clock.by.Store(int64(-11 * time.Second))
	c := joining(t, "n2", first)
	c.Clock, c.Admin = clock.now, fixed(t)
	started := make(chan *node.Node, 1)
	go func() {
		n, err := node.Start(t.Context(), c)
		if err != nil {
			t.Error(err)
		}
		started <- n
	}()
	eventually(t, "the refusal is shown", func() bool {
		life, ready := starting(t, c.Admin)
		return !ready && strings.Contains(life, "NTP") && strings.Contains(life, "clock")
	})
	clock.by.Store(0)
	if n := <-started; n != nil {
		if err := n.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}
}
