package keys

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"ssod/httpfront/config"
)

// T8: whatever the token says about itself, only the key's own algorithm will
// do, and all of these look alike to the attacker.
func TestAlgorithmConfusion(t *testing.T) {
	f := newFixture(t, configuration(realm("pub", RS256)))
	k := f.signing(Service, "pub").key
	public := &k.rsa.PublicKey
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	pkcs1 := x509.MarshalPKCS1PublicKey(public)
	document, _, _ := f.JWKS(t.Context(), "pub")
	claims := jwt.MapClaims(ownClaims())
	hmacWith := func(secret []byte) string {
		token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(secret)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	rs512, err := jwt.NewWithClaims(jwt.SigningMethodRS512, claims).SignedString(k.rsa)
	if err != nil {
		t.Fatal(err)
	}
	unsigned, err := jwt.NewWithClaims(jwt.SigningMethodNone, claims).SignedString(jwt.UnsafeAllowNoneSignatureType)
	if err != nil {
		t.Fatal(err)
	}
	payload := strings.Split(rs512, ".")[1]
	plain := func(header, signature string) string {
		return b64.EncodeToString([]byte(header)) + "." + payload + "." + signature
	}
	zero := b64.EncodeToString(make([]byte, 64))
	good := f.mint(f.realm())
	tokens := map[string]string{
		"none":                    unsigned,
		"none with a signature":   plain(`{"alg":"none","typ":"JWT"}`, zero),
		"nOnE":                    plain(`{"alg":"nOnE","typ":"JWT"}`, ""),
		"nOnE with a signature":   plain(`{"alg":"nOnE","typ":"JWT"}`, zero),
		"empty alg":               plain(`{"alg":"","typ":"JWT"}`, zero),
		"HMAC with the PEM":       hmacWith(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})),
		"HMAC with the DER":       hmacWith(der),
		"HMAC with the PKCS1 PEM": hmacWith(pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: pkcs1})),
		"HMAC with the PKCS1 DER": hmacWith(pkcs1),
		"HMAC with the modulus":   hmacWith(public.N.Bytes()),
		"HMAC with the JWKS":      hmacWith(document),
		"HMAC with nothing":       hmacWith([]byte{}),
		"RS512":                   rs512,
		"empty signature":         good[:strings.LastIndexByte(good, '.')+1],
		"ES256 with r = s = 0":    plain(`{"alg":"ES256","typ":"JWT"}`, zero),
		"ES256":                   es256(t, payload),
		"PS256 by name":           plain(`{"alg":"PS256","typ":"JWT"}`, strings.Split(rs512, ".")[2]),
	}
	if err := f.verify(f.realm(), good); err != nil {
		t.Fatalf("the good token: %v", err)
	}
	for name, token := range tokens {
		if err := f.verify(f.realm(), token); !errors.Is(err, ErrParse) {
			t.Errorf("%s: got %v, want ErrParse", name, err)
		}
	}
}

func es256(t *testing.T, payload string) string {
	pair, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	text := b64.EncodeToString([]byte(`{"alg":"ES256","typ":"JWT"}`)) + "." + payload
	signature, err := jwt.SigningMethodES256.Sign(text, pair)
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + b64.EncodeToString(signature)
}

// T9: a kid is looked up, exactly, and leads nowhere else.
func TestHeaderInjection(t *testing.T) {
	f := newFixture(t, configuration(realm("acme", HS256)))
	k := f.signing(Service, "acme").key
	headers := []map[string]any{
		{"kid": "../../../../dev/null"},
		{"kid": "/etc/passwd"},
		{"kid": "file:///etc/passwd"},
		{"kid": "' OR 1=1 --"},
		{"kid": "x' UNION SELECT 'secret"},
		{"kid": k.id + "\x00"},
		{"kid": k.id[:20]},
		{"kid": strings.ToUpper(k.id)},
		{"kid": " " + k.id},
		{"kid": "| sleep 10"},
		{"kid": "${jndi:ldap://x}"},
		{"kid": strings.Repeat("k", 64<<10)},
		{"kid": []string{k.id}},
		{"kid": map[string]string{"kid": k.id}},
		{"jku": "https://evil.example/jwks.json"},
		{"x5u": "https://evil.example/cert.pem"},
		{"jwk": map[string]string{"kty": "oct", "k": "AAAA"}},
		{"x5c": []string{"AAAA"}},
		{"crit": []string{"exp"}},
		{"crit": []string{}},
		{"crit": nil},
		{"b64": false},
		{"b64": true},
		{"jku": nil},
	}
	for _, extra := range headers {
		header := ownHeader()
		maps.Copy(header, extra)
		if err := f.verify(f.realm(), forge(t, k, header, ownClaims())); !errors.Is(err, ErrParse) {
			t.Errorf("header %.80v: got %v, want ErrParse", extra, err)
		}
	}
}

// TestForbiddenHeaders: every kind of token is refused under a header that has the
// reader do more, however good it is without.
func TestForbiddenHeaders(t *testing.T) {
	issuer := issuerPair(0)
	acme := realm("acme", HS256)
	acme.TrustedIssuers = []config.TrustedIssuer{{Issuer: issuerName, JWKSFile: writeFile(t, "jwks.json", jwksOf(map[string]*rsa.PrivateKey{"a": issuer}))}}
	f := newFixture(t, configuration(acme))
	service, access, statement := f.signing(Service, "acme").key, f.signing(Access, "").key, f.signing(Statement, "").key
	accessClaims := map[string]any{"iss": "https://sso.example.com", "sub": "client", "exp": begin.Add(time.Hour).Unix()}
	header := func(k *key, more map[string]any) map[string]any {
		h := map[string]any{"alg": k.algorithm, "typ": k.use.typ(), "kid": k.id}
		maps.Copy(h, more)
		return h
	}
	users := map[string]func(more map[string]any) error{
		"service": func(more map[string]any) error {
			return f.verify(f.realm(), forge(t, service, header(service, more), ownClaims()))
		},
		"external": func(more map[string]any) error {
			return f.verify(f.realm(), signRS256(t, issuer, more, externalClaims()))
		},
		"X-SSO-ID": func(more map[string]any) error {
			_, _, err := f.VerifySSOID(f.realm(), []byte(signRS256(t, issuer, more, externalClaims())), begin)
			return err
		},
		"access": func(more map[string]any) error {
			_, err := f.VerifyAccess([]byte(forge(t, access, header(access, more), accessClaims)), begin)
			return err
		},
		"statement": func(more map[string]any) error {
			_, err := f.VerifyStatement([]byte(forge(t, statement, header(statement, more), map[string]any{"iss": "x"})), begin)
			return err
		},
	}
	for name, verify := range users {
		if err := verify(map[string]any{"x5t": "x"}); err != nil {
			t.Errorf("%s without any of them: %v", name, err)
		}
		for _, member := range []string{"jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "epk", "apu", "apv", "p2s", "p2c", "iv", "tag", "enc"} {
			err := verify(map[string]any{member: "x"})
			if !errors.Is(err, ErrParse) && !errors.Is(err, ErrAccess) && !errors.Is(err, ErrStatement) {
				t.Errorf("%s with %s: got %v", name, member, err)
			}
		}
	}
}

// T10: a token is good in its own realm only.
func TestRealmsAreApart(t *testing.T) {
	f := newFixture(t, configuration(realm("acme", HS256), realm("other", HS256), realm("pub", RS256)))
	realms := f.cfg.Load().Realms
	want := map[string]map[string]error{
		"acme":  {"acme": nil, "other": ErrSignature, "pub": ErrParse},
		"other": {"acme": ErrSignature, "other": nil, "pub": ErrParse},
		"pub":   {"acme": ErrParse, "other": ErrParse, "pub": nil},
	}
	check := func(t *testing.T, want map[string]map[string]error) {
		for _, from := range realms {
			token := f.mint(from)
			for range 2 { // also when it is in the cache
				for _, to := range realms {
					if err := f.verify(to, token); !errors.Is(err, want[from.ID][to.ID]) {
						t.Errorf("token of %s in %s: got %v, want %v", from.ID, to.ID, err, want[from.ID][to.ID])
					}
				}
			}
		}
	}
	check(t, want)
	f.rotate(Rotation{Use: Service})
	for from := range want { // tokens have a kid now, which the others do not know
		for to := range want[from] {
			if from != to {
				want[from][to] = ErrParse
			}
		}
	}
	check(t, want)
}

// T11: what is signed for one purpose is no good for another, even if the same
// key had signed it.
func TestKindsOfTokensAreApart(t *testing.T) {
	f := newFixture(t, configuration(realm("acme", HS256)))
	access, err := f.SignAccess("client", "api:client:v2", begin)
	if err != nil {
		t.Fatal(err)
	}
	statement, err := f.SignStatement([]byte(`{"iss":"https://sso.example.com","jti":"x"}`), begin)
	if err != nil {
		t.Fatal(err)
	}
	accessKey, serviceKey := f.signing(Access, "").key, f.signing(Service, "acme").key
	accessClaims := map[string]any{"iss": "https://sso.example.com", "sub": "client", "exp": begin.Add(time.Hour).Unix()}
	tokens := []struct {
		name, token                string
		service, access, statement error
	}{
		{"service", f.mint(f.realm()), nil, ErrAccess, ErrStatement},
		{"access", access.Token, ErrParse, nil, ErrStatement},
		{"statement", statement, ErrParse, ErrAccess, nil},
		{"service claims under the access key", forge(t, accessKey, map[string]any{"alg": HS256, "typ": "JWT", "kid": accessKey.id}, ownClaims()), ErrParse, ErrAccess, ErrStatement},
		{"service claims as at+jwt", forge(t, serviceKey, map[string]any{"alg": HS256, "typ": "at+jwt"}, ownClaims()), ErrParse, ErrAccess, ErrStatement},
		{"access claims under the service key", forge(t, serviceKey, map[string]any{"alg": HS256, "typ": "at+jwt", "kid": serviceKey.id}, accessClaims), ErrParse, ErrAccess, ErrStatement},
		{"access token of type JWT", forge(t, accessKey, map[string]any{"alg": HS256, "typ": "JWT", "kid": accessKey.id}, accessClaims), ErrParse, ErrAccess, ErrStatement},
		{"access token without kid", forge(t, accessKey, map[string]any{"alg": HS256, "typ": "at+jwt"}, accessClaims), ErrParse, ErrAccess, ErrStatement},
		{"access token of another issuer", forge(t, accessKey, map[string]any{"alg": HS256, "typ": "at+jwt", "kid": accessKey.id}, with(accessClaims, "iss", "x")), ErrParse, ErrAccessExpired, ErrStatement},
		{"access token by hand", forge(t, accessKey, map[string]any{"alg": HS256, "typ": "at+jwt", "kid": accessKey.id}, accessClaims), ErrParse, nil, ErrStatement},
	}
	for _, tt := range tokens {
		t.Run(tt.name, func(t *testing.T) {
			if err := f.verify(f.realm(), tt.token); !errors.Is(err, tt.service) {
				t.Errorf("as service token: got %v, want %v", err, tt.service)
			}
			if _, err := f.VerifyAccess([]byte(tt.token), begin); !errors.Is(err, tt.access) {
				t.Errorf("as access token: got %v, want %v", err, tt.access)
			}
			if _, err := f.VerifyStatement([]byte(tt.token), begin); !errors.Is(err, tt.statement) {
				t.Errorf("as statement: got %v, want %v", err, tt.statement)
			}
		})
	}
}
