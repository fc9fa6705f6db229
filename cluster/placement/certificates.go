package placement

import (
	"bytes"
	"context"
	"fmt"
	"slices"
)

// maxCertificates is how many certificates of a node are remembered: earlier ones have
// expired.
const maxCertificates = 16

// shown adds the certificates that this node saw of another and reports whether any is
// new.
func (p *Placement) shown(n *Node) (changed bool) {
	for _, digest := range p.cfg.Certificates(n.ID) {
		if hasDigest(n.Certificates, digest) {
			continue
		}
		all := append(slices.Clone(n.Certificates), digest)
		n.Certificates, changed = all[max(0, len(all)-maxCertificates):], true
	}
	return changed
}

func hasDigest(all [][]byte, digest []byte) bool {
	return slices.ContainsFunc(all, func(o []byte) bool { return bytes.Equal(o, digest) })
}

// Banned is the removed node that had a certificate, unless a member has it too: then they
// share it.
func (b *Registry) Banned(digest []byte) (by Node, banned bool) {
	for _, n := range b.contents.Load().nodes {
		switch {
		case !hasDigest(n.Certificates, digest):
		case n.State != NodeState_REMOVED:
			return Node{}, false
		default:
			by, banned = n, true
		}
	}
	return by, banned
}

// Readmit accepts the certificates of a removed node again, so that it may join with them.
// The leader of the meta shard decides.
func (p *Placement) Readmit(ctx context.Context, name string) error {
	if err := p.request(ctx, name, &Request{Readmit: &ReadmitRequest{Name: name}}); err != nil {
		return fmt.Errorf("readmit node %s: %w", name, err)
	}
	return nil
}

// readmit forgets the certificates, on the leader of the meta shard.
func (p *Placement) readmit(ctx context.Context, name string) error {
	err := p.decideUntil(ctx, func(ctx context.Context, s *session) error {
		var removed []Node
		for _, n := range s.contents.nodes {
			if n.Name == name && n.State == NodeState_REMOVED && len(n.Certificates) > 0 {
				n.Certificates = nil
				removed = append(removed, n)
			}
		}
		if len(removed) == 0 {
			return ErrUnknownNode
		}
		return s.decide(ctx, removed...)
	})
	if err == nil {
		p.cfg.Log.Info("the certificates of a removed node are accepted again", "node", name)
	}
	return err
}
