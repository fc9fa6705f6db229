package keyset

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"

	"ssod/httpfront/token/jose"
)

// members of a key in JSON.
type members map[string]any

func (m members) with(name string, value any) members {
	more := members{name: value}
	for n, v := range m {
		if n != name {
			more[n] = v
		}
	}
	return more
}

func (m members) without(name string) members {
	less := members{}
	for n, v := range m {
		if n != name {
			less[n] = v
		}
	}
	return less
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func rsaMembers(bits int) members {
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return members{"kty": "RSA", "kid": fmt.Sprint("rsa", bits), "n": encode(k.N.Bytes()), "e": "AQAB", "d": encode(k.D.Bytes())}
}

func ecMembers(c elliptic.Curve, name string) members {
	k, err := ecdsa.GenerateKey(c, rand.Reader)
	if err != nil {
		panic(err)
	}
	raw, err := k.PublicKey.Bytes()
	if err != nil {
		panic(err)
	}
	size := len(raw) / 2
	return members{"kty": "EC", "crv": name, "kid": name, "x": encode(raw[1 : 1+size]), "y": encode(raw[1+size:])}
}

// samples are made once: that takes longer than the tests.
var samples = sync.OnceValue(func() (s struct{ rsa, weak, p256, p384, ed, oct members }) {
	s.rsa = rsaMembers(2048)
	s.weak = rsaMembers(1024)
	s.p256, s.p384 = ecMembers(elliptic.P256(), "P-256"), ecMembers(elliptic.P384(), "P-384")
	public, _, _ := ed25519.GenerateKey(rand.Reader)
	s.ed = members{"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": encode(public)}
	s.oct = members{"kty": "oct", "kid": "oct", "k": encode(make([]byte, 32))}
	return s
})

func document(t testing.TB, keys ...any) []byte {
	t.Helper()
	data, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

var all = Wanted{Algorithms: []string{jose.RS256, jose.ES256, jose.HS256}}

// TestAForeignKeyIsLeftOut: whatever stands beside a good key, the good one is
// used, and alone it is an error that says why (RFC 7517, 5). The reason is empty
// for keys of which there is nothing to report.
func TestAForeignKeyIsLeftOut(t *testing.T) {
	k := samples()
	good := k.rsa.without("d").with("kid", "good").with("use", "sig").with("alg", "RS256")
	n := k.rsa["n"].(string)
	big8193 := encode(new(big.Int).Lsh(big.NewInt(1), 8192).Bytes())
	published := Wanted{Algorithms: all.Algorithms, Published: true}
	rsaOnly := Wanted{Algorithms: []string{jose.RS256}}
	for name, tt := range map[string]struct {
		key    any
		wanted Wanted
		reason string
	}{
		"P-384":                      {k.p384, all, `on the curve "P-384", want P-256`},
		"secp256k1":                  {k.p256.with("crv", "secp256k1"), all, `on the curve "secp256k1"`},
		"Ed25519":                    {k.ed, all, `kty "OKP" is not known`},
		"ML-DSA":                     {members{"kty": "AKP", "alg": "ML-DSA-44", "kid": "pq", "pub": "AAAA"}, all, `("pq"): kty "AKP" is not known`},
		"no kty":                     {good.without("kty"), all, "no kty"},
		"kty in lower case":          {good.with("kty", "rsa"), all, `kty "rsa" is not known`},
		"kty a number":               {good.with("kty", 1), all, "no kty"},
		"kid a number":               {good.with("kid", 1), all, "kid is no text"},
		"RSA of 1024 bits":           {k.weak, all, "RSA modulus of 1024 bits"},
		"RSA of 8193 bits":           {good.with("n", big8193), all, "RSA modulus of 8193 bits"},
		"RSA beyond all bounds":      {good.with("n", strings.Repeat("A", 100_000)), all, "n or e is missing or malformed"},
		"RSA without e":              {good.without("e"), all, "n or e is missing"},
		"RSA without n":              {good.without("n"), all, "n or e is missing"},
		"RSA, n padded":              {good.with("n", n+"=="), all, "n or e is missing or malformed"},
		"RSA, n a number":            {good.with("n", 1), all, "n or e is missing"},
		"RSA, even exponent":         {good.with("e", "Ag"), all, "not an RSA public key"},
		"RSA, exponent one":          {good.with("e", "AQ"), all, "not an RSA public key"},
		"RSA, huge exponent":         {good.with("e", "AQAAAAAAAAAB"), all, "not an RSA public key"},
		"x5c only":                   {members{"kty": "RSA", "kid": "cert", "x5c": []string{"MIIB"}}, all, "n or e is missing"},
		"RSA for RS512":              {good.with("alg", "RS512"), all, `for "RS512"`},
		"RSA for PS256":              {good.with("alg", "PS256"), all, `for "PS256"`},
		"RSA for encryption by alg":  {good.with("alg", "RSA-OAEP-256").without("use"), all, `for "RSA-OAEP-256"`},
		"RSA for an EC algorithm":    {good.with("alg", "ES256"), all, `for "ES256"`},
		"EC for another algorithm":   {k.p256.with("alg", "ES384"), all, `for "ES384"`},
		"EC without y":               {k.p256.without("y"), all, "x or y is missing"},
		"EC, short x":                {k.p256.with("x", "AAAA"), all, "x or y is missing or malformed"},
		"EC, off the curve":          {k.p256.with("x", encode(make([]byte, 32))), all, "not a point of the curve"},
		"EC where RSA is wanted":     {k.p256, rsaOnly, "for ES256, which is not used"},
		"oct where RSA is wanted":    {k.oct, rsaOnly, "for HS256, which is not used"},
		"oct, short":                 {k.oct.with("k", encode(make([]byte, 31))), all, "a secret of 31 bytes"},
		"oct without k":              {k.oct.without("k"), all, "k is missing"},
		"oct, published":             {k.oct, published, "a secret, and published"},
		"private RSA key, published": {k.rsa, published, "a secret, and published"},
		"private EC key, published":  {k.p256.with("d", "AAAA"), published, "a secret, and published"},
		"a member twice":             {json.RawMessage(`{"kty":"RSA","kty":"RSA"}`), all, "malformed"},
		"nested deeply":              {json.RawMessage(`{"kty":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + `}`), all, "malformed"},
		"half of a character":        {json.RawMessage(`{"kty":"\ud83d"}`), all, "malformed"},
		"no object":                  {"key", all, "malformed"},
		"null":                       {nil, all, "malformed"},
		"use enc":                    {good.with("use", "enc"), all, ""},
		"use of another kind":        {good.with("use", "tls"), all, ""},
		"key_ops for encryption":     {good.without("use").with("key_ops", []string{"encrypt", "wrapKey"}), all, ""},
		"no key_ops at all":          {good.without("use").with("key_ops", []string{}), all, ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, keys := range [][]any{{tt.key, good}, {good, tt.key}} {
				s, err := Parse(document(t, keys...), tt.wanted)
				if err != nil || len(s.Keys) != 1 || s.Keys[0].ID != "good" {
					t.Fatalf("beside a good key: got %v, %v", s.Keys, err)
				}
				if text := s.Unused.String(); !strings.Contains(text, tt.reason) || (text == "") != (tt.reason == "") || (s.Unused.Warning() == "") != (tt.reason == "") {
					t.Errorf("unused: got %q, want %q", text, tt.reason)
				}
			}
			_, err := Parse(document(t, tt.key), tt.wanted)
			if err == nil || !strings.Contains(err.Error(), "no key for signatures of RS256") || !strings.Contains(err.Error(), tt.reason) {
				t.Errorf("alone: got %v", err)
			}
		})
	}
}

// TestKeysOfUse have one algorithm each, whatever else they say.
func TestKeysOfUse(t *testing.T) {
	k := samples()
	for name, tt := range map[string]struct {
		key    members
		wanted Wanted
		want   string
	}{
		"RSA":                       {k.rsa.without("d"), all, jose.RS256},
		"RSA with everything":       {k.rsa.without("d").with("use", "sig").with("alg", "RS256").with("key_ops", []string{"verify"}).with("x5t", "x").with("x5c", []string{"no certificate"}).with("unknown", 1), all, jose.RS256},
		"RSA with a leading zero":   {k.rsa.without("d").with("n", encode(append([]byte{0}, decode(t, k.rsa["n"])...))), all, jose.RS256},
		"RSA without a kid":         {k.rsa.without("d").without("kid"), all, jose.RS256},
		"private RSA key in a file": {k.rsa.with("key_ops", []string{"sign"}), all, jose.RS256},
		"P-256":                     {k.p256.with("alg", "ES256"), all, jose.ES256},
		"P-256, published":          {k.p256, Wanted{all.Algorithms, true}, jose.ES256},
		"oct in a file":             {k.oct.with("key_ops", []string{"sign", "verify"}), all, jose.HS256},
	} {
		s, err := Parse(document(t, tt.key), tt.wanted)
		if err != nil || len(s.Keys) != 1 || s.Keys[0].Algorithm != tt.want || s.Unused.String() != "" {
			t.Errorf("%s: got %v, unused %q, %v", name, s.Keys, s.Unused, err)
			continue
		}
		switch m := s.Keys[0].Material.(type) {
		case *rsa.PublicKey, *ecdsa.PublicKey, []byte:
		default:
			t.Errorf("%s: material %T", name, m)
		}
	}
}

func decode(t *testing.T, text any) []byte {
	t.Helper()
	data, err := base64.RawURLEncoding.DecodeString(text.(string))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestKeysOfOneName are both kept: whoever rotates may publish two.
func TestKeysOfOneName(t *testing.T) {
	k := samples()
	s, err := Parse(document(t, k.rsa.with("kid", "a"), k.p256.with("kid", "a"), k.rsa.with("kid", "a")), all)
	if err != nil || len(s.Keys) != 3 {
		t.Errorf("got %v, %v", s.Keys, err)
	}
}

// TestWhatIsNoSet is refused, and what it says is not repeated.
func TestWhatIsNoSet(t *testing.T) {
	for _, text := range []string{"", "secret", "[]", "{}", "null", `"keys"`, `{"keys":{}}`, `{"keys":"secret"}`, `{"keys":[}`, `{"Keys":[{"kty":"oct","k":"secret"}]}`, `{"kty":"RSA"}`} {
		s, err := Parse([]byte(text), all)
		if err == nil || len(s.Keys) > 0 || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: got %v, %v", text, s.Keys, err)
		}
	}
	if _, err := Parse(append([]byte("\uFEFF"), document(t, samples().rsa)...), all); err != nil {
		t.Errorf("with a byte order mark: %v", err)
	}
}

// TestASetIsBounded: of many keys some are used, and of many reasons some told.
func TestASetIsBounded(t *testing.T) {
	var keys []any
	for range 3 * maxKeys {
		keys = append(keys, samples().rsa.without("d"))
	}
	s, err := Parse(document(t, keys...), all)
	if text := s.Unused.String(); err != nil || len(s.Keys) != maxKeys || !strings.Contains(text, "more than 32 keys") || !strings.HasSuffix(text, "and 59 more") || len(text) > 400 {
		t.Errorf("%d keys, unused %q, %v", len(s.Keys), text, err)
	}
	_, err = Parse([]byte(`{"keys":[`+strings.Repeat(`{"kty":"`+strings.Repeat("x", 1000)+`","kid":"`+strings.Repeat("y", 1000)+`"},`, 100)+`{}]}`), all)
	if err == nil || len(err.Error()) > 1000 {
		t.Errorf("%d characters of error", len(err.Error()))
	}
}

func TestEqual(t *testing.T) {
	k := samples()
	s, err := Parse(document(t, k.rsa, k.p256, k.oct, k.rsa.with("kid", "other"), k.oct.with("k", encode([]byte(strings.Repeat("x", 32))))), all)
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range s.Keys {
		for j, b := range s.Keys {
			if a.Equal(b) != (i == j) {
				t.Errorf("keys %d and %d: equal %v", i, j, a.Equal(b))
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"},{"kty":"EC","crv":"P-256","x":"AA","y":"AA"},{"kty":"oct","k":"AA"}]}`))
	f.Add(document(f, samples().rsa, samples().p256, samples().oct))
	f.Add([]byte(`{"keys":[1,null,[],{}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Parse(data, Wanted{Algorithms: []string{jose.RS256, jose.ES256}, Published: true})
		if err == nil && (len(s.Keys) == 0 || len(s.Keys) > maxKeys) {
			t.Fatalf("%d keys", len(s.Keys))
		}
		for _, k := range s.Keys {
			if k.Algorithm == jose.HS256 {
				t.Fatal("a published secret is used")
			}
		}
	})
}
