package keys

import (
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"ssod/httpfront/token/jose"
)

// ownHeader and ownClaims are those of a good token of our own at begin.
func ownHeader() map[string]any { return map[string]any{"alg": HS256, "typ": "JWT"} }

func ownClaims() map[string]any {
	return map[string]any{
		"iss": OwnIssuer, "sub": "viewer-4711", "nbf": begin.Unix(), "iat": begin.Unix(), "exp": begin.Add(time.Hour).Unix(),
		"jti": "AAAAAAAAAAAAAAAAAAAAAA", "did": b64.EncodeToString(viewer.Device[:]), "mbr": viewer.Membership,
		"auth_time": begin.Unix(),
	}
}

// with returns claims with one changed; nil leaves it out.
func with(claims map[string]any, name string, value any) map[string]any {
	changed := maps.Clone(claims)
	changed[name] = value
	if value == nil {
		delete(changed, name)
	}
	return changed
}

func TestServiceTokenSteps(t *testing.T) {
	f := newFixture(t, configuration(realm("acme", HS256), realm("other", HS256)))
	own := f.signing(Service, "acme").key
	good := forge(t, own, ownHeader(), ownClaims())
	claim := func(name string, value any) string { return forge(t, own, ownHeader(), with(ownClaims(), name, value)) }
	header := func(name string, value any) string { return forge(t, own, with(ownHeader(), name, value), ownClaims()) }
	null := json.RawMessage("null")
	at := func(d time.Duration) int64 { return begin.Add(d).Unix() }
	tests := []struct {
		name  string
		token string
		want  error
	}{
		{"good", good, nil},
		{"good, with its kid", header("kid", own.id), nil},
		{"unknown claims are ignored", claim("name", "x"), nil},

		{"nothing", "", ErrParse},
		{"one segment", "abc", ErrParse},
		{"two segments", good[:strings.LastIndexByte(good, '.')], ErrParse},
		{"four segments", good + ".x", ErrParse},
		{"empty header", good[strings.IndexByte(good, '.'):], ErrParse},
		{"empty signature", good[:strings.LastIndexByte(good, '.')+1], ErrParse},
		{"space before", " " + good, ErrParse},
		{"line end inside", good[:10] + "\n" + good[10:], ErrParse},
		{"line end in the signature", good[:len(good)-2] + "\r\n" + good[len(good)-2:], ErrParse},
		{"padded", good + "=", ErrParse},
		{"standard alphabet", strings.Replace(good, ".", "+.", 1), ErrParse},
		{"signature of impossible length", good[:len(good)-2], ErrParse},
		{"header no JSON", "AAAA" + good[strings.IndexByte(good, '.'):], ErrParse},
		{"header an array", forgeRaw(own, `["HS256"]`, ownClaims()), ErrParse},
		{"header with a duplicate", forgeRaw(own, `{"alg":"HS256","typ":"JWT","alg":"HS256"}`, ownClaims()), ErrParse},
		{"alg missing", header("alg", nil), ErrParse},
		{"alg a number", header("alg", 1), ErrParse},
		{"alg of another key", header("alg", RS256), ErrParse},
		{"alg in lower case", header("alg", "hs256"), ErrParse},
		{"stronger alg", header("alg", "HS512"), ErrParse},
		{"kid unknown", header("kid", "x"), ErrParse},
		{"kid empty", header("kid", ""), ErrParse},
		{"kid a number", header("kid", 7), ErrParse},
		{"kid null", header("kid", null), ErrParse},
		{"kid of another realm", header("kid", f.signing(Service, "other").id), ErrParse},
		{"kid of another use", header("kid", f.signing(LinkCode, "acme").id), ErrParse},
		{"kid and alg of another use", forge(t, own, map[string]any{"alg": "", "typ": "JWT", "kid": f.signing(LinkCode, "acme").id}, ownClaims()), ErrParse},
		{"typ missing", header("typ", nil), ErrParse},
		{"typ of an access token", header("typ", "at+jwt"), ErrParse},
		{"typ null", header("typ", null), ErrParse},
		{"iss unknown", claim("iss", "https://nobody.example"), ErrParse},
		{"iss missing", claim("iss", nil), ErrParse},
		{"iss a number", claim("iss", 1), ErrParse},
		{"8 KiB and one", good + strings.Repeat("A", jose.MaxToken), ErrParse},

		{"signature changed", good[:len(good)-4] + "AAAA", ErrSignature},
		{"last character changed", flipLast(good), ErrSignature},
		{"stray bits in the last character", strayLast(good), ErrSignature},
		{"payload changed", swapPayload(good, forge(t, own, ownHeader(), with(ownClaims(), "sub", "somebody"))), ErrSignature},
		{"short signature", good[:len(good)-3], ErrSignature},
		{"another realm's key", forge(t, f.signing(Service, "other").key, ownHeader(), ownClaims()), ErrSignature},

		{"sub missing", claim("sub", nil), ErrSubjectMissing},
		{"sub null", claim("sub", null), ErrSubjectMissing},
		{"sub empty", claim("sub", ""), ErrSubjectMissing},
		{"sub blank", claim("sub", " \t\u00a0"), ErrSubjectMissing},
		{"sub a number", claim("sub", 4711), ErrSubject},
		{"sub an array", claim("sub", []string{"a"}), ErrSubject},
		{"sub too long", claim("sub", strings.Repeat("x", MaxSubject+1)), ErrSubject},
		{"payload no JSON", forge(t, own, ownHeader(), "hello"), ErrSubject},
		{"payload an array", forge(t, own, ownHeader(), "[1]"), ErrSubject},
		{"payload with a duplicate", forge(t, own, ownHeader(), `{"iss":"ssoservicetoken","sub":"a","sub":"b","exp":9999999999}`), ErrSubject},
		{"sub before time", forge(t, own, ownHeader(), with(with(ownClaims(), "sub", 1), "exp", 1)), ErrSubject},

		{"exp now", claim("exp", at(0)), ErrExpired},
		{"exp in a second", claim("exp", at(time.Second)), nil},
		{"nbf within the skew", claim("nbf", at(time.Minute)), nil},
		{"nbf beyond the skew", claim("nbf", at(61*time.Second)), ErrUnacceptable},
		{"iat within the skew", claim("iat", at(time.Minute)), nil},
		{"iat beyond the skew", claim("iat", at(61*time.Second)), ErrUnacceptable},
		{"expired and not valid yet", forge(t, own, ownHeader(), with(with(ownClaims(), "nbf", at(time.Hour)), "exp", 1)), ErrExpired},
		{"exp missing", claim("exp", nil), ErrUnacceptable},
		{"exp a text", claim("exp", "9999999999"), ErrUnacceptable},
		{"exp absurd", claim("exp", 1e300), ErrUnacceptable},
		{"nbf a text", claim("nbf", "x"), ErrUnacceptable},
		{"did missing", claim("did", nil), ErrUnacceptable},
		{"did too short", claim("did", "AAAA"), ErrUnacceptable},
		{"mbr missing", claim("mbr", nil), ErrUnacceptable},
		{"auth_time missing", claim("auth_time", nil), ErrUnacceptable},
		{"auth_time a text", claim("auth_time", "0"), ErrUnacceptable},
		{"auth_time within the skew", claim("auth_time", at(time.Minute)), nil},
		{"auth_time beyond the skew", claim("auth_time", at(61*time.Second)), ErrUnacceptable},
		{"auth_time long ago", claim("auth_time", at(-9600*time.Hour)), ErrExpired},
		{"mbr a fraction", claim("mbr", 1.5), ErrUnacceptable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for range 2 { // the second time it may be in the cache
				if err := f.verify(f.realm(), tt.token); !errors.Is(err, tt.want) {
					t.Fatalf("got %v, want %v", err, tt.want)
				}
			}
		})
	}
}

func forgeRaw(k *key, header string, claims any) string {
	payload, _ := json.Marshal(claims)
	text := b64.EncodeToString([]byte(header)) + "." + b64.EncodeToString(payload)
	signature, _ := k.method.Sign(text, k.private)
	return text + "." + b64.EncodeToString(signature)
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// flipLast changes the last character so that the signature decodes to other
// bytes, strayLast so that it decodes to the same ones.
func flipLast(token string) string { return changeLast(token, 4) }

func strayLast(token string) string { return changeLast(token, 1) }

func changeLast(token string, bit int) string {
	end := len(token) - 1
	return token[:end] + string(alphabet[strings.IndexByte(alphabet, token[end])^bit])
}

func swapPayload(token, from string) string {
	a, b := strings.Split(token, "."), strings.Split(from, ".")
	return a[0] + "." + b[1] + "." + a[2]
}

// T12: a token of our own can be refreshed for a while after its end, whether
// or not it was seen before.
func TestRefreshWindow(t *testing.T) {
	f := newFixture(t, configuration(realm("acme", HS256)))
	token := f.mint(f.realm())
	end := begin.Add(time.Hour)
	window := end.Add(168 * time.Hour)
	tests := []struct {
		name          string
		at            time.Time
		call, refresh error
	}{
		{"fresh", begin, nil, nil},
		{"last instant", end.Add(-1), nil, nil},
		{"expired", end, ErrExpired, nil},
		{"last instant of the window", window.Add(-1), ErrExpired, nil},
		{"after the window", window, ErrExpired, ErrExpired},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f.at(tt.at)
			if err := f.verify(f.realm(), token); !errors.Is(err, tt.call) {
				t.Errorf("call: got %v, want %v", err, tt.call)
			}
			if _, err := f.VerifyService(f.realm(), []byte(token), tt.at, Refresh); !errors.Is(err, tt.refresh) {
				t.Errorf("refresh: got %v, want %v", err, tt.refresh)
			}
		})
	}
}

func TestMintedTokenIsTheDocumentedOne(t *testing.T) {
	f := newFixture(t, configuration(realm("acme", HS256)))
	f.at(begin.Add(700 * time.Millisecond))
	signed, err := f.SignService(f.realm(), viewer, f.time())
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Split(signed.Token, ".")[0]; got != "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9" {
		t.Errorf("header: got %s, want that of the samples", got)
	}
	if !signed.NotBefore.Equal(begin) || !signed.NotAfter.Equal(begin.Add(time.Hour)) {
		t.Errorf("times: got %v to %v", signed.NotBefore, signed.NotAfter)
	}
	claims := jwt.MapClaims{}
	parsed, err := jwt.ParseWithClaims(signed.Token, claims, func(*jwt.Token) (any, error) {
		return f.signing(Service, "acme").oct, nil
	}, jwt.WithValidMethods([]string{HS256}), jwt.WithTimeFunc(f.time))
	if err != nil || !parsed.Valid {
		t.Fatalf("golang-jwt: %v", err)
	}
	jti, _ := claims["jti"].(string)
	if raw, err := b64.DecodeString(jti); err != nil || len(raw) != 16 {
		t.Errorf("jti: got %q", jti)
	}
	delete(claims, "jti")
	want := jwt.MapClaims{
		"iss": "ssoservicetoken", "sub": "viewer-4711", "nbf": float64(begin.Unix()), "iat": float64(begin.Unix()),
		"exp": float64(begin.Add(time.Hour).Unix()), "did": "AQIDAAAAAAAAAAAAAAAAAA", "mbr": float64(viewer.Membership),
		"auth_time": float64(begin.Unix()),
	}
	if diff := cmp.Diff(want, claims); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
	got, err := f.VerifyService(f.realm(), []byte(signed.Token), f.time(), Call)
	if err != nil || got.Member != viewer || got.External || got.Issuer != OwnIssuer || got.ID != jti {
		t.Errorf("verified: got %+v, %v", got, err)
	}
}

func TestNamespaceTravelsInTheToken(t *testing.T) {
	f := newFixture(t, configuration(realm("acme", HS256)))
	m := viewer
	m.Namespace = "https://id.example/?a=\"b\"&c"
	signed, err := f.SignService(f.realm(), m, begin)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := f.VerifyService(f.realm(), []byte(signed.Token), begin, Refresh); err != nil || got.Member != m || got.External {
		t.Fatalf("got %+v, %v", got, err)
	}
}

// The claims are written by hand; encoding/json must read what was meant.
func TestClaimsEncoding(t *testing.T) {
	subjects := []string{
		"viewer-4711", `quote " and \ backslash`, "tab\tnewline\nreturn\r", "\x00\x01\x1f\x7f", "é😀\u2028\u2029", "<a href='x'>&amp;</a>",
		"{\"sub\":\"x\"}", `","sub":"admin`, strings.Repeat("x", 256), "\u0080\uffff\U0010ffff", " ",
	}
	for _, subject := range subjects {
		m := Member{Subject: subject, Namespace: subject + "!", Membership: -1}
		payload, ok := appendServiceClaims(nil, m, Signed{NotBefore: begin, NotAfter: begin.Add(time.Hour)})
		var got struct{ Sub, NS string }
		d := json.NewDecoder(strings.NewReader(string(payload)))
		if err := d.Decode(&got); err != nil || !ok {
			t.Errorf("%q: payload %q: %v", subject, payload, err)
			continue
		}
		if got.Sub != m.Subject || got.NS != m.Namespace {
			t.Errorf("%q: encoding/json reads %q and %q", subject, got.Sub, got.NS)
		}
		if c, ok := jose.ParseClaims(payload); !ok || !c.Subject.Is(subject) || !c.Namespace.Is(m.Namespace) {
			t.Errorf("%q: strictjson reads %s", subject, c.Subject.Raw())
		}
	}
	for _, bad := range []string{"\xff", "a\xc3", "\xed\xa0\x80"} {
		if payload, ok := appendServiceClaims(nil, Member{Subject: bad}, Signed{}); ok {
			t.Errorf("%q is not UTF-8 but was written: %q", bad, payload)
		}
	}
}

func TestVerifyRefusesAnUnknownRealm(t *testing.T) {
	f := newFixture(t, configuration(realm("acme", HS256)))
	stranger := realm("stranger", HS256)
	if err := f.verify(stranger, f.mint(f.realm())); !errors.Is(err, ErrParse) {
		t.Errorf("verify: got %v, want ErrParse", err)
	}
	if _, err := f.SignService(stranger, viewer, begin); err == nil {
		t.Error("a realm without keys signs")
	}
	if f.LinkCodeKey("stranger") != nil {
		t.Error("a realm that is not configured has a link-code key")
	}
}

func FuzzVerifyService(f *testing.F) {
	fix := newFixture(f, configuration(realm("acme", HS256)))
	k := fix.signing(Service, "acme").key
	good := fix.mint(fix.realm())
	f.Add(good)
	f.Add(good + "=")
	f.Add("abc")
	f.Add("..")
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImNyaXQiOlsieCJdfQ.e30.AAAA")
	f.Add(forge(f, k, ownHeader(), with(ownClaims(), "sub", 1)))
	f.Fuzz(func(t *testing.T, token string) {
		c, err := fix.VerifyService(fix.realm(), []byte(token), begin, Call)
		if err == nil && token != good && c.Member != viewer {
			t.Fatalf("%q is good: %+v", token, c)
		}
		if _, err := fix.VerifyAccess([]byte(token), begin); err == nil {
			t.Fatalf("%q is a good access token", token)
		}
	})
}

// FuzzParsePayload looks behind the signature: any payload under a good one.
func FuzzParsePayload(f *testing.F) {
	fix := newFixture(f, configuration(realm("acme", HS256)))
	k := fix.signing(Service, "acme").key
	payload, _ := json.Marshal(ownClaims())
	f.Add(string(payload))
	f.Add(`{"iss":"ssoservicetoken","sub":"a","exp":1e400}`)
	f.Add(`{"iss":"ssoservicetoken","sub":"\ud800"}`)
	f.Add(`{"iss":"ssoservicetoken","sub":"a","sub":"b"}`)
	f.Add("null")
	f.Fuzz(func(t *testing.T, payload string) {
		c, err := fix.VerifyService(fix.realm(), []byte(forgeText(k, payload)), begin, Refresh)
		if err != nil {
			return
		}
		var want struct{ Iss, Sub string }
		if json.Unmarshal([]byte(payload), &want) != nil || want.Iss != OwnIssuer || want.Sub != c.Subject || strings.TrimSpace(c.Subject) == "" {
			t.Fatalf("payload %q accepted as %+v", payload, c)
		}
	})
}

func forgeText(k *key, payload string) string {
	token, _ := k.sign(k.headerNoKid, []byte(payload))
	return token
}
