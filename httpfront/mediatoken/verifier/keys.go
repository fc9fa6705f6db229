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

// parseJWKS returns the keys of a set that RS256 signatures verify with.
// Others are left out.
func parseJWKS(document []byte) ([]*rsa.PublicKey, error) {
	var set struct {
		Keys []jwk `json:"keys"`
	}
	if err := json.Unmarshal(document, &set); err != nil {
		return nil, fmt.Errorf("read the key set: %w", err)
	}
	var keys []*rsa.PublicKey
	for i, k := range set.Keys {
		if k.Kty != "RSA" || k.Use != "" && k.Use != "sig" || k.Alg != "" && k.Alg != "RS256" {
			continue
		}
		key, err := k.public()
		if err != nil {
			return nil, fmt.Errorf("read key %d of the set: %w", i+1, err)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 || len(keys) > maxKeys {
		return nil, fmt.Errorf("the set has %d RSA keys, want 1 to %d", len(keys), maxKeys)
	}
	return keys, nil
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
