package platformid

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// Limits of keys.
const (
	maxKeyFile = 256 << 10
	maxKeys    = 32 // of one platform
	minRSABits = 2048
	maxRSABits = 8192
	minSecret  = 32 // bytes of an HS256 key (RFC 7518, 3.2)
	dirSecret  = 32 // bytes of an A256GCM key
)

// key is one key with what it may do.
type key struct {
	kid, alg string
	material any // what go-jose takes
}

// readFile reads a key file of reasonable size.
func readFile(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(data) > maxKeyFile {
		return nil, fmt.Errorf("%s: more than %d bytes", path, maxKeyFile)
	}
	return data, nil
}

// readSigning reads the keys that a platform signs with.
func readSigning(jwksFile, pemFile, kid string) ([]key, error) {
	path, parse := jwksFile, parseSet
	if pemFile != "" {
		path, parse = pemFile, func(data []byte) ([]any, []string, error) { return parsePublicPEM(data, kid) }
	}
	if path == "" {
		return nil, nil
	}
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	keys, err := signingKeys(parse(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return keys, nil
}

// parseSigning reads the keys of a JWK set that a platform publishes. Secrets
// are no secrets there.
func parseSigning(document []byte) ([]key, error) {
	keys, err := signingKeys(parseSet(document))
	if err == nil && slices.ContainsFunc(keys, func(k key) bool { return k.alg == "HS256" }) {
		return nil, errors.New("a secret key is published")
	}
	return keys, err
}

func signingKeys(materials []any, kids []string, err error) ([]key, error) {
	if err != nil {
		return nil, err
	}
	var keys []key
	for i, material := range materials {
		k, err := signingKey(material, kids[i])
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", i+1, err)
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 || len(keys) > maxKeys {
		return nil, fmt.Errorf("%d keys, want 1 to %d", len(keys), maxKeys)
	}
	return keys, nil
}

// signingKey says what a key verifies: one algorithm each, so that a public key
// never serves as a secret (RFC 8725, 3.1).
func signingKey(material any, kid string) (key, error) {
	switch m := material.(type) {
	case *rsa.PublicKey:
		return key{kid, "RS256", m}, checkRSA(m)
	case *ecdsa.PublicKey:
		if m.Curve != elliptic.P256() {
			return key{}, errors.New("not on the curve P-256")
		}
		return key{kid, "ES256", m}, nil
	case []byte:
		if len(m) < minSecret {
			return key{}, fmt.Errorf("a secret of %d bytes, want at least %d", len(m), minSecret)
		}
		return key{kid, "HS256", m}, nil
	}
	return key{}, fmt.Errorf("a %T is no key of RS256, ES256 or HS256", material)
}

func checkRSA(k *rsa.PublicKey) error {
	if bits := k.N.BitLen(); bits < minRSABits || bits > maxRSABits {
		return fmt.Errorf("RSA modulus of %d bits, want %d to %d", bits, minRSABits, maxRSABits)
	}
	return nil
}

// parseSet reads a JWK set, or a single JWK. Private parts are left out.
func parseSet(data []byte) (materials []any, kids []string, err error) {
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(data, &set); err != nil {
		return nil, nil, errors.New("not a JWK set") // err may quote a secret
	}
	for _, k := range set.Keys {
		material := k.Key
		if public := k.Public(); public.Key != nil {
			material = public.Key
		}
		materials, kids = append(materials, material), append(kids, k.KeyID)
	}
	return materials, kids, nil
}

// parsePublicPEM reads one public key or certificate.
func parsePublicPEM(data []byte, kid string) ([]any, []string, error) {
	block, rest := pem.Decode(data)
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return nil, nil, errors.New("not one PEM block")
	}
	if block.Type == "CERTIFICATE" {
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, nil, err
		}
		return []any{certificate.PublicKey}, []string{kid}, nil
	}
	if block.Type != "PUBLIC KEY" {
		return nil, nil, fmt.Errorf("PEM block %q, want a public key or a certificate", block.Type)
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	return []any{public}, []string{kid}, err
}

// readDecryption reads the key that tokens for us are encrypted to: a PEM file
// with an RSA private key, or a JWK with an RSA private key or a secret.
func readDecryption(path string) (*key, error) {
	if path == "" {
		return nil, nil
	}
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	material, kid, err := parsePrivate(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	switch m := material.(type) {
	case *rsa.PrivateKey:
		return &key{kid, "RSA-OAEP-256", m}, checkRSA(&m.PublicKey)
	case []byte:
		if len(m) != dirSecret {
			return nil, fmt.Errorf("%s: a secret of %d bytes, want %d", path, len(m), dirSecret)
		}
		return &key{kid, "dir", m}, nil
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
	var k jose.JSONWebKey
	if json.Unmarshal(data, &k) != nil {
		return nil, "", errors.New("neither PEM nor a JWK")
	}
	return k.Key, k.KeyID, nil
}
