package verifier

import (
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
)

// maxKeys bounds the work for one token: without its key's name it is tried
// with each key.
const maxKeys = 128

// jwk is a key as RFC 7517 and RFC 7518, 6.3.1 have it.
type jwk struct {
	Kty string `json:"kty"`
	Use string `json:"use"`
	Alg string `json:"alg"`
	N   string `json:"n"`
	E   string `json:"e"`
}

// parseJWKS returns the keys of a set that RS256 signatures verify with. Others,
// of types that are not known here, incomplete or too short, are left out
// (RFC 7517, 5); a set without a key of use is an error.
func parseJWKS(document []byte) ([]*rsa.PublicKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(document, &set); err != nil {
		return nil, fmt.Errorf("read the key set: %w", err)
	}
	var keys []*rsa.PublicKey
	var left []error
	for i, raw := range set.Keys {
		key, err := parseJWK(raw)
		if err != nil {
			left = append(left, fmt.Errorf("key %d: %w", i+1, err))
			continue
		}
		if keys = append(keys, key); len(keys) > maxKeys {
			return nil, fmt.Errorf("the set has more than %d RSA keys", maxKeys)
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("the set has no RSA key for RS256 signatures: %w", errors.Join(left...))
	}
	return keys, nil
}

func parseJWK(raw []byte) (*rsa.PublicKey, error) {
	var k jwk
	if err := json.Unmarshal(raw, &k); err != nil {
		return nil, err
	}
	if k.Kty != "RSA" || k.Use != "" && k.Use != "sig" || k.Alg != "" && k.Alg != "RS256" {
		return nil, errors.New("not for RS256 signatures")
	}
	return k.public()
}

func (k jwk) public() (*rsa.PublicKey, error) {
	n, errN := base64.RawURLEncoding.DecodeString(k.N)
	e, errE := base64.RawURLEncoding.DecodeString(k.E)
	if err := errors.Join(errN, errE); err != nil {
		return nil, err
	}
	exponent := new(big.Int).SetBytes(e)
	if !exponent.IsInt64() || exponent.Int64() < 3 || exponent.Int64() > 1<<31-1 {
		return nil, errors.New("the exponent is out of range")
	}
	key := &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent.Int64())}
	if bits := key.N.BitLen(); bits < 2048 || bits > 8192 {
		return nil, fmt.Errorf("the key has %d bits, want 2048 to 8192", bits)
	}
	return key, nil
}
