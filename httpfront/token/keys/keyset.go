package keys

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/golang-jwt/jwt/v5"

	"ssod/httpfront/config"
	"ssod/httpfront/token/keyset"
)

// maxRSABits bounds an issuer's key: larger ones take long to verify with.
const maxRSABits = 8192

// issuerKey is a public key of an external issuer.
type issuerKey struct {
	kid string // "" when it has none
	key *rsa.PublicKey
}

func (k issuerKey) verify(t *jws) bool {
	return jwt.SigningMethodRS256.Verify(t.signed, t.signature, k.key) == nil
}

func (k issuerKey) equal(other issuerKey) bool { return k.kid == other.kid && k.key.Equal(other.key) }

// choose returns the keys that a token may be signed with: those of its kid,
// or all of its issuer when it names none.
func choose(keys []issuerKey, t *jws) []issuerKey {
	if !t.hasKid {
		return keys
	}
	var named []issuerKey
	for _, k := range keys {
		if k.kid == t.kid {
			named = append(named, k)
		}
	}
	return named
}

// readKeys reads the keys of an issuer that are in a file.
func readKeys(t config.TrustedIssuer) ([]issuerKey, keyset.Unused, error) {
	path, parse := t.JWKSFile, func(data []byte) ([]issuerKey, keyset.Unused, error) { return parseJWKS(data, false) }
	if t.PEMFile != "" {
		path, parse = t.PEMFile, func(data []byte) ([]issuerKey, keyset.Unused, error) { return parsePEM(data, t.KID) }
	}
	data, err := keyset.ReadFile(path)
	if err != nil {
		return nil, keyset.Unused{}, fmt.Errorf("keys of issuer %s: %w", t.Issuer, err)
	}
	keys, unused, err := parse(data)
	if err != nil {
		return nil, unused, fmt.Errorf("keys of issuer %s in %s: %w", t.Issuer, path, err)
	}
	return keys, unused, nil
}

// parseJWKS reads the usable keys of a JWKS document: RSA, for RS256 signatures.
func parseJWKS(data []byte, published bool) ([]issuerKey, keyset.Unused, error) {
	set, err := keyset.Parse(data, keyset.Wanted{Algorithms: []string{RS256}, Published: published})
	if err != nil {
		return nil, keyset.Unused{}, err
	}
	keys := make([]issuerKey, len(set.Keys))
	for i, k := range set.Keys {
		keys[i] = issuerKey{kid: k.ID, key: k.Material.(*rsa.PublicKey)}
	}
	return keys, set.Unused, nil
}

// validate refuses keys that are too weak, or too large to verify quickly.
func (k issuerKey) validate() error {
	if bits := k.key.N.BitLen(); bits < minRSABits || bits > maxRSABits {
		return fmt.Errorf("key %q: RSA modulus of %d bits, want %d to %d", k.kid, bits, minRSABits, maxRSABits)
	}
	if k.key.E < 3 || k.key.E%2 == 0 || k.key.N.Bit(0) == 0 {
		return fmt.Errorf("key %q: not an RSA public key", k.kid)
	}
	return nil
}

// parsePEM reads one public key or certificate.
func parsePEM(data []byte, kid string) (keys []issuerKey, none keyset.Unused, err error) {
	block, rest := pem.Decode(data)
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return nil, none, errors.New("not one PEM block")
	}
	var public any
	switch block.Type {
	case "PUBLIC KEY":
		public, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		public, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		var certificate *x509.Certificate
		if certificate, err = x509.ParseCertificate(block.Bytes); err == nil {
			public = certificate.PublicKey
		}
	default:
		return nil, none, fmt.Errorf("PEM block %q, want a public key or a certificate", block.Type)
	}
	if err != nil {
		return nil, none, fmt.Errorf("PEM block %q: %w", block.Type, err)
	}
	key, ok := public.(*rsa.PublicKey)
	if !ok {
		return nil, none, errors.New("not an RSA key")
	}
	k := issuerKey{kid: kid, key: key}
	return []issuerKey{k}, none, k.validate()
}
