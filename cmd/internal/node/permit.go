package node

import (
	"crypto/x509"
	"fmt"
	"time"

	"ssod/cluster/placement"
	"ssod/cluster/transport"
)

// permit says why a peer that knows the cluster's secret is not, or no longer, one of its
// nodes, on any port. A peer without an id asks to join. An unknown node may have joined
// lately, while this one may not have the newest registry: that node may be the only way
// to get it.
func (n *Node) permit(p transport.Peer, cert *x509.Certificate) error {
	if cert != nil {
		digest := transport.FingerprintOf(cert)
		if by, banned := n.nodes.Banned(digest[:]); banned {
			return fmt.Errorf("%w: that of node %s (%d): ssoctl readmit %s accepts it again", transport.ErrCertificate, by.Name, by.ID, by.Name)
		}
	}
	if p.ID == 0 {
		return nil
	}
	known, registered := n.nodes.Node(p.ID)
	switch {
	case registered && known.State == placement.NodeState_REMOVED:
		return fmt.Errorf("%w: %v", transport.ErrRemoved, p)
	case registered && known.Name != p.Name:
		return fmt.Errorf("%w: %v is registered as %q", transport.ErrNode, p, known.Name)
	case !registered && n.upToDate():
		return fmt.Errorf("%w: %v", transport.ErrUnregistered, p)
	}
	return nil
}

// upToDate reports whether this node has had the newest registry lately.
func (n *Node) upToDate() bool {
	placed := n.placed.Load()
	return placed != nil && placed.HasContact(time.Now())
}

// shown are digests of the certificates that a node has shown.
func (n *Node) shown(id placement.NodeID) (digests [][]byte) {
	for _, f := range n.network.Certificates(id) {
		digests = append(digests, f[:])
	}
	return digests
}
