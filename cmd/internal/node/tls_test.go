package node_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ssod/cluster/secretfile"
	"ssod/httpfront/api/admin"
)

// certificate writes a certificate for 127.0.0.1 that is its own CA.
func certificate(t *testing.T) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AddCert(parsed)
	return cert, key, pool
}

func TestListenersSpeakTLS(t *testing.T) {
	c := settings(t)
	var pool *x509.CertPool
	c.TLSCert, c.TLSKey, pool = certificate(t)
	const token = "correct-horse-battery"
	c.AdminTLS, c.AdminTokens = true, write(t, t.TempDir(), token+"\n")
	n := start(t, c)
	client := http.Client{
		Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: pool}},
		Timeout:   2 * time.Minute,
	}
	for url, want := range map[string]int{
		"https://" + n.HTTP() + "/.well-known/demo/jwks.json": 200,
		"https://" + n.Admin() + "/admin/v1/keys":             200,
		"http://" + n.Admin() + "/admin/v1/keys":              400,
	} {
		r, err := http.NewRequest(http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		answer, err := client.Do(r)
		if err != nil {
			t.Errorf("GET %s: %v", url, err)
			continue
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("GET %s: got %d, want %d", url, answer.StatusCode, want)
		}
	}
	if _, err := n.Reload(t.Context()); err != nil {
		t.Errorf("reload: %v", err)
	}
	if err := os.Chmod(c.TLSKey, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Reload(t.Context()); !errors.Is(err, admin.ErrConfiguration) || !errors.Is(err, secretfile.ErrExposed) {
		t.Errorf("reload with a key that others can read: got %v, want %v", err, secretfile.ErrExposed)
	}
}
