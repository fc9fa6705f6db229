package usermeta

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// certify writes a certificate of a key, which ends at a time.
func certify(t *testing.T, path string, key crypto.Signer, until time.Time) {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: until.Add(-24 * time.Hour), NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

func rsaKey(t *testing.T, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// open decrypts as a service provider does.
func open(t *testing.T, text string, key *rsa.PrivateKey) string {
	t.Helper()
	object, err := jose.ParseEncryptedCompact(text, []jose.KeyAlgorithm{jose.RSA_OAEP_256}, []jose.ContentEncryption{jose.A256GCM})
	if err != nil {
		t.Fatal(err)
	}
	value, err := object.Decrypt(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(value)
}

func TestOnlyTheServiceProviderReadsIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sp.crt")
	first, second := rsaKey(t, 2048), rsaKey(t, 2048)
	certify(t, path, first, time.Now().Add(time.Hour))
	var s Sealer
	text, err := s.Seal(path, []byte(`["77754"]`))
	if err != nil || strings.Contains(text, "77754") {
		t.Fatalf("got %q, %v", text, err)
	}
	if got := open(t, text, first); got != `["77754"]` {
		t.Errorf("opened: %s", got)
	}
	certify(t, path, second, time.Now().Add(time.Hour)) // rolled over
	if err := os.Chtimes(path, time.Time{}, time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if text, err = s.Seal(path, []byte(`"a"`)); err != nil || open(t, text, second) != `"a"` {
		t.Errorf("after the roll-over: %v", err)
	}
	if _, err := s.Seal("", nil); !errors.Is(err, ErrNone) {
		t.Errorf("without a certificate: %v", err)
	}
}

func TestWhichCertificatesAreGood(t *testing.T) {
	dir := t.TempDir()
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GODEBUG", "rsa1024min=0")
	for name, tt := range map[string]struct {
		key            crypto.Signer
		until          time.Time
		warning, fails string
	}{
		"good":    {rsaKey(t, 2048), time.Now().Add(time.Hour), "", ""},
		"expired": {rsaKey(t, 2048), time.Date(2020, 1, 2, 0, 0, 0, 0, time.UTC), "the certificate has expired on 2020-01-02", ""},
		"short":   {rsaKey(t, 1024), time.Now().Add(time.Hour), "", "the key has 1024 bits, fewer than 2048"},
		"curve":   {curve, time.Now().Add(time.Hour), "", "the key is not RSA"},
	} {
		path := filepath.Join(dir, name)
		certify(t, path, tt.key, tt.until)
		warning, err := Check(path)
		if warning != tt.warning || (err == nil) != (tt.fails == "") || err != nil && !strings.Contains(err.Error(), tt.fails) {
			t.Errorf("%s: got %q, %v", name, warning, err)
		}
	}
	path := filepath.Join(dir, "text")
	if err := os.WriteFile(path, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Check(path); err == nil {
		t.Error("a text is taken for a certificate")
	}
}
