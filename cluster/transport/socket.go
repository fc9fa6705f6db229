package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"

	"ssod/cluster/proof"
	"ssod/cluster/secret"
)

// socket is a connection, with TLS if there is TLS.
type socket struct {
	net.Conn          // TLS, or the same as raw
	raw      net.Conn // the kernel's
	out      *coalescer
	state    *tls.ConnectionState // nil without TLS, as is out
}

// secure does one side's TLS handshake, if there is TLS.
func (n *Network) secure(ctx context.Context, raw net.Conn, side func(net.Conn) *tls.Conn) (*socket, error) {
	if n.cfg.Credentials == nil {
		return &socket{Conn: raw, raw: raw}, nil
	}
	out := newCoalescer(raw)
	conn := side(out)
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	state := conn.ConnectionState()
	return &socket{Conn: conn, raw: raw, out: out, state: &state}, nil
}

// port is this side's part in a proof; address is that of the acceptor.
func (n *Network) port(s *socket, address string) proof.Port {
	return proof.Port{Ring: n.cfg.Secrets, Use: secret.Raft, Address: address, TLS: s.state}
}

// leaf is the other side's certificate; nil without TLS.
func (s *socket) leaf() *x509.Certificate {
	if s.state == nil {
		return nil
	}
	return s.state.PeerCertificates[0]
}

// link puts frames on a connection, in the era of the node at the other end.
func (n *Network) link(s *socket, now era, limit int) *link {
	if s.out != nil {
		s.out.begin()
	}
	l := newLink(s, limit, n.cfg.Silence)
	l.era = now
	return l
}
