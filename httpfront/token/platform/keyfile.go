package platform

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"

	gojose "github.com/go-jose/go-jose/v4"

	"ssod/cluster/secretfile"
	"ssod/httpfront/token/jose"
	"ssod/httpfront/token/keyset"
)

// dirSecret is the length of an A256GCM key, in bytes.
const dirSecret = 32

// readDecryption reads the key that tokens for us are encrypted to: a PEM file
// with an RSA private key, or a JWK with an RSA private key or a secret.
func readDecryption(path string) (*jose.Key, error) {
	if path == "" {
		return nil, nil
	}
	data, err := secretfile.Read(path)
	if err != nil {
		return nil, err
	}
	material, kid, err := parsePrivate(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	switch m := material.(type) {
	case *rsa.PrivateKey:
		return &jose.Key{ID: kid, Algorithm: jose.RSAOAEP256, Material: m}, keyset.CheckRSA(&m.PublicKey)
	case []byte:
		if len(m) != dirSecret {
			return nil, fmt.Errorf("%s: a secret of %d bytes, want %d", path, len(m), dirSecret)
		}
		return &jose.Key{ID: kid, Algorithm: jose.Dir, Material: m}, nil
	}
	return nil, fmt.Errorf("%s: want an RSA private key or a secret", path)
}

// parsePrivate reads PEM or a JWK. What it says about a mistake quotes nothing.
func parsePrivate(data []byte) (material any, kid string, err error) {
	if block, _ := pem.Decode(data); block != nil {
		if material, err = x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			return material, "", nil
		}
		if material, err = x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
			return material, "", nil
		}
		return nil, "", errors.New("no private key in PEM (PKCS 8 or PKCS 1)")
	}
	var k gojose.JSONWebKey
	if json.Unmarshal(data, &k) != nil {
		return nil, "", errors.New("neither PEM nor a JWK")
	}
	return k.Key, k.KeyID, nil
}
