package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"ssod/cluster"
	"ssod/cluster/placement"
	"ssod/httpfront/api/admin"
	"ssod/persistence/level"
)

// founding are the settings of a cluster that this node founds.
func (c *Config) founding() placement.Settings {
	s := placement.DefaultSettings()
	s.Replicas, s.DeadAfter = cmp.Or(c.Replicas, s.Replicas), cmp.Or(c.DeadAfter, s.DeadAfter)
	s.Level = level.Newest
	return s
}

// compareSettings logs flags without effect, because the cluster was founded with other
// values or has changed them since.
func (n *Node) compareSettings() {
	now, err := placement.SettingsOf(n.tables)
	if err != nil {
		n.log.Warn("the settings of the cluster cannot be read", "error", err)
		return
	}
	has := now.Text()
	for name, value := range n.config.founding().Text() {
		given := map[string]bool{"replicas": n.config.Replicas != 0, "dead-after": n.config.DeadAfter != 0}
		if given[name] && value != has[name] {
			n.log.Warn("a flag has no effect: it is for the founding of a cluster, and this one has another setting",
				"flag", "--"+name, "flag_value", value, "cluster_has", has[name], "to_change_it", fmt.Sprintf("ssoctl cluster set %s=%s", name, value))
		}
	}
}

// clusterSettings is [admin.ClusterSettings].
type clusterSettings struct{ n *Node }

func (c clusterSettings) All() (map[string]string, error) {
	s, err := placement.SettingsOf(c.n.tables)
	return s.Text(), err
}

func (c clusterSettings) Unplaced() int {
	if c.n.placement == nil {
		return 0
	}
	return c.n.placement.Unplaced()
}

func (c clusterSettings) Set(ctx context.Context, changes map[string]string) error {
	var err error
	if c.n.placement == nil {
		err = placement.SetAlone(ctx, c.n.tables, c.n.me, changes)
		if err == nil {
			err = c.n.takeLevel()
		}
	} else {
		err = c.n.placement.Set(ctx, changes)
	}
	switch {
	case errors.Is(err, placement.ErrSetting):
		return fmt.Errorf("%w: %w", admin.ErrSetting, err)
	case errors.Is(err, placement.ErrTemporary):
		return fmt.Errorf("%w: %w", cluster.ErrRefused, err)
	}
	return err
}
