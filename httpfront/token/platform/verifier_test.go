package platform_test

import (
	"context"
	"encoding/base64"
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"ssod/httpfront/config"
	"ssod/httpfront/slots"
	"ssod/httpfront/token/platform"
)

func TestGoodTokens(t *testing.T) {
	w, k := newWorld(t), keys()
	amazon := claims("amazon", nil)
	nested := jws(t, jose.ES256, k.ec, amazon)
	tests := map[string]struct{ token, platform, issuer string }{
		"RS256":                       {jws(t, jose.RS256, k.rsa, amazon), "firetv", "amazon"},
		"RS256 with kid and typ":      {jws(t, jose.RS256, k.rsa, amazon, "kid", "r1", "typ", "JWT"), "firetv", "amazon"},
		"ES256":                       {nested, "firetv", "amazon"},
		"HS256, as in the sample":     {jws(t, jose.HS256, k.secret, claims("roku", nil)), "roku", "roku"},
		"audience in an array":        {jws(t, jose.RS256, k.rsa, claims("amazon", map[string]any{"aud": []string{"x", "ADOBE"}})), "firetv", "amazon"},
		"no iat":                      {jws(t, jose.RS256, k.rsa, claims("amazon", map[string]any{"iat": nil})), "firetv", "amazon"},
		"a clock a minute ahead":      {jws(t, jose.RS256, k.rsa, claims("amazon", map[string]any{"iat": now.Unix() + 60, "nbf": now.Unix() + 60})), "firetv", "amazon"},
		"RSA-OAEP-256 around a JWS":   {jwe(t, jose.RSA_OAEP_256, jose.A256GCM, &k.decryption.PublicKey, nested, nil), "firetv", "amazon"},
		"the same with content type":  {jwe(t, jose.RSA_OAEP_256, jose.A256GCM, &k.decryption.PublicKey, nested, (&jose.EncrypterOptions{}).WithContentType("JWT").WithType("JWT")), "firetv", "amazon"},
		"dir, the secret vouches":     {jwe(t, jose.DIRECT, jose.A256GCM, k.dir, encode(t, claims("vault", nil)), nil), "vault", "vault"},
		"dir, the same with a key id": {jwe(t, jose.DIRECT, jose.A256GCM, jose.JSONWebKey{Key: k.dir, KeyID: "v1"}, encode(t, claims("vault", nil)), nil), "vault", "vault"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for range 2 { // the second time from memory
				got, err := w.verify(tt.token)
				if err != nil || got.Subject != "user-7f3a" || got.Platform != tt.platform || got.Namespace() != "platform:"+tt.issuer {
					t.Fatalf("got %+v, %v", got, err)
				}
			}
		})
	}
}

func TestClaims(t *testing.T) {
	w, k := newWorld(t), keys()
	tests := map[string]struct {
		changes map[string]any
		want    error
	}{
		"expired":               {map[string]any{"exp": now.Unix()}, platform.ErrExpired},
		"last second":           {map[string]any{"exp": now.Unix() + 1}, nil},
		"no exp":                {map[string]any{"exp": nil}, platform.ErrClaims},
		"exp as text":           {map[string]any{"exp": "2100-01-01"}, platform.ErrClaims},
		"exp after all time":    {map[string]any{"exp": 1e300}, platform.ErrClaims},
		"negative exp":          {map[string]any{"exp": -1}, platform.ErrClaims},
		"issued in the future":  {map[string]any{"iat": now.Unix() + 61}, platform.ErrClaims},
		"not valid yet":         {map[string]any{"nbf": now.Unix() + 61}, platform.ErrClaims},
		"no sub":                {map[string]any{"sub": nil}, platform.ErrClaims},
		"blank sub":             {map[string]any{"sub": " "}, platform.ErrClaims},
		"sub as number":         {map[string]any{"sub": 7}, platform.ErrClaims},
		"longest sub":           {map[string]any{"sub": strings.Repeat("s", 256)}, nil},
		"sub too long":          {map[string]any{"sub": strings.Repeat("s", 257)}, platform.ErrClaims},
		"no aud":                {map[string]any{"aud": nil}, platform.ErrClaims},
		"another aud":           {map[string]any{"aud": "netflix"}, platform.ErrClaims},
		"aud in another's list": {map[string]any{"aud": []any{"netflix", 7}}, platform.ErrClaims},
		"no iss":                {map[string]any{"iss": nil}, platform.ErrToken},
		"unknown iss":           {map[string]any{"iss": "apple"}, platform.ErrToken},
		"iss as array":          {map[string]any{"iss": []string{"amazon"}}, platform.ErrToken},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := w.verify(jws(t, jose.RS256, k.rsa, claims("amazon", tt.changes))); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// TestAttacks: keys and algorithms of the token's choice, and tokens of one platform used
// as those of another.
func TestAttacks(t *testing.T) {
	w, k := newWorld(t), keys()
	amazon := claims("amazon", nil)
	good := jws(t, jose.RS256, k.rsa, amazon)
	parts := strings.Split(good, ".")
	header := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	withHeader := func(text string) string { return header(text) + "." + parts[1] + "." + parts[2] }
	wrapped := jwe(t, jose.RSA_OAEP_256, jose.A256GCM, &k.decryption.PublicKey, good, nil)
	jweParts := strings.Split(wrapped, ".")
	jweHeader := func(text string) string { return header(text) + "." + strings.Join(jweParts[1:], ".") }
	public := encode(t, jose.JSONWebKey{Key: &k.rsa.PublicKey})
	tests := map[string]struct {
		token string
		want  error
	}{
		"empty":                    {"", platform.ErrToken},
		"alg none":                 {header(`{"alg":"none"}`) + "." + parts[1] + ".", platform.ErrToken},
		"alg nOnE, signed":         {withHeader(`{"alg":"nOnE"}`), platform.ErrToken},
		"no alg":                   {withHeader(`{}`), platform.ErrToken},
		"alg as number":            {withHeader(`{"alg":5}`), platform.ErrToken},
		"two algs":                 {withHeader(`{"alg":"RS256","alg":"HS256"}`), platform.ErrToken},
		"RS512":                    {jws(t, jose.RS512, k.rsa, amazon), platform.ErrToken},
		"HS256 with a public key":  {jws(t, jose.HS256, []byte(public), amazon), platform.ErrSignature},
		"HS256 says it is RS256":   {header(`{"alg":"RS256"}`) + "." + after(jws(t, jose.HS256, k.secret, amazon)), platform.ErrSignature},
		"RS256 where HS256 only":   {jws(t, jose.RS256, k.rsa, claims("roku", nil)), platform.ErrToken},
		"ES256 with zeros":         {header(`{"alg":"ES256"}`) + "." + parts[1] + "." + base64.RawURLEncoding.EncodeToString(make([]byte, 64)), platform.ErrSignature},
		"another's key":            {jws(t, jose.RS256, k.otherRSA, amazon), platform.ErrSignature},
		"another's kid":            {jws(t, jose.RS256, k.rsa, amazon, "kid", "e1"), platform.ErrToken},
		"kid with a path":          {jws(t, jose.RS256, k.rsa, amazon, "kid", "../../etc/passwd"), platform.ErrToken},
		"jku":                      {jws(t, jose.RS256, k.rsa, amazon, "jku", "http://127.0.0.1:1/"), platform.ErrToken},
		"x5u":                      {jws(t, jose.RS256, k.rsa, amazon, "x5u", "http://127.0.0.1:1/"), platform.ErrToken},
		"jwk":                      {withHeader(`{"alg":"RS256","jwk":` + public + `}`), platform.ErrToken},
		"crit":                     {withHeader(`{"alg":"RS256","crit":["exp"]}`), platform.ErrToken},
		"b64":                      {withHeader(`{"alg":"RS256","b64":false}`), platform.ErrToken},
		"an access token's type":   {jws(t, jose.RS256, k.rsa, amazon, "typ", "at+jwt"), platform.ErrToken},
		"header is an array":       {withHeader(`["RS256"]`), platform.ErrToken},
		"deep header":              {withHeader(`{"alg":"RS256","x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`), platform.ErrToken},
		"payload is no object":     {header(`{"alg":"RS256"}`) + "." + header(`"amazon"`) + "." + parts[2], platform.ErrToken},
		"payload changed":          {parts[0] + "." + header(encode(t, claims("amazon", map[string]any{"sub": "somebody else"}))) + "." + parts[2], platform.ErrSignature},
		"signature cut off":        {parts[0] + "." + parts[1] + ".", platform.ErrToken},
		"stray bits":               {parts[0] + "." + parts[1] + "." + lastPlusOne(parts[2]), platform.ErrSignature},
		"line end":                 {good[:10] + "\n" + good[10:], platform.ErrToken},
		"padding":                  {good + "=", platform.ErrToken},
		"four parts":               {good + ".x", platform.ErrToken},
		"too long":                 {strings.Repeat("a", 8<<10+1), platform.ErrToken},
		"JSON serialization":       {`{"payload":"e30","signatures":[]}`, platform.ErrToken},
		"a million dots":           {strings.Repeat(".", 8<<10), platform.ErrToken},
		"RSA1_5":                   {jweHeader(`{"alg":"RSA1_5","enc":"A256GCM"}`), platform.ErrToken},
		"RSA-OAEP with SHA-1":      {jwe(t, jose.RSA_OAEP, jose.A256GCM, &k.decryption.PublicKey, good, nil), platform.ErrToken},
		"A128GCM":                  {jwe(t, jose.RSA_OAEP_256, jose.A128GCM, &k.decryption.PublicKey, good, nil), platform.ErrToken},
		"A256CBC-HS512":            {jwe(t, jose.RSA_OAEP_256, jose.A256CBC_HS512, &k.decryption.PublicKey, good, nil), platform.ErrToken},
		"zip":                      {jwe(t, jose.RSA_OAEP_256, jose.A256GCM, &k.decryption.PublicKey, strings.Repeat("A", 1<<20), &jose.EncrypterOptions{Compression: jose.DEFLATE}), platform.ErrToken},
		"PBES2 with 2^31 rounds":   {jweHeader(`{"alg":"PBES2-HS256+A128KW","enc":"A256GCM","p2s":"AAAAAAAAAAA","p2c":2147483647}`), platform.ErrToken},
		"PBES2 beside RSA":         {jweHeader(`{"alg":"RSA-OAEP-256","enc":"A256GCM","p2c":2147483647}`), platform.ErrToken},
		"ECDH-ES":                  {jweHeader(`{"alg":"ECDH-ES","enc":"A256GCM"}`), platform.ErrToken},
		"JWE without enc":          {jweHeader(`{"alg":"RSA-OAEP-256"}`), platform.ErrToken},
		"dir with a wrapped key":   {jweHeader(`{"alg":"dir","enc":"A256GCM"}`), platform.ErrToken},
		"wrapped for somebody":     {jwe(t, jose.RSA_OAEP_256, jose.A256GCM, &k.rsa.PublicKey, good, nil), platform.ErrSignature},
		"wrapped, tag changed":     {strings.Join(jweParts[:4], ".") + "." + base64.RawURLEncoding.EncodeToString(make([]byte, 16)), platform.ErrSignature},
		"wrapped, short tag":       {strings.Join(jweParts[:4], ".") + ".AAAA", platform.ErrToken},
		"wrapped, long iv":         {strings.Join(jweParts[:2], ".") + "." + strings.Repeat("A", 32) + "." + jweParts[3] + "." + jweParts[4], platform.ErrToken},
		"wrapped, no key":          {jweParts[0] + ".." + strings.Join(jweParts[2:], "."), platform.ErrToken},
		"wrapped claims, unsigned": {jwe(t, jose.RSA_OAEP_256, jose.A256GCM, &k.decryption.PublicKey, encode(t, amazon), nil), platform.ErrToken},
		"wrapped twice":            {jwe(t, jose.RSA_OAEP_256, jose.A256GCM, &k.decryption.PublicKey, wrapped, nil), platform.ErrToken},
		"wrapped, another platform's token": {
			jwe(t, jose.RSA_OAEP_256, jose.A256GCM, &k.decryption.PublicKey, jws(t, jose.RS256, k.rsa, claims("other", nil)), nil), platform.ErrClaims,
		},
		"a JWS where only dir counts":       {jws(t, jose.HS256, k.dir, claims("vault", nil)), platform.ErrToken},
		"dir, claims of another platform":   {jwe(t, jose.DIRECT, jose.A256GCM, k.dir, encode(t, amazon), nil), platform.ErrClaims},
		"dir, another secret":               {jwe(t, jose.DIRECT, jose.A256GCM, k.secret, encode(t, claims("vault", nil)), nil), platform.ErrSignature},
		"dir, content is no JSON":           {jwe(t, jose.DIRECT, jose.A256GCM, k.dir, "x", nil), platform.ErrToken},
		"dir, a member twice in the claims": {jwe(t, jose.DIRECT, jose.A256GCM, k.dir, `{"iss":"vault","iss":"vault"}`, nil), platform.ErrToken},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			before := cpuTime(t)
			got, err := w.verify(tt.token)
			if !errors.Is(err, tt.want) {
				t.Errorf("got %+v, %v, want %v", got, err, tt.want)
			}
			if took := cpuTime(t) - before; took > time.Second {
				t.Errorf("took %v of CPU time", took)
			}
		})
	}
}

// TestForbiddenHeaders: a JWS, a JWE and a JWS inside one are refused under a header
// that has the reader do more, however good they are without.
func TestForbiddenHeaders(t *testing.T) {
	w, k := newWorld(t), keys()
	amazon := claims("amazon", nil)
	value := func(name string) any { return map[bool]any{true: true, false: "x"}[name == "b64"] } // else go-jose does not sign it
	seal := func(content, name string) string {
		return jwe(t, jose.RSA_OAEP_256, jose.A256GCM, &k.decryption.PublicKey, content, (&jose.EncrypterOptions{}).WithHeader(jose.HeaderKey(name), value(name)))
	}
	for kind, token := range map[string]func(name string) string{
		"JWS":        func(name string) string { return jws(t, jose.RS256, k.rsa, amazon, name, value(name)) },
		"JWE":        func(name string) string { return seal(jws(t, jose.RS256, k.rsa, amazon), name) },
		"JWS in JWE": func(name string) string { return seal(jws(t, jose.RS256, k.rsa, amazon, name, value(name)), "x5t") },
	} {
		if _, err := w.verify(token("x5t")); err != nil {
			t.Errorf("%s without any of them: %v", kind, err)
		}
		for _, name := range []string{"jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "epk", "apu", "apv", "p2s", "p2c", "iv", "tag"} {
			if got, err := w.verify(token(name)); !errors.Is(err, platform.ErrToken) {
				t.Errorf("%s with %s: got %+v, %v", kind, name, got, err)
			}
		}
	}
}

// cpuTime is what this process has had of the CPUs: a busy machine adds nothing.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// after is a token without its header.
func after(token string) string {
	_, rest, _ := strings.Cut(token, ".")
	return rest
}

// lastPlusOne changes bits of the last character that encode nothing.
func lastPlusOne(text string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return text[:len(text)-1] + string(alphabet[strings.IndexByte(alphabet, text[len(text)-1])+1])
}

// TestAttemptsAreBounded: a token without a key id is tried with the keys of
// four platforms, not with those of a whole realm; with a key id, only with that.
func TestAttemptsAreBounded(t *testing.T) {
	w, k := newWorld(t), keys()
	w.file(t, "last.json", jose.JSONWebKey{Key: k.decryption, KeyID: "last"})
	w.file(t, "wrong.json", jose.JSONWebKey{Key: k.otherRSA, KeyID: "wrong"})
	realm := config.Realm{ID: "many"}
	for i, file := range []string{"wrong.json", "wrong.json", "wrong.json", "wrong.json", "last.json"} {
		realm.Platforms = append(realm.Platforms, config.Platform{
			Name: string(rune('a' + i)), Issuer: string(rune('a' + i)), Audience: "adobe", Algorithms: []string{"RS256"},
			JWKSFile: filepath.Join(w.dir, "amazon.json"), DecryptionKeyFile: filepath.Join(w.dir, file),
		})
	}
	cfg := &config.Config{Realms: []*config.Realm{&realm}}
	inner := jws(t, jose.RS256, k.rsa, claims("e", nil))
	for name, tt := range map[string]struct {
		key  any
		want error
	}{
		"without a key id": {&k.decryption.PublicKey, platform.ErrSignature},
		"with a key id":    {jose.JSONWebKey{Key: &k.decryption.PublicKey, KeyID: "last"}, nil},
	} {
		token := jwe(t, jose.RSA_OAEP_256, jose.A256GCM, tt.key, inner, nil)
		if _, err := w.Verify(t.Context(), cfg, &realm, []byte(token), now); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
	}
}

func TestRealmsTrustTheirOwnPlatformsOnly(t *testing.T) {
	w := newWorld(t)
	token := []byte(jws(t, jose.RS256, keys().rsa, claims("amazon", nil)))
	if _, err := w.Verify(t.Context(), w.cfg, w.cfg.Realms[1], token, now); !errors.Is(err, platform.ErrToken) {
		t.Errorf("a realm without platforms: got %v, want ErrToken", err)
	}
}

// TestMemoryEndsWithTheToken: a token that was good is not good for ever, nor
// under a configuration that does not have its platform.
func TestMemoryEndsWithTheToken(t *testing.T) {
	w := newWorld(t)
	token := []byte(jws(t, jose.RS256, keys().rsa, claims("amazon", nil)))
	for _, tt := range []struct {
		after time.Duration
		want  error
	}{{0, nil}, {time.Hour - time.Second, nil}, {time.Hour, platform.ErrExpired}} {
		if _, err := w.Verify(t.Context(), w.cfg, w.realm, token, now.Add(tt.after)); !errors.Is(err, tt.want) {
			t.Errorf("after %v: got %v, want %v", tt.after, err, tt.want)
		}
	}
	next, realm := *w.cfg, *w.realm
	realm.Platforms = nil
	next.Realms = append(next.Realms[:0:0], &realm)
	if _, err := w.Verify(t.Context(), &next, &realm, token, now); !errors.Is(err, platform.ErrToken) {
		t.Errorf("after a reload: got %v, want ErrToken", err)
	}
}

func TestIdentify(t *testing.T) {
	w, k := newWorld(t), keys()
	for name, tt := range map[string]struct{ token, want string }{
		"good":    {jws(t, jose.RS256, k.rsa, claims("amazon", nil)), "amazon"},
		"of Roku": {jws(t, jose.HS256, k.secret, claims("roku", nil)), "roku"},
		"bad":     {"x", ""},
		"expired": {jws(t, jose.RS256, k.rsa, claims("amazon", map[string]any{"exp": now.Unix()})), ""},
		"claims":  {jws(t, jose.RS256, k.rsa, claims("amazon", map[string]any{"aud": "x"})), ""},
		"forged":  {jws(t, jose.RS256, k.otherRSA, claims("amazon", nil)), ""},
	} {
		got, ok, err := w.Identify(t.Context(), w.cfg, w.realm, []byte(tt.token), now)
		if got.Issuer != tt.want || ok != (tt.want != "") || err != nil {
			t.Errorf("%s: got %q, %v, %v, want %q", name, got.Issuer, ok, err, tt.want)
		}
	}
}

// TestWhatCannotBeDecryptedNowIsNotAbsent: while all slots are taken the request
// fails, and afterwards the same token names its viewer.
func TestWhatCannotBeDecryptedNowIsNotAbsent(t *testing.T) {
	w, k := newWorld(t), keys()
	token := []byte(jwe(t, jose.RSA_OAEP_256, jose.A256GCM, &k.decryption.PublicKey, jws(t, jose.ES256, k.ec, claims("amazon", nil)), nil))
	w.Occupy(1)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, named, err := w.Identify(ctx, w.cfg, w.realm, token, now); named || !errors.Is(err, context.Canceled) {
		t.Errorf("who gave up waiting: got %v, %v", named, err)
	}
	free := w.Occupy(0)
	if _, named, err := w.Identify(t.Context(), w.cfg, w.realm, token, now); named || !errors.Is(err, slots.ErrBusy) {
		t.Errorf("under a rush: got %v, %v, want ErrBusy", named, err)
	}
	free()
	if viewer, named, err := w.Identify(t.Context(), w.cfg, w.realm, token, now); viewer.Issuer != "amazon" || !named || err != nil {
		t.Errorf("afterwards: got %q, %v, %v", viewer.Issuer, named, err)
	}
}

func FuzzVerify(f *testing.F) {
	w, k := newWorld(f), keys()
	good := map[string]bool{}
	for _, token := range []string{
		jws(f, jose.RS256, k.rsa, claims("amazon", nil)),
		jws(f, jose.HS256, k.secret, claims("roku", nil)),
		jwe(f, jose.RSA_OAEP_256, jose.A256GCM, &k.decryption.PublicKey, jws(f, jose.ES256, k.ec, claims("amazon", nil)), nil),
		jwe(f, jose.DIRECT, jose.A256GCM, k.dir, encode(f, claims("vault", nil)), nil),
	} {
		good[token] = true
		f.Add(token)
	}
	f.Fuzz(func(t *testing.T, token string) {
		if got, err := w.verify(token); err == nil && !good[token] {
			t.Fatalf("%q names %+v", token, got)
		}
	})
}
