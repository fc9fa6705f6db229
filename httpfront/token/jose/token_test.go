package jose

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	gojose "github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
)

var (
	secret = bytes.Repeat([]byte("k"), 32)
	pair   = sync.OnceValue(func() *rsa.PrivateKey {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		return k
	})
	hmacKey = Key{Algorithm: HS256, Material: secret}
)

// sign makes a JWS of a header and a payload as they are.
func sign(t testing.TB, header, payload string) string {
	t.Helper()
	text := b64.EncodeToString([]byte(header)) + "." + b64.EncodeToString([]byte(payload))
	signature, err := jwt.SigningMethodHS256.Sign(text, secret)
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + b64.EncodeToString(signature)
}

// seal makes a JWE under the secret with further members in its header, as go-jose does.
func seal(t testing.TB, content string, header ...string) string {
	t.Helper()
	o := &gojose.EncrypterOptions{}
	for i := 0; i < len(header); i += 2 {
		o.WithHeader(gojose.HeaderKey(header[i]), header[i+1])
	}
	e, err := gojose.NewEncrypter(gojose.A256GCM, gojose.Recipient{Algorithm: gojose.DIRECT, Key: secret}, o)
	if err != nil {
		t.Fatal(err)
	}
	object, err := e.Encrypt([]byte(content))
	if err != nil {
		t.Fatal(err)
	}
	text, err := object.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestForbiddenHeaders: each one alone, whatever it holds, has a token refused that
// is good otherwise.
func TestForbiddenHeaders(t *testing.T) {
	names := []string{"jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "epk", "apu", "apv", "p2s", "p2c", "iv", "tag"}
	if len(names) != len(forbidden) {
		t.Fatalf("%d names, %d are forbidden", len(names), len(forbidden))
	}
	_, rest, _ := strings.Cut(seal(t, "content"), ".")
	encrypted := func(more string) string {
		return b64.EncodeToString([]byte(`{"alg":"dir","enc":"A256GCM"`+more+`}`)) + "." + rest
	}
	if _, ok := Parse([]byte(encrypted(`,"x5t":"x","cty":"JWT"`))); !ok {
		t.Fatal("the JWE is refused without any of them")
	}
	if _, ok := Parse([]byte(sign(t, `{"alg":"HS256","x5t":"x","cty":"JWT"}`, `{}`))); !ok {
		t.Fatal("the JWS is refused without any of them")
	}
	for _, name := range names {
		for _, value := range []string{`"x"`, `null`, `[]`, `false`, `{}`, `1`} {
			member := `,"` + name + `":` + value
			if _, ok := Parse([]byte(sign(t, `{"alg":"HS256"`+member+`}`, `{}`))); ok {
				t.Errorf("a JWS with %s is taken", member)
			}
			if _, ok := Parse([]byte(encrypted(member))); ok {
				t.Errorf("a JWE with %s is taken", member)
			}
		}
	}
}

func TestParse(t *testing.T) {
	good := sign(t, `{"alg":"HS256","typ":"JWT","kid":"k"}`, `{"sub":"s"}`)
	parts := strings.Split(good, ".")
	with := func(header string) string { return sign(t, header, `{}`) }
	for name, tt := range map[string]struct {
		token string
		want  bool
	}{
		"good":                {good, true},
		"no typ and no kid":   {with(`{"alg":"HS256"}`), true},
		"nothing":             {"", false},
		"dots":                {"..", false},
		"four dots":           {"....", false},
		"two parts":           {parts[0] + "." + parts[1], false},
		"four parts":          {good + "." + parts[2], false},
		"six parts":           {good + "." + good, false},
		"no header":           {"." + parts[1] + "." + parts[2], false},
		"no payload":          {parts[0] + ".." + parts[2], false},
		"no signature":        {parts[0] + "." + parts[1] + ".", false},
		"padded":              {good + "=", false},
		"a line end":          {parts[0] + "." + parts[1] + "\n." + parts[2], false},
		"plain Base64":        {parts[0] + "." + parts[1] + ".++//", false},
		"stray bits, header":  {"eyJhbGciOiJIUzI1NiJ9IB." + parts[1] + "." + parts[2], false},
		"stray bits, payload": {parts[0] + ".e31." + parts[2], false},
		"longest":             {parts[0] + "." + strings.Repeat("AAAA", (MaxToken-len(parts[0])-len(parts[2])-2)/4) + "." + parts[2], true},
		"too long":            {parts[0] + "." + strings.Repeat("A", MaxToken) + "." + parts[2], false},
		"no JSON":             {with(`alg`), false},
		"an array":            {with(`["HS256"]`), false},
		"alg twice":           {with(`{"alg":"HS256","alg":"none"}`), false},
		"alg twice, escaped":  {with(`{"alg":"HS256","\u0061lg":"none"}`), false},
		"no alg":              {with(`{"typ":"JWT"}`), false},
		"alg a number":        {with(`{"alg":256}`), false},
		"typ a number":        {with(`{"alg":"HS256","typ":1}`), false},
		"typ empty":           {with(`{"alg":"HS256","typ":""}`), false},
		"kid a number":        {with(`{"alg":"HS256","kid":1}`), false},
		"kid empty":           {with(`{"alg":"HS256","kid":""}`), false},
		"enc of a JWE":        {with(`{"alg":"HS256","enc":"A256GCM"}`), false},
		"after the header":    {with(`{"alg":"HS256"} x`), false},
		"sealed":              {seal(t, "x"), true},
		"sealed, too long":    {seal(t, strings.Repeat("x", MaxToken)), false},
	} {
		parsed, ok := Parse([]byte(tt.token))
		if ok != tt.want {
			t.Errorf("%s: got %v", name, ok)
		}
		if _, signed := ParseSigned([]byte(tt.token)); signed != (ok && !parsed.Encrypted) {
			t.Errorf("%s as a JWS: got %v", name, signed)
		}
	}
}

// TestAKeyServesOneAlgorithm: neither what the token says nor what the material could
// do leads to another.
func TestAKeyServesOneAlgorithm(t *testing.T) {
	signed, _ := Parse([]byte(sign(t, `{"alg":"HS256"}`, `{}`)))
	lying, _ := Parse([]byte(sign(t, `{"alg":"RS256"}`, `{}`)))
	none, _ := Parse([]byte(sign(t, `{"alg":"none"}`, `{}`)))
	sealed, ok := Parse([]byte(seal(t, "content")))
	if !ok {
		t.Fatal("the JWE is refused")
	}
	dir := Key{Algorithm: Dir, Material: secret}
	for name, tt := range map[string]struct {
		key  Key
		of   Token
		want bool
	}{
		"its own":              {hmacKey, signed, true},
		"another secret":       {Key{Algorithm: HS256, Material: make([]byte, 32)}, signed, false},
		"a public key":         {Key{Algorithm: RS256, Material: &pair().PublicKey}, signed, false},
		"RS256 over a secret":  {Key{Algorithm: RS256, Material: secret}, lying, false},
		"HS256 that says none": {hmacKey, none, false},
		"HS256 that says RS":   {hmacKey, lying, false},
		"none for none":        {Key{Algorithm: "none", Material: jwt.UnsafeAllowNoneSignatureType}, none, false},
		"no key":               {Key{}, signed, false},
		"dir as HS256":         {hmacKey, sealed, false},
		"HS256 as dir":         {dir, signed, false},
	} {
		if got := tt.key.Verify(&tt.of); got != tt.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
	if content, ok := dir.Decrypt(&sealed); !ok || string(content) != "content" {
		t.Errorf("decrypted: got %q, %v", content, ok)
	}
	for name, k := range map[string]Key{"HS256": hmacKey, "another secret": {Algorithm: Dir, Material: make([]byte, 32)}, "nothing": {}} {
		if _, ok := k.Decrypt(&sealed); ok {
			t.Errorf("%s opens what dir sealed", name)
		}
	}
	if _, ok := dir.Decrypt(&signed); ok {
		t.Error("a JWS is decrypted")
	}
}

func TestClaims(t *testing.T) {
	at := time.Unix(1_767_384_000, 0)
	c, ok := ParseClaims([]byte(`{"exp":1767384060.9,"iat":1767384060,"nbf":1767384061,"aud":["x","ADOBE"],"unknown":{}}`))
	times, dated := c.Times()
	if !ok || !dated || !times.Expires.Equal(at.Add(time.Minute)) || !c.IsFor("Adobe") || c.IsFor("y") {
		t.Errorf("got %+v, %v, %v", times, ok, dated)
	}
	if times.Begun(at) || !times.Begun(at.Add(time.Second)) {
		t.Error("a minute ahead is good, more is not")
	}
	for _, bad := range []string{`{}`, `{"exp":"1767384060"}`, `{"exp":-1}`, `{"exp":1e300}`, `{"exp":1,"nbf":null}`, `{"exp":1,"iat":253402300800}`} {
		c, _ := ParseClaims([]byte(bad))
		if _, ok := c.Times(); ok {
			t.Errorf("%s has times", bad)
		}
	}
	for _, bad := range []string{``, `[]`, `"x"`, `{"exp":1,"exp":2}`, `{"sub":"` + "\xff" + `"}`} {
		if _, ok := ParseClaims([]byte(bad)); ok {
			t.Errorf("%q are claims", bad)
		}
	}
}

// FuzzParse: what is accepted is what golang-jwt and go-jose read too, under the same
// algorithm, and the key verifies what was signed only.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		sign(f, `{"alg":"HS256","typ":"JWT","kid":"k"}`, `{"sub":"s"}`), sign(f, `{"alg":"HS256","crit":["x"]}`, `{}`),
		seal(f, `{"iss":"x"}`), seal(f, "x", "kid", "k"), "..", "....",
	} {
		f.Add([]byte(seed))
	}
	parser := jwt.NewParser(jwt.WithoutClaimsValidation(), jwt.WithStrictDecoding())
	f.Fuzz(func(t *testing.T, token []byte) {
		parsed, ok := Parse(token)
		if !ok {
			return
		}
		if parsed.Encrypted {
			_, err := gojose.ParseEncryptedCompact(string(token), []gojose.KeyAlgorithm{gojose.DIRECT, gojose.RSA_OAEP_256}, []gojose.ContentEncryption{gojose.A256GCM})
			if err != nil {
				t.Fatalf("go-jose refuses %q: %v", token, err)
			}
			return
		}
		verified := hmacKey.Verify(&parsed)
		their, err := parser.Parse(string(token), func(their *jwt.Token) (any, error) {
			if !parsed.Says(their.Method.Alg()) {
				t.Fatalf("%q: golang-jwt reads %s", token, their.Method.Alg())
			}
			return secret, nil
		})
		if verified && (err != nil || !their.Valid) && !errors.Is(err, jwt.ErrTokenMalformed) {
			t.Fatalf("golang-jwt does not verify %q: %v", token, err)
		}
		if !verified && err == nil && parsed.Says(HS256) {
			t.Fatalf("golang-jwt alone verifies %q", token)
		}
	})
}
