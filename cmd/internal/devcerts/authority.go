package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"ssod/cluster/secretfile"
)

// life is for how long everything is good.
const life = 365 * 24 * time.Hour

// authority signs the certificates of a cluster's nodes. Its files are in dir.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  crypto.PrivateKey
}

// openAuthority reads the authority in a directory, or makes one.
func openAuthority(dir string) (*authority, error) {
	a := &authority{dir: dir}
	pair, err := secretfile.KeyPair(a.file("ca.pem"), a.file("ca.key"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return a, a.found()
	case err != nil:
		return nil, fmt.Errorf("authority in %s: %w", dir, err)
	}
	a.cert, a.key = pair.Leaf, pair.PrivateKey
	return a, nil
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name) }

// found makes a new authority.
func (a *authority) found() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := newTemplate("ssod development authority")
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	a.cert, a.key = template, key
	if err := a.sign(template, key, "ca"); err != nil {
		return err
	}
	pair, err := secretfile.KeyPair(a.file("ca.pem"), a.file("ca.key"))
	a.cert = pair.Leaf
	return err
}

// issue makes the key and the certificate of a node.
func (a *authority) issue(node string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := newTemplate(node)
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	template.DNSNames = []string{node, "localhost"}
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	return a.sign(template, key, node)
}

func newTemplate(name string) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		panic(err) // never fails since Go 1.24
	}
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(life),
	}
}

// sign writes NAME.pem and NAME.key.
func (a *authority) sign(template *x509.Certificate, key *ecdsa.PrivateKey, name string) error {
	cert, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return errors.Join(a.write(name+".key", "PRIVATE KEY", secret), a.write(name+".pem", "CERTIFICATE", cert))
}

func (a *authority) write(name, kind string, der []byte) error {
	return os.WriteFile(a.file(name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}

// keepSecret makes the secret of the cluster unless there is one.
func (a *authority) keepSecret() error {
	f, err := os.OpenFile(a.file("cluster.secret"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var key [32]byte
	rand.Read(key[:]) // never fails since Go 1.24
	_, err = fmt.Fprintln(f, base64.StdEncoding.EncodeToString(key[:]))
	return errors.Join(err, f.Close())
}
