package keys

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"

	"github.com/golang-jwt/jwt/v5"

	"ssod/httpfront/config"
	"ssod/httpfront/strictjson"
)

// Limits of an issuer's keys.
const (
	maxKeySet     = 256 << 10 // bytes of a JWKS document
	maxIssuerKeys = 32
	maxRSABits    = 8192
)

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
func readKeys(t config.TrustedIssuer) ([]issuerKey, error) {
	path, parse := t.JWKSFile, parseJWKS
	if t.PEMFile != "" {
		path, parse = t.PEMFile, func(data []byte) ([]issuerKey, error) { return parsePEM(data, t.KID) }
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("keys of issuer %s: %w", t.Issuer, err)
	}
	keys, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("keys of issuer %s in %s: %w", t.Issuer, path, err)
	}
	return keys, nil
}

// parseJWKS reads the usable keys of a JWKS document: RSA, for RS256
// signatures. Others are passed over; a document without a usable key, or with
// a weak one, is refused.
func parseJWKS(data []byte) ([]issuerKey, error) {
	document, err := strictjson.Parse(data)
	if err != nil {
		return nil, err
	}
	list, ok := document.Member("keys")
	if !ok || list.Kind() != strictjson.Array {
		return nil, errors.New("no array called keys")
	}
	var keys []issuerKey
	for k := range list.Elements() {
		if !forRS256(k) {
			continue
		}
		parsed, err := parseJWK(k)
		if err != nil {
			return nil, err
		}
		if keys = append(keys, parsed); len(keys) > maxIssuerKeys {
			return nil, fmt.Errorf("more than %d keys", maxIssuerKeys)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("no RSA key for RS256 signatures")
	}
	return keys, nil
}

func forRS256(k strictjson.Value) bool {
	kty, _ := k.Member("kty")
	use, hasUse := k.Member("use")
	alg, hasAlg := k.Member("alg")
	return kty.Is("RSA") && (!hasUse || use.Is("sig")) && (!hasAlg || alg.Is(RS256))
}

func parseJWK(k strictjson.Value) (issuerKey, error) {
	number := func(name string) *big.Int {
		v, _ := k.Member(name)
		text, _ := v.Text()
		data, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil || len(data) > maxRSABits/8+1 {
			return new(big.Int)
		}
		return new(big.Int).SetBytes(data)
	}
	v, _ := k.Member("kid")
	kid, _ := v.Text()
	n, e := number("n"), number("e")
	if !e.IsInt64() || e.Int64() > 1<<31-1 {
		return issuerKey{}, fmt.Errorf("key %q: exponent too large", kid)
	}
	key := issuerKey{kid: kid, key: &rsa.PublicKey{N: n, E: int(e.Int64())}}
	return key, key.validate()
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
func parsePEM(data []byte, kid string) ([]issuerKey, error) {
	block, rest := pem.Decode(data)
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("not one PEM block")
	}
	var public any
	var err error
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
		return nil, fmt.Errorf("PEM block %q, want a public key or a certificate", block.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("PEM block %q: %w", block.Type, err)
	}
	key, ok := public.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("not an RSA key")
	}
	k := issuerKey{kid: kid, key: key}
	return []issuerKey{k}, k.validate()
}
