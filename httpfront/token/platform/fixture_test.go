package platform_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"ssod/httpfront/config"
	"ssod/httpfront/token/platform"
)

var now = time.Date(2026, 1, 2, 20, 0, 0, 0, time.UTC)

// material is the keys of all tests: making them takes longer than the tests.
type material struct {
	rsa, otherRSA, decryption *rsa.PrivateKey
	ec                        *ecdsa.PrivateKey
	secret, dir               []byte
}

var keys = sync.OnceValue(func() material {
	pair := func() *rsa.PrivateKey {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		return k
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	m := material{pair(), pair(), pair(), ec, make([]byte, 32), make([]byte, 32)}
	rand.Read(m.secret)
	rand.Read(m.dir)
	return m
})

// world is a realm with four platforms, each of another kind:
//
//	amazon  signs with RS256, ES256 or HS256; also encrypts to an RSA key
//	roku    signs with HS256 only, although its key set has an RSA key too
//	vault   shares a secret for dir and signs nothing
//	other   a second one with an RSA decryption key
type world struct {
	*platform.Verifier
	cfg   *config.Config
	realm *config.Realm
	dir   string
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{dir: t.TempDir(), Verifier: platform.NewVerifier(nil)}
	t.Cleanup(w.Close)
	m := keys()
	w.set(t, "amazon.json",
		jose.JSONWebKey{Key: &m.rsa.PublicKey, KeyID: "r1"}, jose.JSONWebKey{Key: &m.ec.PublicKey, KeyID: "e1"},
		jose.JSONWebKey{Key: m.secret, KeyID: "h1"})
	w.set(t, "roku.json", jose.JSONWebKey{Key: &m.rsa.PublicKey}, jose.JSONWebKey{Key: m.secret})
	w.set(t, "other.json", jose.JSONWebKey{Key: &m.otherRSA.PublicKey})
	w.pem(t, "amazon.pem", m.decryption)
	w.pem(t, "other.pem", m.otherRSA)
	w.file(t, "vault.json", jose.JSONWebKey{Key: m.dir, KeyID: "v1"})
	const file = `
realms:
  - id: acme
    serviceProviders: [STREAM1]
    platforms:
      - {name: other, issuer: other, jwksFile: other.json, decryptionKeyFile: other.pem}
      - {name: firetv, issuer: amazon, algorithms: [RS256, ES256, HS256], jwksFile: amazon.json, decryptionKeyFile: amazon.pem}
      - {name: roku, issuer: roku, audience: Adobe, algorithms: [HS256], jwksFile: roku.json}
      - {name: vault, issuer: vault, decryptionKeyFile: vault.json}
  - id: rival
    serviceProviders: [RIVAL1]
`
	path := filepath.Join(w.dir, "ssod.yaml")
	w.write(t, path, []byte(file))
	var err error
	if w.cfg, err = config.Load(config.Options{File: path, CheckPlatform: platform.Check}); err != nil {
		t.Fatal(err)
	}
	w.realm = w.cfg.Realms[0]
	return w
}

func (w *world) write(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (w *world) file(t testing.TB, name string, v any) {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	w.write(t, filepath.Join(w.dir, name), data)
}

func (w *world) set(t testing.TB, name string, keys ...jose.JSONWebKey) {
	t.Helper()
	w.file(t, name, jose.JSONWebKeySet{Keys: keys})
}

func (w *world) pem(t testing.TB, name string, k *rsa.PrivateKey) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	w.write(t, filepath.Join(w.dir, name), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func (w *world) verify(token string) (platform.Identity, error) {
	return w.Verify(context.Background(), w.cfg, w.realm, []byte(token), now)
}

// claims are those of a good token, with changes: a nil takes a claim away.
func claims(issuer string, changes map[string]any) map[string]any {
	c := map[string]any{
		"iss": issuer, "sub": "user-7f3a", "aud": "adobe", "did": "device-1",
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	for name, v := range changes {
		c[name] = v
		if v == nil {
			delete(c, name)
		}
	}
	return c
}

// jws signs claims with headers given as name, value.
func jws(t testing.TB, alg jose.SignatureAlgorithm, key any, c map[string]any, header ...any) string {
	t.Helper()
	o := &jose.SignerOptions{}
	for i := 0; i < len(header); i += 2 {
		o = o.WithHeader(jose.HeaderKey(header[i].(string)), header[i+1])
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, o)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	object, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	text, err := object.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// jwe encrypts text.
func jwe(t testing.TB, alg jose.KeyAlgorithm, enc jose.ContentEncryption, key any, text string, o *jose.EncrypterOptions) string {
	t.Helper()
	e, err := jose.NewEncrypter(enc, jose.Recipient{Algorithm: alg, Key: key}, o)
	if err != nil {
		t.Fatal(err)
	}
	object, err := e.Encrypt([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	out, err := object.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func encode(t testing.TB, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
