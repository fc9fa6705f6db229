package e2e

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// platformIssuer stands in for the identity service of a device platform.
const platformIssuer = "box"

var platformKey = []byte("a key of thirty-two bytes, no more")[:32]

// writePlatformKey puts the platform's key where the configuration looks for it.
func writePlatformKey(t testing.TB, dir string) {
	t.Helper()
	set, err := json.Marshal(map[string]any{"keys": []map[string]string{{
		"kty": "oct", "alg": "HS256", "k": base64.RawURLEncoding.EncodeToString(platformKey),
	}}})
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "platform.json"), set, 0o600))
}

// subjectToken is what the platform says of the account that devices use.
func subjectToken(t testing.TB, subject string) string {
	t.Helper()
	now := time.Now()
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss": platformIssuer, "sub": subject, "aud": "adobe", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}).SignedString(platformKey)
	must(t, err)
	return signed
}
