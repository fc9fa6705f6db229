package platform

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

	"github.com/go-jose/go-jose/v4"

	"ssod/cluster/secretfile"
	"ssod/httpfront/token/keyset"
)

// Limits of keys.
const (
	minRSABits = 2048
	maxRSABits = 8192
	dirSecret  = 32 // bytes of an A256GCM key
)

// key is one key with what it may do; its material is what go-jose takes.
type key = keyset.Key

// readSigning reads the keys that a platform signs with, and which of them are of
// no use.
func readSigning(jwksFile, pemFile, kid string) ([]key, keyset.Unused, error) {
	path, parse := jwksFile, func(data []byte) ([]key, keyset.Unused, error) { return parseSigning(data, false) }
	if pemFile != "" {
		path, parse = pemFile, func(data []byte) ([]key, keyset.Unused, error) { return parsePublicPEM(data, kid) }
	}
	if path == "" {
		return nil, keyset.Unused{}, nil
	}
	data, err := keyset.ReadFile(path)
	if err != nil {
		return nil, keyset.Unused{}, err
	}
	keys, unused, err := parse(data)
	if err != nil {
		return nil, unused, fmt.Errorf("%s: %w", path, err)
	}
	return keys, unused, nil
}

// parseSigning reads the keys of a JWK set.
func parseSigning(document []byte, published bool) ([]key, keyset.Unused, error) {
	wanted := keyset.Wanted{Algorithms: []string{keyset.RS256, keyset.ES256, keyset.HS256}, Published: published}
	set, err := keyset.Parse(document, wanted)
	if err != nil {
		return nil, keyset.Unused{}, err
	}
	return set.Keys, set.Unused, nil
}

// signingKey says what a key verifies: one algorithm each, so that a public key
// never serves as a secret (RFC 8725, 3.1).
func signingKey(material any, kid string) (key, error) {
	switch m := material.(type) {
	case *rsa.PublicKey:
		return key{ID: kid, Algorithm: keyset.RS256, Material: m}, checkRSA(m)
	case *ecdsa.PublicKey:
		if m.Curve != elliptic.P256() {
			return key{}, errors.New("not on the curve P-256")
		}
		return key{ID: kid, Algorithm: keyset.ES256, Material: m}, nil
	}
	return key{}, fmt.Errorf("a %T is no key of RS256 or ES256", material)
}

func checkRSA(k *rsa.PublicKey) error {
	if bits := k.N.BitLen(); bits < minRSABits || bits > maxRSABits {
		return fmt.Errorf("RSA modulus of %d bits, want %d to %d", bits, minRSABits, maxRSABits)
	}
	return nil
}

// parsePublicPEM reads one public key or certificate.
func parsePublicPEM(data []byte, kid string) (keys []key, none keyset.Unused, err error) {
	block, rest := pem.Decode(data)
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return nil, none, errors.New("not one PEM block")
	}
	var public any
	switch block.Type {
	case "CERTIFICATE":
		var certificate *x509.Certificate
		if certificate, err = x509.ParseCertificate(block.Bytes); err == nil {
			public = certificate.PublicKey
		}
	case "PUBLIC KEY":
		public, err = x509.ParsePKIXPublicKey(block.Bytes)
	default:
		err = fmt.Errorf("PEM block %q, want a public key or a certificate", block.Type)
	}
	if err != nil {
		return nil, none, err
	}
	k, err := signingKey(public, kid)
	return []key{k}, none, err
}

// readDecryption reads the key that tokens for us are encrypted to: a PEM file
// with an RSA private key, or a JWK with an RSA private key or a secret.
func readDecryption(path string) (*key, error) {
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
		return &key{ID: kid, Algorithm: "RSA-OAEP-256", Material: m}, checkRSA(&m.PublicKey)
	case []byte:
		if len(m) != dirSecret {
			return nil, fmt.Errorf("%s: a secret of %d bytes, want %d", path, len(m), dirSecret)
		}
		return &key{ID: kid, Algorithm: "dir", Material: m}, nil
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
