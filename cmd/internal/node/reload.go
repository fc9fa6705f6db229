package node

import (
	"context"
	"fmt"

	"ssod/httpfront/admin"
	"ssod/httpfront/config"
)

// Reload reads the configuration file again and takes it into use, all of it
// or nothing. It fails with [admin.ErrConfiguration] or [config.ErrRestart].
func (n *Node) Reload(ctx context.Context) (*config.Config, error) {
	n.reloading.Lock()
	defer n.reloading.Unlock()
	if n.config.File == "" {
		return nil, fmt.Errorf("%w: the node runs on the built-in demo configuration; start it with --config", admin.ErrConfiguration)
	}
	next, err := n.config.Settings()
	if err != nil {
		return nil, fmt.Errorf("%w, nothing was changed: %w", admin.ErrConfiguration, err)
	}
	if err := n.settings.Check(next); err != nil {
		return nil, err
	}
	if err := n.ring.Sync(ctx, next); err != nil {
		return nil, fmt.Errorf("prepare the keys for the new configuration: %w", err)
	}
	if err := n.settings.Replace(next); err != nil {
		return nil, err
	}
	if n.gossip != nil {
		if err := n.gossip.SetMeta(n.meta()); err != nil {
			return nil, err
		}
		n.compareConfigurations()
	}
	n.warn(next)
	n.log.Info("configuration reloaded", "file", n.config.File, "hash", next.Hash)
	return next, nil
}
