package keys

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"ssod/httpfront/config"
	"ssod/httpfront/token/jose"
)

const issuerName = "https://id.acme.example"

// issuerPairs are the key pairs of external issuers.
var issuerPairs [3]func() *rsa.PrivateKey

func init() {
	for i := range issuerPairs {
		issuerPairs[i] = sync.OnceValue(func() *rsa.PrivateKey {
			pair, err := rsa.GenerateKey(rand.Reader, minRSABits)
			if err != nil {
				panic(err)
			}
			return pair
		})
	}
}

func issuerPair(n int) *rsa.PrivateKey { return issuerPairs[n]() }

func jwksOf(keys map[string]*rsa.PrivateKey) []byte {
	list := []map[string]string{}
	for kid, pair := range keys {
		n, e := rsaParts(&pair.PublicKey)
		k := map[string]string{"kty": "RSA", "n": n, "e": e}
		if kid != "" {
			k["kid"] = kid
		}
		list = append(list, k)
	}
	data, _ := json.Marshal(map[string]any{"keys": list})
	return data
}

func writeFile(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func externalClaims() map[string]any {
	return map[string]any{
		"iss": issuerName, "sub": "u-1", "aud": "Adobe", "iat": begin.Unix(), "exp": begin.Add(time.Hour).Unix(),
		"name": "A Viewer", "jti": "j-1",
	}
}

func signRS256(t testing.TB, pair *rsa.PrivateKey, header, claims map[string]any) string {
	t.Helper()
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims(claims))
	for name, value := range header {
		if value == nil {
			delete(token.Header, name)
		} else {
			token.Header[name] = value
		}
	}
	text, err := token.SignedString(pair)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func kid(id string) map[string]any { return map[string]any{"kid": id} }

func TestExternalTokenSteps(t *testing.T) {
	a, b, stranger := issuerPair(0), issuerPair(1), issuerPair(2)
	acme := realm("acme", HS256)
	acme.TrustedIssuers = []config.TrustedIssuer{
		{Issuer: issuerName, JWKSFile: writeFile(t, "jwks.json", jwksOf(map[string]*rsa.PrivateKey{"a": a, "b": b}))},
		{Issuer: "lower", Audience: "TV", JWKSFile: writeFile(t, "jwks.json", jwksOf(map[string]*rsa.PrivateKey{"": a}))},
	}
	f := newFixture(t, configuration(acme, realm("other", HS256)))
	claim := func(name string, value any) string {
		return signRS256(t, a, kid("a"), with(externalClaims(), name, value))
	}
	at := func(d time.Duration) int64 { return begin.Add(d).Unix() }
	good := signRS256(t, a, kid("a"), externalClaims())
	der, _ := x509.MarshalPKIXPublicKey(&a.PublicKey)
	hs256 := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims(externalClaims()))
	confused, err := hs256.SignedString(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	if err != nil {
		t.Fatal(err)
	}
	rs512, _ := jwt.NewWithClaims(jwt.SigningMethodRS512, jwt.MapClaims(externalClaims())).SignedString(a)
	tests := []struct {
		name, token string
		want        error
	}{
		{"good", good, nil},
		{"the other key", signRS256(t, b, kid("b"), externalClaims()), nil},
		{"no kid, first key", signRS256(t, a, nil, externalClaims()), nil},
		{"no kid, second key", signRS256(t, b, nil, externalClaims()), nil},
		{"no typ", signRS256(t, a, map[string]any{"kid": "a", "typ": nil}, externalClaims()), nil},
		{"typ in lower case", signRS256(t, a, map[string]any{"kid": "a", "typ": "jwt"}, externalClaims()), nil},
		{"audience in lower case", claim("aud", "adobe"), nil},
		{"audience in a list", claim("aud", []string{"x", "ADOBE"}), nil},
		{"dates with fractions", claim("exp", float64(at(time.Hour))+0.5), nil},
		{"nbf absent, iat absent", claim("iat", nil), nil},
		{"expired within the skew", claim("exp", at(-59*time.Second)), nil},
		{"issued within the skew", claim("iat", at(60*time.Second)), nil},
		{"configured audience", signRS256(t, a, nil, with(with(externalClaims(), "iss", "lower"), "aud", "tv")), nil},

		{"typ of an access token", signRS256(t, a, map[string]any{"kid": "a", "typ": "at+jwt"}, externalClaims()), ErrParse},
		{"typ of a logout token", signRS256(t, a, map[string]any{"kid": "a", "typ": "logout+jwt"}, externalClaims()), ErrParse},
		{"kid unknown", signRS256(t, a, kid("c"), externalClaims()), ErrParse},
		{"kid where keys have none", signRS256(t, a, kid("a"), with(with(externalClaims(), "iss", "lower"), "aud", "tv")), ErrParse},
		{"HS256 with the public key", confused, ErrParse},
		{"RS512", rs512, ErrParse},
		{"issuer in other case", claim("iss", strings.ToUpper(issuerName)), ErrParse},
		{"crit", signRS256(t, a, map[string]any{"kid": "a", "crit": []string{"x"}, "x": 1}, externalClaims()), ErrParse},

		{"kid of the other key", signRS256(t, a, kid("b"), externalClaims()), ErrSignature},
		{"a stranger's key", signRS256(t, stranger, kid("a"), externalClaims()), ErrSignature},
		{"a stranger's key, no kid", signRS256(t, stranger, nil, externalClaims()), ErrSignature},
		{"last character changed", flipLast(good), ErrSignature},
		{"stray bits", strayLast(good), ErrSignature},

		{"sub missing", claim("sub", nil), ErrSubjectMissing},
		{"sub a number", claim("sub", 1), ErrSubject},

		{"expired", claim("exp", at(-60*time.Second)), ErrExpired},
		{"exp missing", claim("exp", nil), ErrUnacceptable},
		{"issued in the future", claim("iat", at(61*time.Second)), ErrUnacceptable},
		{"not valid yet", claim("nbf", at(61*time.Second)), ErrUnacceptable},
		{"audience missing", claim("aud", nil), ErrUnacceptable},
		{"another audience", claim("aud", "Apple"), ErrUnacceptable},
		{"audience a part", claim("aud", "Adobe Inc"), ErrUnacceptable},
		{"audience in a mixed list", claim("aud", []any{"Adobe", 1}), ErrUnacceptable},
		{"audience of another issuer", signRS256(t, a, nil, with(externalClaims(), "iss", "lower")), ErrUnacceptable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for range 2 {
				if err := f.verify(f.realm(), tt.token); !errors.Is(err, tt.want) {
					t.Fatalf("got %v, want %v", err, tt.want)
				}
			}
			if _, err := f.VerifyService(f.realm(), []byte(tt.token), begin, Refresh); !errors.Is(err, ErrParse) {
				t.Errorf("on refresh: got %v, want ErrParse", err)
			}
			if err := f.verify(f.cfg.Load().Realms[1], tt.token); !errors.Is(err, ErrParse) {
				t.Errorf("in a realm that does not trust the issuer: got %v, want ErrParse", err)
			}
		})
	}
	c, err := f.VerifyService(f.realm(), []byte(good), begin, Call)
	if err != nil || !c.External || c.Subject != "u-1" || c.Namespace != issuerName || c.Issuer != issuerName || c.Device != (DeviceID{}) {
		t.Errorf("good: got %+v, %v", c, err)
	}
}

// T13: in mode signed X-SSO-ID is a token of a trusted issuer, not one of ours and
// not one that the issuer made for something else. Two issuers speak of two viewers,
// whatever they call them.
func TestSignedSSOID(t *testing.T) {
	a, b := issuerPair(0), issuerPair(1)
	acme := realm("acme", HS256)
	acme.TrustedIssuers = []config.TrustedIssuer{
		{Issuer: issuerName, JWKSFile: writeFile(t, "a.json", jwksOf(map[string]*rsa.PrivateKey{"a": a}))},
		{Issuer: "https://id.second.example", JWKSFile: writeFile(t, "b.json", jwksOf(map[string]*rsa.PrivateKey{"b": b}))},
	}
	f := newFixture(t, configuration(acme, realm("pub", RS256)))
	typ := func(name any) string {
		return signRS256(t, a, map[string]any{"kid": "a", "typ": name}, externalClaims())
	}
	second := with(externalClaims(), "iss", "https://id.second.example")
	access, err := f.SignAccess("u-1", "api:client:v2", begin)
	if err != nil {
		t.Fatal(err)
	}
	refused := [2]string{}
	tests := []struct {
		name, value string
		want        [2]string // namespace and subject
	}{
		{"good", signRS256(t, a, kid("a"), externalClaims()), [2]string{issuerName, "u-1"}},
		{"the same subject of another issuer", signRS256(t, b, kid("b"), second), [2]string{"https://id.second.example", "u-1"}},
		{"another issuer's name", signRS256(t, a, kid("a"), second), refused},
		{"no typ", typ(nil), [2]string{issuerName, "u-1"}},
		{"typ in lower case", typ("jwt"), [2]string{issuerName, "u-1"}},
		{"typ of an access token", typ("at+jwt"), refused},
		{"typ of an access token as media type", typ("application/at+jwt"), refused},
		{"typ of a logout token", typ("logout+jwt"), refused},
		{"typ of an event", typ("secevent+jwt"), refused},
		{"typ of a statement", typ("software-statement+jwt"), refused},
		{"unsigned", "u-1", refused},
		{"wrong issuer", signRS256(t, a, kid("a"), with(externalClaims(), "iss", "x")), refused},
		{"expired", signRS256(t, a, kid("a"), with(externalClaims(), "exp", begin.Add(-time.Hour).Unix())), refused},
		{"wrong audience", signRS256(t, a, kid("a"), with(externalClaims(), "aud", "x")), refused},
		{"too long a subject", signRS256(t, a, kid("a"), with(externalClaims(), "sub", strings.Repeat("x", 257))), refused},
		{"one of ours", f.mint(f.realm()), refused},
		{"one of ours, RS256", f.mint(f.cfg.Load().Realms[1]), refused},
		{"an access token of ours", access.Token, refused},
		{"over 8 KiB", signRS256(t, a, kid("a"), with(externalClaims(), "name", strings.Repeat("x", jose.MaxToken))), refused},
	}
	for _, tt := range tests {
		namespace, subject, err := f.VerifySSOID(f.realm(), []byte(tt.value), begin)
		if got := [2]string{namespace, subject}; got != tt.want || (err == nil) != (tt.want != refused) {
			t.Errorf("%s: got %q, %v; want %q", tt.name, got, err, tt.want)
		}
	}
}

func TestPEMKeys(t *testing.T) {
	a := issuerPair(0)
	pkix, _ := x509.MarshalPKIXPublicKey(&a.PublicKey)
	self := &x509.Certificate{SerialNumber: big.NewInt(1)}
	cert, err := x509.CreateCertificate(rand.Reader, self, self, &a.PublicKey, a)
	if err != nil {
		t.Fatal(err)
	}
	for kind, block := range map[string][]byte{
		"PUBLIC KEY": pkix, "RSA PUBLIC KEY": x509.MarshalPKCS1PublicKey(&a.PublicKey), "CERTIFICATE": cert,
	} {
		path := writeFile(t, "key.pem", pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: block}))
		acme := realm("acme", HS256)
		acme.TrustedIssuers = []config.TrustedIssuer{{Issuer: issuerName, PEMFile: path, KID: "k1"}}
		f := newFixture(t, configuration(acme))
		for name, want := range map[string]error{"k1": nil, "k2": ErrParse} {
			if err := f.verify(f.realm(), signRS256(t, a, kid(name), externalClaims())); !errors.Is(err, want) {
				t.Errorf("%s, kid %s: got %v, want %v", kind, name, err, want)
			}
		}
		if err := f.verify(f.realm(), signRS256(t, a, nil, externalClaims())); err != nil {
			t.Errorf("%s, no kid: %v", kind, err)
		}
	}
}

func TestCheckIssuerFindsMistakes(t *testing.T) {
	a := issuerPair(0)
	n, e := rsaParts(&a.PublicKey)
	weak := `"` + b64.EncodeToString(bytes.Repeat([]byte{255}, 1024/8)) + `"`
	jwks := func(text string) config.TrustedIssuer {
		return config.TrustedIssuer{Issuer: issuerName, JWKSFile: writeFile(t, "jwks.json", []byte(text))}
	}
	url := func(text string) config.TrustedIssuer {
		return config.TrustedIssuer{Issuer: issuerName, JWKSURL: text}
	}
	private := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(a)})
	tests := []struct {
		name string
		t    config.TrustedIssuer
		ok   bool
	}{
		{"good file", jwks(`{"keys":[{"kty":"RSA","n":"` + n + `","e":"` + e + `"}]}`), true},
		{"one usable key of several", jwks(`{"keys":[{"kty":"EC"},{"kty":"RSA","use":"enc"},{"kty":"RSA","alg":"PS256"},{"kty":"RSA","use":"sig","alg":"RS256","n":"` + n + `","e":"` + e + `"}]}`), true},
		{"no key", jwks(`{"keys":[]}`), false},
		{"not a key set", jwks(`{"kty":"RSA","n":"` + n + `","e":"` + e + `"}`), false},
		{"no JSON", jwks(`hello`), false},
		{"symmetric key", jwks(`{"keys":[{"kty":"oct","k":"AAAA"}]}`), false},
		{"weak key", jwks(`{"keys":[{"kty":"RSA","n":` + weak + `,"e":"AQAB"}]}`), false},
		{"huge key", jwks(`{"keys":[{"kty":"RSA","n":"` + strings.Repeat("Q", 9000) + `","e":"AQAB"}]}`), false},
		{"even exponent", jwks(`{"keys":[{"kty":"RSA","n":"` + n + `","e":"Ag"}]}`), false},
		{"exponent one", jwks(`{"keys":[{"kty":"RSA","n":"` + n + `","e":"AQ"}]}`), false},
		{"huge exponent", jwks(`{"keys":[{"kty":"RSA","n":"` + n + `","e":"` + strings.Repeat("B", 40) + `"}]}`), false},
		{"missing file", config.TrustedIssuer{Issuer: issuerName, JWKSFile: "/nonexistent"}, false},
		{"private key", config.TrustedIssuer{Issuer: issuerName, PEMFile: writeFile(t, "k.pem", private)}, false},
		{"no PEM", config.TrustedIssuer{Issuer: issuerName, PEMFile: writeFile(t, "k.pem", []byte("x"))}, false},
		{"https", url("https://id.example/jwks.json"), true},
		{"http on this machine", url("http://127.0.0.1:80/jwks.json"), true},
		{"http on this machine, v6", url("http://[::1]/jwks.json"), true},
		{"http elsewhere", url("http://id.example/jwks.json"), false},
		{"http on a name like an address", url("http://127.0.0.1.example/jwks.json"), false},
		{"file URL", url("file:///etc/passwd"), false},
		{"relative URL", url("/jwks.json"), false},
		{"URL with credentials", url("https://a:b@id.example/"), false},
		{"our own name", config.TrustedIssuer{Issuer: OwnIssuer, JWKSURL: "https://id.example"}, false},
		{"the namespace of X-SSO-ID", config.TrustedIssuer{Issuer: NamespaceSSO, JWKSURL: "https://id.example"}, false},
		{"the namespace of a platform", config.TrustedIssuer{Issuer: "platform:roku", JWKSURL: "https://id.example"}, false},
		{"no name", config.TrustedIssuer{JWKSURL: "https://id.example"}, false},
	}
	for _, tt := range tests {
		if _, err := CheckIssuer(tt.t); (err == nil) != tt.ok {
			t.Errorf("%s: got %v, want ok = %v", tt.name, err, tt.ok)
		}
	}
}

// A file that went bad changes nothing; one that is good again counts after
// the next reload.
func TestIssuerFileIsReadOnReload(t *testing.T) {
	a, b := issuerPair(0), issuerPair(1)
	path := writeFile(t, "jwks.json", jwksOf(map[string]*rsa.PrivateKey{"a": a}))
	acme := realm("acme", HS256)
	acme.TrustedIssuers = []config.TrustedIssuer{{Issuer: issuerName, JWKSFile: path}}
	f := newFixture(t, configuration(acme))
	old, young := signRS256(t, a, kid("a"), externalClaims()), signRS256(t, b, kid("b"), externalClaims())
	if err := f.verify(f.realm(), old); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.follow(f.cfg.Load()); err == nil {
		t.Error("a bad file is no error")
	}
	if err := f.verify(f.realm(), old); err != nil {
		t.Errorf("with a bad file: %v", err)
	}
	if err := os.WriteFile(path, jwksOf(map[string]*rsa.PrivateKey{"b": b}), 0o600); err != nil {
		t.Fatal(err)
	}
	f.reload(f.cfg.Load())
	if err := f.verify(f.realm(), old); !errors.Is(err, ErrParse) {
		t.Errorf("a removed key, seen before: got %v, want ErrParse", err)
	}
	if err := f.verify(f.realm(), young); err != nil {
		t.Errorf("a new key: %v", err)
	}
}
