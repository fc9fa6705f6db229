package placement_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"ssod/cluster"
	"ssod/cluster/placement"
)

func TestSettingsAreChecked(t *testing.T) {
	tests := []struct {
		name    string
		changes map[string]string
		says    []string // mistakes; nil: there are none
		want    map[string]string
	}{
		{"none", nil, nil, nil},
		{"replicas", map[string]string{"replicas": "1"}, nil, map[string]string{"replicas": "1"}},
		{"written otherwise", map[string]string{"dead-after": "300s", "replicas": "05"}, nil, map[string]string{"dead-after": "5m0s", "replicas": "5"}},
		{"two replicas", map[string]string{"replicas": "2"}, []string{`replicas="2" is not 1, 3 or 5`}, nil},
		{"no replica", map[string]string{"replicas": "0"}, []string{`replicas="0"`}, nil},
		{"no number", map[string]string{"replicas": "three"}, []string{`replicas="three"`}, nil},
		{"no unit", map[string]string{"dead-after": "300"}, []string{`dead-after="300"`}, nil},
		{"dead at once", map[string]string{"dead-after": "999ms"}, []string{`of 1s or more`}, nil},
		{"unknown", map[string]string{"Replicas": "3"}, []string{`no setting "Replicas", only dead-after, `, "replicas"}, nil},
		{"every mistake", map[string]string{"replicas": "4", "dead-after": "", "x": "y", "": ""}, []string{`replicas="4"`, `dead-after=""`, `"x"`, `""`}, nil},
		{"one of two is wrong", map[string]string{"replicas": "1", "x": "y"}, []string{`"x"`}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := placement.DefaultSettings().With(tt.changes)
			if errors.Is(err, placement.ErrSetting) != (tt.says != nil) {
				t.Fatalf("got %v, want mistakes %q", err, tt.says)
			}
			for _, want := range tt.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want one that says %q", err, want)
				}
			}
			want := placement.DefaultSettings().Text()
			maps.Copy(want, tt.want)
			if err == nil && !maps.Equal(got.Text(), want) {
				t.Errorf("got %v, want %v", got.Text(), want)
			}
		})
	}
}

// The settings are those that the first node was started with, on every node,
// whatever the flags of the others say.
func TestSettingsAreFoundedOnce(t *testing.T) {
	c := newCluster(t)
	c.founding = placement.Settings{Replicas: 1, DeadAfter: time.Hour}
	c.found("n1")
	c.founding = placement.Settings{Replicas: 5, DeadAfter: time.Minute}
	c.join("n2", 1)
	for _, n := range c.running() {
		c.eventually(n.name+" has the settings", func() bool {
			return n.placement.Settings() == placement.Settings{Replicas: 1, DeadAfter: time.Hour, Level: 1}
		})
	}
}

// Any node takes a change. All or nothing of it is made.
func TestSettingsAreChangedFromEveryNode(t *testing.T) {
	c := three(t)
	for i, after := range []string{"2m", "3m", "4m"} {
		n := c.running()[i]
		c.configure(n, map[string]string{"dead-after": after})
		if got := n.placement.Settings().Text()["dead-after"]; got != after+"0s" {
			t.Errorf("%s has %s when the change is answered, want %s", n.name, got, after)
		}
		err := n.placement.Set(t.Context(), map[string]string{"dead-after": "9m", "replicas": "2"})
		if !errors.Is(err, placement.ErrSetting) || !strings.Contains(err.Error(), `replicas="2"`) {
			t.Errorf("a bad change on %s: got %v", n.name, err)
		}
	}
	const want = 4 // founded and changed three times
	tables := c.nodes[1].placement.Tables()
	c.eventually("the last change is here", func() bool { return tables.Read("settings").Revision() >= want })
	if got := tables.Read("settings").Revision(); got != want {
		t.Errorf("the table has revision %d, want %d: what was refused has changed it", got, want)
	}
}

// configure changes settings, again while there is no leader.
func (c *testCluster) configure(n *testNode, changes map[string]string) {
	c.Helper()
	c.eventually("the settings are changed", func() bool {
		ctx, cancel := context.WithTimeout(c.Context(), 5*time.Second)
		defer cancel()
		err := n.placement.Set(ctx, changes)
		if err != nil && !errors.Is(err, placement.ErrTemporary) {
			c.Fatal(err)
		}
		return err == nil
	})
}

// Three copies become one, and three again. Nothing is lost on the way.
func TestCopiesAreTakenAwayAndComeBack(t *testing.T) {
	c := three(t)
	c.copies("1", 1)
	c.fill(20, 30)
	c.holds(30)
	c.copies("3", 3)
	c.fill(30, 40)
	c.holds(40)
	c.confirmed()
}

// copies sets replicas and waits until every shard has so many voters.
func (c *testCluster) copies(replicas string, voters int) {
	c.Helper()
	n := c.running()[0]
	c.configure(n, map[string]string{"replicas": replicas})
	if replicas == "1" && n.placement.Unplaced() == 0 {
		c.Error("all shards have changed before anybody could change them")
	}
	c.eventually("every shard has changed", func() bool { return n.placement.Unplaced() == 0 })
	for id := range cluster.ShardID(testShards) {
		c.eventually("the voters are those that are written down", func() bool {
			leader, _ := c.leader(id + 1)
			st, err := leader.engine.Status(c.Context(), id+1)
			return err == nil && len(st.Applied.Conf.GetVoters()) == voters
		})
	}
}
