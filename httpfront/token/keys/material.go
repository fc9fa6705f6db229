package keys

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"math/big"

	"github.com/golang-jwt/jwt/v5"

	"ssod/httpfront/token/jose"
)

// The algorithms of our own keys.
const (
	HS256 = jose.HS256
	RS256 = jose.RS256
)

// minRSABits is the size of our RSA keys.
const minRSABits = 2048

// oct is the length of a symmetric key: that of the hash it is used with
// (RFC 7518, 3.2).
const octSize = 32

// b64 is Base64url without padding, as everywhere in JOSE (RFC 7515, 2).
var b64 = base64.RawURLEncoding

// material is the secret part of a key: an RSA key pair or 256 random bits.
type material struct {
	oct []byte          // nil for an RSA key
	rsa *rsa.PrivateKey // nil for a symmetric key
}

// generateRSA takes a tenth of a second or more, so tests replace it.
var generateRSA = func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, minRSABits) }

// random makes the material of a symmetric key.
func random() material {
	oct := make([]byte, octSize)
	rand.Read(oct) // never fails
	return material{oct: oct}
}

// encode returns the bytes to seal.
func (m material) encode() ([]byte, error) {
	if m.rsa == nil {
		return m.oct, nil
	}
	return x509.MarshalPKCS8PrivateKey(m.rsa)
}

func decodeMaterial(algorithm string, secret []byte) (material, error) {
	if algorithm != RS256 {
		if len(secret) != octSize {
			return material{}, errors.New("symmetric key has the wrong length")
		}
		return material{oct: secret}, nil
	}
	parsed, err := x509.ParsePKCS8PrivateKey(secret)
	if err != nil {
		return material{}, errors.New("RSA key does not parse") // err may quote the key
	}
	pair, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return material{}, errors.New("not an RSA key")
	}
	return material{rsa: pair}, nil
}

// thumbprint is the key's id: RFC 7638 over the public part of an RSA key or
// over a symmetric key, of whose 256 random bits a hash gives nothing away.
func (m material) thumbprint() string {
	var canonical string
	if m.rsa != nil {
		n, e := rsaParts(&m.rsa.PublicKey)
		canonical = `{"e":"` + e + `","kty":"RSA","n":"` + n + `"}`
	} else {
		canonical = `{"k":"` + b64.EncodeToString(m.oct) + `","kty":"oct"}`
	}
	sum := sha256.Sum256([]byte(canonical))
	return b64.EncodeToString(sum[:])
}

// rsaParts returns modulus and exponent as a JWK has them (RFC 7518, 6.3.1).
func rsaParts(key *rsa.PublicKey) (n, e string) {
	return b64.EncodeToString(key.N.Bytes()), b64.EncodeToString(big.NewInt(int64(key.E)).Bytes())
}

// signer returns the method of golang-jwt and the keys it takes.
func (m material) signer() (method jwt.SigningMethod, private, public any) {
	if m.rsa != nil {
		return jwt.SigningMethodRS256, m.rsa, &m.rsa.PublicKey
	}
	return jwt.SigningMethodHS256, m.oct, m.oct
}
