package transport

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"

	"ssod/cluster/secretfile"
)

// Files are the PEM files of a node. The certificate must have the node's name among its DNS
// names, for client and server authentication; CA are the certificates of the authority,
// which should sign for nodes only.
type Files struct {
	Cert, Key, CA string
}

// Credentials authenticate a node to others with certificates of the same authority. The
// files are read again for every connection, so that they can be renewed while the node
// runs; while they are unreadable or do not fit together the last good ones are used.
type Credentials struct {
	files Files
	mu    sync.Mutex
	last  *identity
}

// identity is the contents of the files.
type identity struct {
	cert tls.Certificate
	ca   *x509.CertPool
}

// LoadCredentials reads the files of the node called name, and checks that they are for it.
func LoadCredentials(files Files, name string) (*Credentials, error) {
	id, err := files.load()
	if err != nil {
		return nil, err
	}
	if err := id.cert.Leaf.VerifyHostname(name); err != nil {
		return nil, fmt.Errorf("%s: %w: it must name %q: %w", files.Cert, ErrNode, name, err)
	}
	for _, usage := range []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} {
		o := x509.VerifyOptions{Roots: id.ca, Intermediates: id.intermediates(), KeyUsages: []x509.ExtKeyUsage{usage}}
		if _, err := id.cert.Leaf.Verify(o); err != nil {
			return nil, fmt.Errorf("%s: other nodes will refuse it: %w", files.Cert, err)
		}
	}
	return &Credentials{files: files, last: id}, nil
}

func (f Files) load() (*identity, error) {
	cert, err := secretfile.KeyPair(f.Cert, f.Key)
	if err != nil {
		return nil, fmt.Errorf("certificate %s with key %s: %w", f.Cert, f.Key, err)
	}
	pem, err := os.ReadFile(f.CA)
	if err != nil {
		return nil, fmt.Errorf("authority: %w", err)
	}
	id := &identity{cert: cert, ca: x509.NewCertPool()}
	if !id.ca.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("authority %s: %w", f.CA, errors.New("no certificate in it"))
	}
	return id, nil
}

func (i *identity) intermediates() *x509.CertPool {
	pool := x509.NewCertPool()
	for _, der := range i.cert.Certificate[1:] {
		if c, err := x509.ParseCertificate(der); err == nil {
			pool.AddCert(c)
		}
	}
	return pool
}

// current reads the files again.
func (c *Credentials) current() *identity {
	id, err := c.files.load()
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		c.last = id
	}
	return c.last
}

// Server is the configuration to accept other nodes with: any node of the authority.
func (c *Credentials) Server() *tls.Config {
	o := c.base(c.current())
	o.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return c.base(c.current()), nil
	}
	return o
}

// Client is the configuration to dial the node called name with.
func (c *Credentials) Client(name string) *tls.Config {
	o := c.base(c.current())
	o.ServerName = name
	return o
}

func (c *Credentials) base(id *identity) *tls.Config {
	return &tls.Config{
		MinVersion:                  tls.VersionTLS13,
		Certificates:                []tls.Certificate{id.cert},
		RootCAs:                     id.ca,
		ClientCAs:                   id.ca,
		ClientAuth:                  tls.RequireAndVerifyClientCert,
		SessionTicketsDisabled:      true, // a resumed session would show an old certificate
		DynamicRecordSizingDisabled: true, // frames fill records
	}
}

// Fingerprint is the SHA-256 of a certificate.
type Fingerprint [sha256.Size]byte

// FingerprintOf returns that of a certificate.
func FingerprintOf(cert *x509.Certificate) Fingerprint { return sha256.Sum256(cert.Raw) }

// maxSeen is how many certificates of a node are remembered.
const maxSeen = 4

// saw notes a certificate that the node has proven to be its own; nil: none.
func (p *peer) saw(cert *x509.Certificate) {
	if cert == nil {
		return
	}
	f := FingerprintOf(cert)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = append(slices.DeleteFunc(p.seen, func(o Fingerprint) bool { return o == f }), f)
	p.seen = p.seen[max(0, len(p.seen)-maxSeen):]
}

// Certificates are those that a node has shown since this process started, the newest last.
func (n *Network) Certificates(id NodeID) []Fingerprint {
	p := n.peer(id)
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.seen)
}
