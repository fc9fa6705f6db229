package jose

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/subtle"

	gojose "github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
)

// The algorithms of keys and, of the last one, of content (RFC 7518, 3.1, 4.1 and
// 5.1).
const (
	RS256      = "RS256"
	ES256      = "ES256"
	HS256      = "HS256"
	RSAOAEP256 = "RSA-OAEP-256"
	Dir        = "dir"
	a256GCM    = "A256GCM"
)

// methods check signatures.
var methods = map[string]jwt.SigningMethod{
	RS256: jwt.SigningMethodRS256, ES256: jwt.SigningMethodES256, HS256: jwt.SigningMethodHS256,
}

// Key is a key with the one algorithm that it serves.
type Key struct {
	ID        string // kid; "" when it has none
	Algorithm string
	// Material is a *rsa.PublicKey, an *ecdsa.PublicKey or a []byte to verify with, a
	// *rsa.PrivateKey or a []byte to decrypt with.
	Material any
}

// Verify reports whether the key signed a JWS of its algorithm.
func (k *Key) Verify(t *Token) bool {
	method := methods[k.Algorithm]
	return method != nil && !t.Encrypted && !t.stray && t.Says(k.Algorithm) && method.Verify(t.text, t.signature, k.Material) == nil
}

// Decrypt returns the content of a JWE of the key's algorithm, or false.
func (k *Key) Decrypt(t *Token) ([]byte, bool) {
	if !t.Encrypted || !t.Says(k.Algorithm) {
		return nil, false
	}
	object, err := gojose.ParseEncryptedCompact(t.text, []gojose.KeyAlgorithm{gojose.KeyAlgorithm(k.Algorithm)}, []gojose.ContentEncryption{gojose.A256GCM})
	if err != nil {
		return nil, false
	}
	content, err := object.Decrypt(k.Material)
	return content, err == nil
}

// Equal reports whether two keys that verify are the same.
func (k Key) Equal(other Key) bool {
	if k.ID != other.ID || k.Algorithm != other.Algorithm {
		return false
	}
	switch m := k.Material.(type) {
	case *rsa.PublicKey:
		return m.Equal(other.Material)
	case *ecdsa.PublicKey:
		return m.Equal(other.Material)
	case []byte:
		secret, ok := other.Material.([]byte)
		return ok && subtle.ConstantTimeCompare(m, secret) == 1
	}
	return false
}
