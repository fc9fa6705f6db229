package e2e

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// issuer stands in for an external identity service that the realm trusts.
const issuer = "https://id.stream.example"

const issuerKeyID = "e2e-1"

var issuerKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// writeIssuerKeys puts the issuer's public key where the configuration looks
// for it.
func writeIssuerKeys(t testing.TB, dir string) {
	t.Helper()
	public := issuerKey().PublicKey
	encode := base64.RawURLEncoding.EncodeToString
	set, err := json.Marshal(map[string]any{"keys": []map[string]string{{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": issuerKeyID,
		"n": encode(public.N.Bytes()), "e": encode(big.NewInt(int64(public.E)).Bytes()),
	}}})
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "issuer.json"), set, 0o600))
}

// externalToken is a token of the issuer for a subject.
func externalToken(t testing.TB, subject, audience string) string {
	t.Helper()
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, externalClaims(subject, audience))
	token.Header["kid"] = issuerKeyID
	signed, err := token.SignedString(issuerKey())
	must(t, err)
	return signed
}

func externalClaims(subject, audience string) jwt.MapClaims {
	now := time.Now()
	return jwt.MapClaims{
		"iss": issuer, "sub": subject, "aud": audience,
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
}

// confusedToken is signed with HMAC under the issuer's public key, in the hope
// that the verifier takes the algorithm from the token.
func confusedToken(t testing.TB) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&issuerKey().PublicKey)
	must(t, err)
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, externalClaims("viewer", "Adobe"))
	token.Header["kid"] = issuerKeyID
	signed, err := token.SignedString(public)
	must(t, err)
	return signed
}
