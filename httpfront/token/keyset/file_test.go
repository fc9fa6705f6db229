package keyset

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"ssod/cluster/secretfile"
)

func TestSecretKeysMustNotBeAccessibleToOthers(t *testing.T) {
	const public = `{"kty":"RSA","n":"AQ","e":"AQAB"}`
	for _, tt := range []struct {
		name, content string
		secret        bool
	}{
		{"public keys", `{"keys":[` + public + `]}`, false},
		{"a symmetric key beside a public one", `{"keys":[` + public + `,{"kty":"oct","k":"AAAA"}]}`, true},
		{"a private key in a set", `{"keys":[{"kty":"RSA","n":"AQ","e":"AQAB","d":"AQ"}]}`, true},
		{"a secret behind a key that is malformed", "\uFEFF" + `{"keys":[7,{"kty":"oct","k":"AAAA"}]}`, true},
		{"one secret", `{"kty":"oct","k":"AAAA"}`, true},
		{"a public key in PEM", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", false},
		{"a private key behind a certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n", true},
		{"something else", "keys", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "keys")
			if err := os.WriteFile(path, []byte(tt.content), 0o600); err != nil {
				t.Fatal(err)
			}
			if data, err := ReadFile(path); err != nil || string(data) != tt.content {
				t.Errorf("private: got %q, %v", data, err)
			}
			if err := os.Chmod(path, 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := ReadFile(path); errors.Is(err, secretfile.ErrExposed) != tt.secret {
				t.Errorf("readable for everybody: got %v, want it refused: %v", err, tt.secret)
			}
		})
	}
}
