package httpfront

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// writeCertificate writes a pair for localhost with a name to tell it by.
func writeCertificate(t *testing.T, certFile, keyFile, name string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// served asks over TLS and returns the name of the server's certificate.
func served(t *testing.T, s *Server) string {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2", "http/1.1"}}}
	r, err := (&http.Client{Transport: transport}).Get("https://" + s.Address().String() + "/api/tv/list")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if body, _ := io.ReadAll(r.Body); r.StatusCode != 200 || string(body) != "tv|" {
		t.Fatalf("got %d %s", r.StatusCode, body)
	}
	return r.TLS.PeerCertificates[0].Subject.CommonName
}

// TestCertificateIsRenewed: new files are taken up without a restart, and a
// broken pair changes nothing.
func TestCertificateIsRenewed(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeCertificate(t, cert, key, "first")
	s := startTest(t, func(o *Options) { o.TLSCert, o.TLSKey = cert, key })
	if got := served(t, s); got != "first" {
		t.Fatalf("certificate %q, want first", got)
	}
	if err := os.WriteFile(key, []byte("half-writ"), 0o600); err != nil {
		t.Fatal(err)
	}
	writeLater := time.Now().Add(checkEvery)
	eventually(t, "the broken pair was looked at", func() bool { return time.Now().After(writeLater) })
	if got := served(t, s); got != "first" {
		t.Errorf("certificate %q after a broken file, want first", got)
	}
	writeCertificate(t, cert, key, "for everybody")
	if err := os.Chmod(key, 0o644); err != nil {
		t.Fatal(err)
	}
	writeLater = time.Now().Add(checkEvery)
	eventually(t, "the key that others can read was looked at", func() bool { return time.Now().After(writeLater) })
	if got := served(t, s); got != "first" {
		t.Errorf("certificate %q after one whose key others can read, want first", got)
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	writeCertificate(t, cert, key, "second")
	eventually(t, "the new certificate is used", func() bool { return served(t, s) == "second" })
}

func TestCertificateMustExist(t *testing.T) {
	_, err := Start(Options{Address: "127.0.0.1:0", TLSCert: "nowhere.pem", TLSKey: "nowhere.pem"})
	if err == nil {
		t.Fatal("started without a certificate")
	}
}

// TestBrowsersComeBackWithTLS: where TLS ends here, browsers are told to use it, also by
// answers to what is not understood. A proxy that ends it speaks for itself.
func TestBrowsersComeBackWithTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeCertificate(t, cert, key, "localhost")
	secure := startTest(t, func(o *Options) { o.TLSCert, o.TLSKey = cert, key })
	transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	for _, path := range []string{"/api/tv/list", "/nowhere", "/api//list"} {
		r, err := (&http.Client{Transport: transport}).Get("https://" + secure.Address().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if got := r.Header.Get("Strict-Transport-Security"); got != "max-age=31536000" {
			t.Errorf("%s: got %q", path, got)
		}
	}
	if a := ask(t, startTest(t), "GET", "/api/tv/list"); a.header.Get("Strict-Transport-Security") != "" {
		t.Error("a plain listener asks for TLS")
	}
}
