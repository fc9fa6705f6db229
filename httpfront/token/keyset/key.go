package keyset

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"ssod/httpfront/strictjson"
	"ssod/httpfront/token/jose"
)

// Limits of keys: weaker ones are guessed, larger ones take long.
const (
	minRSABits = 2048
	maxRSABits = 8192
	minSecret  = 32 // bytes (RFC 7518, 3.2)
)

// jwk is one key of a set, unchecked.
type jwk struct{ strictjson.Value }

// text is a member that is a text; "" when it is absent or something else.
func (k jwk) text(name string) string {
	v, _ := k.Member(name)
	text, _ := v.Text()
	return text
}

// has reports whether a member is there, whatever it is.
func (k jwk) has(name string) bool {
	_, found := k.Member(name)
	return found
}

// named reports whether the key's name, if it has one, can be one.
func (k jwk) named() bool {
	v, found := k.Member("kid")
	return !found || v.Kind() == strictjson.Text
}

// signs reports whether the key does not say that it is for something else than
// signatures (RFC 7517, 4.2 and 4.3).
func (k jwk) signs() bool {
	if k.has("use") && k.text("use") != "sig" {
		return false
	}
	v, restricted := k.Member("key_ops")
	operations, _ := v.Texts()
	return !restricted || slices.Contains(operations, "verify") || slices.Contains(operations, "sign")
}

// algorithms are those of types of keys.
var algorithms = map[string]string{"RSA": jose.RS256, "EC": jose.ES256, "oct": jose.HS256}

// key reads the key, or says why it is of no use.
func (k jwk) key(w *Wanted) (jose.Key, error) {
	kty, known := k.text("kty"), false
	key := jose.Key{ID: k.text("kid")}
	key.Algorithm, known = algorithms[kty]
	switch {
	case kty == "":
		return key, errors.New("no kty")
	case !known:
		return key, fmt.Errorf("kty %.20q is not known", kty)
	case !k.named():
		return key, errors.New("kid is no text")
	case w.Published && (kty == "oct" || k.has("d")):
		return key, errors.New("a secret, and published")
	}
	var err error
	if key.Material, err = k.material(kty); err != nil {
		return key, err
	}
	if k.has("alg") && k.text("alg") != key.Algorithm {
		return key, fmt.Errorf("for %.20q", k.text("alg"))
	}
	if !slices.Contains(w.Algorithms, key.Algorithm) {
		return key, fmt.Errorf("for %s, which is not used", key.Algorithm)
	}
	return key, nil
}

// material is what the key verifies with.
func (k jwk) material(kty string) (any, error) {
	switch kty {
	case "RSA":
		return k.rsa()
	case "EC":
		return k.ec()
	default:
		return k.secret()
	}
}

// bytes decodes a member of at most limit bytes; nil when that fails.
func (k jwk) bytes(name string, limit int) []byte {
	data, err := base64.RawURLEncoding.DecodeString(k.text(name))
	if err != nil || len(data) > limit {
		return nil
	}
	return data
}

func (k jwk) rsa() (*rsa.PublicKey, error) {
	n := new(big.Int).SetBytes(k.bytes("n", 2*maxRSABits/8))
	e := new(big.Int).SetBytes(k.bytes("e", 16))
	switch {
	case n.Sign() == 0 || e.Sign() == 0:
		return nil, errors.New("n or e is missing or malformed")
	case e.BitLen() >= 32:
		e.SetInt64(0) // no exponent that anybody uses
	}
	key := &rsa.PublicKey{N: n, E: int(e.Int64())}
	return key, CheckRSA(key)
}

// CheckRSA refuses RSA keys that are weak, slow or none.
func CheckRSA(k *rsa.PublicKey) error {
	if bits := k.N.BitLen(); bits < minRSABits || bits > maxRSABits {
		return fmt.Errorf("RSA modulus of %d bits, want %d to %d", bits, minRSABits, maxRSABits)
	}
	if k.E < 3 || k.E%2 == 0 || k.N.Bit(0) == 0 {
		return errors.New("not an RSA public key")
	}
	return nil
}

func (k jwk) ec() (*ecdsa.PublicKey, error) {
	const size = 32
	if crv := k.text("crv"); crv != "P-256" {
		return nil, fmt.Errorf("on the curve %.20q, want P-256", crv)
	}
	x, y := k.bytes("x", size), k.bytes("y", size)
	if len(x) != size || len(y) != size {
		return nil, errors.New("x or y is missing or malformed")
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
	if err != nil {
		return nil, errors.New("not a point of the curve P-256")
	}
	return key, nil
}

func (k jwk) secret() ([]byte, error) {
	secret := k.bytes("k", 1<<10)
	switch {
	case len(secret) == 0:
		return nil, errors.New("k is missing or malformed")
	case len(secret) < minSecret:
		return nil, fmt.Errorf("a secret of %d bytes, want at least %d", len(secret), minSecret)
	}
	return secret, nil
}
