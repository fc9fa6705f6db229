package membership

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"

	"ssod/cluster/wait"
)

// join looks for others: at once, and again as long as this node is alone or nodes are
// lost.
func (g *Gossip) join() {
	for ok := true; ok; ok = wait.Pause(g.ctx, g.cfg.Retry/2+rand.N(g.cfg.Retry/2)) == nil {
		g.attempt(g.wanted())
	}
}

// wanted are the addresses to try.
func (g *Gossip) wanted() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	lost := g.members.lost()
	if g.alone() {
		return append(slices.Clone(g.cfg.Join), lost...)
	}
	return lost
}

// attempt tries addresses, one after another.
func (g *Gossip) attempt(addresses []string) {
	if len(addresses) == 0 {
		return
	}
	var errs []error
	for _, a := range addresses {
		if g.ctx.Err() != nil {
			return
		}
		if err := g.meet(a); err != nil {
			errs = append(errs, err)
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	before := g.trouble
	g.trouble = errors.Join(errs...)
	if g.trouble != nil && g.alone() && (before == nil || before.Error() != g.trouble.Error()) {
		g.cfg.Log.Warn("no other node found yet", "error", g.trouble)
	}
}

// Look tries the addresses to join now, and returns when all were tried.
func (g *Gossip) Look() { g.attempt(g.cfg.Join) }

// ErrSecret says that the node at an address has another secret than this one.
var ErrSecret = errors.New("it has another cluster secret than this node")

// errSelf says that an address to join is this node's own.
var errSelf = errors.New("that is this node")

// meet exchanges members with the node at an address.
func (g *Gossip) meet(address string) error {
	found, err := resolve(g.ctx, address)
	if err != nil {
		return err
	}
	for _, a := range found {
		if a == g.Addr() {
			return fmt.Errorf("join %s: %w", address, errSelf)
		}
		if _, err := g.list.Join([]string{a}); err != nil {
			if unproved(err.Error()) {
				err = ErrSecret
			}
			return fmt.Errorf("join %s: %w", address, err)
		}
	}
	return nil
}

// resolve finds the addresses of a host, within a timeout, which memberlist does not have.
func resolve(ctx context.Context, address string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("join: %w", err)
	}
	ips, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("join: %w", err)
	}
	for i, ip := range ips {
		ips[i] = net.JoinHostPort(ip, port)
	}
	return ips, nil
}
