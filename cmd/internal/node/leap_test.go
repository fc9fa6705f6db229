package node_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"ssod/cmd/internal/node"
)

const day = 24 * time.Hour

// post calls the admin API and returns the status.
func post(t *testing.T, admin, path, body string) int {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}
	r, err := client.Post("http://"+admin+"/admin/v1/"+path, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	return r.StatusCode
}

// changes makes a change of the cluster's tables.
func changes(t *testing.T, admin string) bool {
	t.Helper()
	return post(t, admin, "software-statements", `{"clientName":"app","serviceProviders":["demo"]}`) == http.StatusCreated
}

func holds(t *testing.T, admin, name string) bool {
	t.Helper()
	c, _ := conditionOf(t, admin, name)
	return c.OK
}

// A node whose clock is far ahead commits nothing by it, also when only two are
// left and nobody can tell which is wrong: the one that is ahead gives way. When
// it is right again it takes part.
func TestANodeFarAheadCommitsNothing(t *testing.T) {
	t.Parallel()
	var clock shifted
	all := trio(t, func(c *node.Config) {
		if c.Name == "n3" {
			c.Clock = clock.now
		}
	})
	if err := all[0].Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	n2, n3 := all[1].Admin(), all[2].Admin()
	eventually(t, "two are enough", func() bool { return changes(t, n2) })
	clock.by.Store(int64(410 * day))
	eventually(t, "n3 says that it is ahead", func() bool {
		c, ready := conditionOf(t, n3, "clock")
		return !ready && strings.Contains(c.Detail, "ahead of what the clocks of a majority allow")
	})
	for range 5 {
		eventually(t, "a change through each", func() bool { return changes(t, n2) && changes(t, n3) })
	}
	eventually(t, "n3 leads nothing", func() bool { return !strings.Contains(all[1].view(t), `"leader": "n3"`) })
	if c, _ := conditionOf(t, n2, "time"); !c.OK {
		t.Errorf("time was taken from a clock that is ahead: %s", c.Detail)
	}
	if c, _ := conditionOf(t, n2, "clock"); !c.OK {
		t.Errorf("the node that goes by the earlier clock: %s", c.Detail)
	}
	clock.by.Store(0)
	eventually(t, "n3 is ready again", func() bool { return holds(t, n3, "clock") })
}

// A majority that leaps takes the shards' time along; afterwards one command
// brings it back on all of them.
func TestAMajorityThatLeaptIsSetBack(t *testing.T) {
	t.Parallel()
	var clock shifted
	all := trio(t, func(c *node.Config) { c.Clock = clock.now })
	admin := all[0].Admin()
	clock.by.Store(int64(410 * day))
	eventually(t, "a change", func() bool { return changes(t, admin) })
	eventually(t, "the clocks agree again, and the node says that they leapt", func() bool {
		c, ready := conditionOf(t, admin, "retention")
		return ready && !c.OK && strings.Contains(c.Detail, "ssoctl clock accept")
	})
	clock.by.Store(0)
	eventually(t, "time stands still and the node says so", func() bool {
		c, ready := conditionOf(t, admin, "time")
		return ready && !c.OK && strings.Contains(c.Detail, "ssoctl clock reset")
	})
	if got := post(t, all[2].Admin(), "clock/reset", ""); got != http.StatusNoContent {
		t.Fatalf("reset: %d", got)
	}
	for _, m := range all {
		eventually(t, "time goes on", func() bool { return holds(t, m.Admin(), "time") && holds(t, m.Admin(), "retention") })
	}
	eventually(t, "a change", func() bool { return changes(t, admin) })
	if !holds(t, admin, "time") {
		t.Error("the shard's time is ahead again")
	}
}

// A laptop that slept over the weekend serves as before. What is kept for long
// waits for a day of uptime, or for a word, also over restarts.
func TestAWeekendOfSleepNeedsNoHand(t *testing.T) {
	t.Parallel()
	var clock shifted
	c := settings(t)
	c.Clock = clock.now
	n, err := node.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	again := func() {
		if err := n.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
		if n, err = node.Start(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	defer func() { _ = n.Stop(context.Background()) }()
	if !holds(t, n.Admin(), "retention") {
		t.Error("the clock of a founder is not trusted")
	}
	for _, sleep := range []time.Duration{64 * time.Hour, 128 * time.Hour} {
		clock.by.Store(int64(sleep))
		if c, ready := conditionOf(t, n.Admin(), "retention"); c.OK || !ready {
			t.Errorf("after %v: ready %v, %+v", sleep, ready, c)
		}
		if !changes(t, n.Admin()) {
			t.Error("changes are refused")
		}
		again()
		if holds(t, n.Admin(), "retention") {
			t.Error("a restart confirms the leap")
		}
		if got := post(t, n.Admin(), "clock/accept", ""); got != http.StatusOK {
			t.Errorf("accept: %d", got)
		}
		if !holds(t, n.Admin(), "retention") {
			t.Error("what was accepted is not confirmed")
		}
		again()
		if !holds(t, n.Admin(), "retention") {
			t.Error("what was accepted is forgotten")
		}
	}
	// A clock that was ahead while changes were made.
	clock.by.Store(0)
	if c, ready := conditionOf(t, n.Admin(), "time"); c.OK || !ready {
		t.Errorf("ahead of the clock: ready %v, %+v", ready, c)
	}
	if got := post(t, n.Admin(), "clock/reset", ""); got != http.StatusNoContent {
		t.Errorf("reset: %d", got)
	}
	if !holds(t, n.Admin(), "time") || !changes(t, n.Admin()) || !holds(t, n.Admin(), "time") {
		t.Error("time does not go on")
	}
	again()
	if !holds(t, n.Admin(), "time") {
		t.Error("the reset is forgotten")
	}
}
