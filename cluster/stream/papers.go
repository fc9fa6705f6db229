package stream

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"net"
	"time"

	"ssod/cluster/proof"
	"ssod/cluster/secret"
)

// Member is a node as others know it.
type Member struct {
	ID   uint32
	Name string
}

func (m Member) String() string { return fmt.Sprintf("node %q (%d)", m.Name, m.ID) }

// Papers are what a node shows to the others and judges them by, first on each connection.
// Secrets is required.
type Papers struct {
	// Secrets are what both sides prove that they know.
	Secrets *secret.Ring
	// Cluster is the cluster's id, Self this node in it.
	Cluster string
	Self    Member
	// Server is the TLS configuration to accept with, Client that to dial the node of a
	// name with: certificates are for names, addresses may change. nil: no TLS.
	Server *tls.Config
	Client func(name string) *tls.Config
	// At is the node that must be at an address. nil: any.
	At func(address string) (Member, bool)
	// Permit refuses a node that has proven the secret and must not take part; the
	// certificate is for its name, and nil without TLS. It is called for each connection,
	// and without the certificate for each frame. nil: none is refused.
	Permit func(m Member, cert *x509.Certificate) error
}

// conn is a connection after the handshake, with TLS if there is TLS.
type conn struct {
	net.Conn
	under  *socket
	member Member
}

// shakingTime bounds the accepting side of a handshake.
const shakingTime = 3 * time.Second

// greet is the dialing side of a handshake with the node at an address.
func (d Papers) greet(ctx context.Context, raw net.Conn, address string) (conn, error) {
	member, known := Member{}, true
	if d.At != nil {
		member, known = d.At(address)
	}
	if !known {
		return conn{}, fmt.Errorf("no node is known at %s", address)
	}
	defer context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Now()) })()
	c := conn{under: newSocket(raw)}
	state, err := c.secure(ctx, d.Client != nil, func(c net.Conn) *tls.Conn { return tls.Client(c, d.Client(member.Name)) })
	if err != nil {
		return c, err
	}
	answer, err := proof.Dial(c, d.port(address, state), claim{member.ID, d.Cluster, d.Self}.encode())
	if err != nil {
		return c, err
	}
	said, err := decodeClaim(answer)
	if err == nil {
		err = d.judge(said, state)
	}
	if err == nil && d.At != nil && said.from != member {
		err = fmt.Errorf("%w: %v answers at the address of %v", ErrStranger, said.from, member)
	}
	c.member = said.from
	return c, err
}

// admit is the accepting side of a handshake, of a node that is reached at an address. A
// stranger learns nothing; a node that has proven that it knows the secret learns why it is
// refused.
func (d Papers) admit(ctx context.Context, raw net.Conn, address string) (conn, error) {
	ctx, cancel := context.WithTimeout(ctx, shakingTime)
	defer cancel()
	defer context.AfterFunc(ctx, func() { raw.Close() })()
	c := conn{under: newSocket(raw)}
	state, err := c.secure(ctx, d.Server != nil, func(c net.Conn) *tls.Conn { return tls.Server(c, d.Server) })
	if err != nil {
		return c, err
	}
	guest, err := proof.Accept(c, d.port(address, state))
	if err != nil {
		return c, err
	}
	said, err := decodeClaim(guest.Statement)
	if err == nil {
		err = d.judge(said, state)
	}
	if err != nil {
		_ = guest.Answer(encodeRefusal(err)) // or it is gone
		return c, err
	}
	c.member = said.from
	return c, guest.Answer(claim{said.from.ID, d.Cluster, d.Self}.encode())
}

// secure does one side's TLS handshake, if there is TLS.
func (c *conn) secure(ctx context.Context, wanted bool, side func(net.Conn) *tls.Conn) (*tls.ConnectionState, error) {
	if !wanted {
		c.Conn = c.under
		return nil, nil
	}
	secured := side(c.under)
	c.Conn = secured
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	state := secured.ConnectionState()
	return &state, nil
}

func (d Papers) port(address string, state *tls.ConnectionState) proof.Port {
	return proof.Port{Ring: d.Secrets, Use: secret.RPC, Address: address, TLS: state}
}

// judge refuses a node of another cluster, one that wants another node, one with the
// certificate of another name, and one that is not permitted.
func (d Papers) judge(c claim, state *tls.ConnectionState) error {
	switch {
	case c.cluster != d.Cluster:
		return fmt.Errorf("%w: %v is of cluster %q", ErrStranger, c.from, c.cluster)
	case c.to != d.Self.ID && d.At != nil:
		return fmt.Errorf("%w: this is %v, node %d is wanted", ErrStranger, d.Self, c.to)
	case state == nil:
		return d.permit(c.from, nil)
	}
	leaf := state.PeerCertificates[0]
	if err := leaf.VerifyHostname(c.from.Name); err != nil {
		return fmt.Errorf("%w: it calls itself %v: %w", ErrStranger, c.from, err)
	}
	return d.permit(c.from, leaf)
}

func (d Papers) permit(m Member, cert *x509.Certificate) error {
	if d.Permit == nil {
		return nil
	}
	if err := d.Permit(m, cert); err != nil {
		return fmt.Errorf("%w: %w", ErrStranger, err)
	}
	return nil
}

// claim is what a node says of itself, with its proof, and which node it wants.
type claim struct {
	to      uint32
	cluster string
	from    Member
}

// The first byte of a statement.
const (
	isClaim   = 1
	isRefusal = 2
)

func (c claim) encode() []byte {
	b := binary.BigEndian.AppendUint32([]byte{isClaim}, c.to)
	b = binary.BigEndian.AppendUint32(b, c.from.ID)
	for _, s := range []string{c.cluster, c.from.Name} {
		b = binary.BigEndian.AppendUint16(b, uint16(len(s)))
		b = append(b, s...)
	}
	return b
}

func encodeRefusal(err error) []byte {
	text := err.Error()
	return append([]byte{isRefusal}, text[:min(len(text), proof.MaxStatement-1)]...)
}

// decodeClaim decodes a claim; a refusal is an error. Its text is quoted, as it may hold
// anything.
func decodeClaim(b []byte) (c claim, err error) {
	const fixed = 1 + 4 + 4
	switch {
	case len(b) > 0 && b[0] == isRefusal:
		return c, fmt.Errorf("%w: the other node says %q", ErrStranger, b[1:])
	case len(b) < fixed || b[0] != isClaim:
		return c, fmt.Errorf("%w: no claim", proof.ErrProtocol)
	}
	c.to, c.from.ID = binary.BigEndian.Uint32(b[1:]), binary.BigEndian.Uint32(b[5:])
	rest := b[fixed:]
	for _, s := range []*string{&c.cluster, &c.from.Name} {
		if len(rest) < 2 || len(rest) < 2+int(binary.BigEndian.Uint16(rest)) {
			return c, fmt.Errorf("%w: short claim", proof.ErrProtocol)
		}
		n := 2 + int(binary.BigEndian.Uint16(rest))
		*s, rest = string(rest[2:n]), rest[n:]
	}
	if len(rest) > 0 {
		return c, fmt.Errorf("%w: long claim", proof.ErrProtocol)
	}
	return c, nil
}
