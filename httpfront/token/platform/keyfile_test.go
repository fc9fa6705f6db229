package platform_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"ssod/httpfront/config"
	"ssod/httpfront/token/platform"
)

func TestCheck(t *testing.T) {
	w, k := newWorld(t), keys()
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	w.set(t, "p384.json", jose.JSONWebKey{Key: &p384.PublicKey})
	w.set(t, "short.json", jose.JSONWebKey{Key: []byte("31 bytes are less than SHA-256.")})
	w.set(t, "private.json", jose.JSONWebKey{Key: k.rsa})
	w.set(t, "none.json")
	w.file(t, "shortdir.json", jose.JSONWebKey{Key: k.dir[:16]})
	w.file(t, "ecdir.json", jose.JSONWebKey{Key: k.ec})
	w.write(t, filepath.Join(w.dir, "junk"), []byte("secret junk"))
	w.write(t, filepath.Join(w.dir, "large"), make([]byte, 256<<10+1))
	w.public(t, "rsa.pub", &k.rsa.PublicKey)
	tests := []struct {
		name                   string
		jwks, pem, decryption  string
		algorithms, wantInText string // "" means good
	}{
		{"a set", "amazon.json", "", "", "RS256", ""},
		{"a set with private keys", "private.json", "", "", "RS256", ""},
		{"a public key", "", "rsa.pub", "", "RS256", ""},
		{"a secret for dir", "", "", "vault.json", "RS256", ""},
		{"signing and decryption", "amazon.json", "", "amazon.pem", "ES256", ""},
		{"nothing", "", "", "", "RS256", "no keys"},
		{"nobody signs", "", "", "amazon.pem", "RS256", "anybody can encrypt"},
		{"no key for the algorithm", "other.json", "", "", "ES256", "no key is of an algorithm"},
		{"another curve", "p384.json", "", "", "ES256", "P-256"},
		{"short secret", "short.json", "", "", "HS256", "31 bytes"},
		{"empty set", "none.json", "", "", "RS256", "no key"},
		{"junk as a set", "junk", "", "", "RS256", "not a JWK set"},
		{"junk as PEM", "", "junk", "", "RS256", "not one PEM block"},
		{"private key as public", "", "amazon.pem", "", "RS256", "PRIVATE KEY"},
		{"junk for decryption", "", "", "junk", "RS256", "neither PEM nor a JWK"},
		{"short dir secret", "", "", "shortdir.json", "RS256", "16 bytes"},
		{"EC for decryption", "", "", "ecdir.json", "RS256", "want an RSA private key or a secret"},
		{"public key for decryption", "amazon.json", "", "rsa.pub", "RS256", "no private key"},
		{"large", "large", "", "", "RS256", "more than"},
		{"absent", "absent", "", "", "RS256", "no such file"},
	}
	at := func(name string) string {
		if name == "" {
			return ""
		}
		return filepath.Join(w.dir, name)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := platform.Check(config.Platform{
				Name: "p", Issuer: "p", Audience: "adobe", Algorithms: []string{tt.algorithms},
				JWKSFile: at(tt.jwks), PEMFile: at(tt.pem), DecryptionKeyFile: at(tt.decryption),
			})
			if (err == nil) != (tt.wantInText == "") || err != nil && !strings.Contains(err.Error(), tt.wantInText) {
				t.Errorf("got %v, want %q", err, tt.wantInText)
			}
			if err != nil && strings.Contains(err.Error(), "secret junk") {
				t.Errorf("the message quotes the file: %v", err)
			}
		})
	}
}

func (w *world) public(t testing.TB, name string, k *rsa.PublicKey) {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(k)
	if err != nil {
		t.Fatal(err)
	}
	w.write(t, filepath.Join(w.dir, name), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// TestTheConfigurationNamesTheMistake: --check and reload refuse a platform
// whose keys are of no use.
func TestTheConfigurationNamesTheMistake(t *testing.T) {
	w := newWorld(t)
	path := filepath.Join(w.dir, "bad.yaml")
	const file = "realms:\n  - id: a\n    serviceProviders: [S]\n    platforms:\n      - {name: p, issuer: p, decryptionKeyFile: amazon.pem}\n"
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := config.Load(config.Options{File: path, CheckPlatform: platform.Check})
	if err == nil || !strings.Contains(err.Error(), "bad.yaml:5: realms[0].platforms[0]: anybody can encrypt") {
		t.Errorf("got %v", err)
	}
}
