package node

import (
	"context"
	"errors"
	"fmt"

	"ssod/httpfront/api/admin"
	"ssod/httpfront/config"
)

// Reload reads the configuration file again and applies all of it or nothing. It fails
// with [admin.ErrConfiguration], [config.ErrRestart] or [admin.ErrReload].
//
// One reload runs at a time. Calls meanwhile share the next one, because the file may have
// changed since the running one has read it.
func (n *Node) Reload(ctx context.Context) (*config.Config, error) {
	t, err := n.reloads.join(n.reload)
	if err != nil {
		return nil, err
	}
	select {
	case <-t.done:
		return t.cfg, t.err
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: it goes on, and the log tells how it ends", admin.ErrReload)
	}
}

// reload is one reload. It waits only for the files: keys that the new configuration needs
// are made later.
func (n *Node) reload(ctx context.Context) (*config.Config, error) {
	c := &n.config
	if c.File == "" && c.AdminTokens == "" && c.Secret == "" {
		return nil, fmt.Errorf("%w: the node runs on the built-in demo configuration; start it with --config", admin.ErrConfiguration)
	}
	next, adopt, err := n.reading.read(ctx, n.prepare)
	if err != nil {
		return nil, err
	}
	if err := n.settings.Replace(next); err != nil {
		return nil, err
	}
	if err := adopt(); err != nil {
		return nil, err
	}
	if n.gossip != nil {
		if err := n.tellMeta(); err != nil {
			return nil, err
		}
		n.compareConfigurations()
	}
	n.warn(next)
	n.log.Info("configuration reloaded", "file", c.File, "hash", next.Hash)
	return next, nil
}

// prepare reads everything that a reload needs and changes nothing.
func (n *Node) prepare() (next *config.Config, adopt func() error, err error) {
	secrets, err := n.config.readSecrets()
	if err == nil {
		err = n.compareSecrets(secrets)
	}
	if err = errors.Join(err, n.config.checkKeyPairs()); err != nil {
		return nil, nil, fmt.Errorf("%w, nothing was changed: %w", admin.ErrConfiguration, err)
	}
	next, err = n.config.Settings()
	if err != nil {
		return nil, nil, fmt.Errorf("%w, nothing was changed: %w", admin.ErrConfiguration, err)
	}
	if err := n.settings.Check(next); err != nil {
		return nil, nil, err
	}
	keys, err := n.ring.Prepare(next)
	if err != nil {
		return nil, nil, fmt.Errorf("%w, nothing was changed: %w", admin.ErrConfiguration, err)
	}
	return next, func() error { keys(); return n.adoptSecrets(secrets) }, nil
}
