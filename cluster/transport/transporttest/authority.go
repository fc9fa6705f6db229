// Package transporttest helps to test nodes that talk to each other: certificates,
// and a proxy that breaks their connections.
package transporttest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"ssod/cluster/secretfile"
	"ssod/cluster/transport"
)

// Authority signs the certificates of a cluster's nodes. Its files are in one
// directory: ca.pem, ca.key, NAME.pem and NAME.key.
type Authority struct {
	// Life is how long certificates are good, an hour at first.
	Life time.Duration

	dir  string
	cert *x509.Certificate
	key  crypto.PrivateKey
}

// NewAuthority makes an authority in a directory that exists.
func NewAuthority(dir string) (*Authority, error) {
	a := &Authority{Life: time.Hour, dir: dir}
	return a, a.Found()
}

// OpenAuthority reads the authority in a directory; [fs.ErrNotExist]: there is none
// yet, Found makes it.
func OpenAuthority(dir string) (*Authority, error) {
	a := &Authority{Life: time.Hour, dir: dir}
	pair, err := secretfile.KeyPair(a.file("ca.pem"), a.file("ca.key"))
	a.cert, a.key = pair.Leaf, pair.PrivateKey
	return a, err
}

// Found makes the keys of the authority itself.
func (a *Authority) Found() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := a.certificate("ssod development authority")
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	a.cert, a.key = template, key
	der, err := a.sign(template, key, "ca")
	if err != nil {
		return err
	}
	a.cert, err = x509.ParseCertificate(der)
	return err
}

func (a *Authority) file(name string) string { return filepath.Join(a.dir, name) }

// Issue makes key and certificate of a node, good for localhost too, for clients and servers alike
// unless other usages are given.
func (a *Authority) Issue(name string, usages ...x509.ExtKeyUsage) (transport.Files, error) {
	f := transport.Files{Cert: a.file(name + ".pem"), Key: a.file(name + ".key"), CA: a.file("ca.pem")}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return f, err
	}
	template := a.certificate(name)
	template.DNSNames = []string{name, "localhost"}
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	if len(usages) > 0 {
		template.ExtKeyUsage = usages
	}
	_, err = a.sign(template, key, name)
	return f, err
}

// sign writes NAME.pem and NAME.key and returns the certificate.
func (a *Authority) sign(template *x509.Certificate, key *ecdsa.PrivateKey, name string) ([]byte, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return der, errors.Join(writePEM(a.file(name+".key"), "PRIVATE KEY", pkcs8), writePEM(a.file(name+".pem"), "CERTIFICATE", der))
}

// Credentials are those of a new certificate.
func (a *Authority) Credentials(name string) (*transport.Credentials, error) {
	f, err := a.Issue(name)
	if err != nil {
		return nil, err
	}
	return transport.LoadCredentials(f, name)
}

// certificate is what all of them have in common.
func (a *Authority) certificate(name string) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		panic(err) // never fails since Go 1.24
	}
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.Add(-time.Minute),
		NotAfter:     now.Add(a.Life),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
}

func writePEM(file, kind string, der []byte) error {
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
