package media_test

import (
	"encoding/base64"
	"os/exec"
	"strings"
	"testing"
	"time"

	"ssod/httpfront/token/media/verifier"
)

// pack makes a token of any text, signed with a key that the verifier has.
func pack(t testing.TB, element string) string {
	t.Helper()
	signature, err := signWith(pairs()[0])("", element, issued)
	if err != nil {
		t.Fatal(err)
	}
	return wrap("<signatureInfo>" + base64.StdEncoding.EncodeToString(signature) + "</signatureInfo>" + element)
}

func wrap(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

func TestResults(t *testing.T) {
	good := sign(t, sample()).Serialized
	raw, _ := base64.StdEncoding.DecodeString(good)
	text := string(raw)
	signature, element, _ := strings.Cut(text, "</signatureInfo>")
	tests := []struct {
		name, token, resource string
		after                 time.Duration
		want                  verifier.Result
	}{
		{"good", good, "channel-1", 0, verifier.Valid},
		{"any resource", good, "", 0, verifier.Valid},
		{"another resource", good, "channel-2", 0, verifier.InvalidResource},
		{"a part of the resource", good, "channel", 0, verifier.InvalidResource},
		{"last second", good, "channel-1", 7*time.Minute - time.Second, verifier.Valid},
		{"over", good, "channel-1", 7 * time.Minute, verifier.Expired},
		{"over, and another resource", good, "channel-2", time.Hour, verifier.Expired},
		{"a clock behind", good, "channel-1", -time.Minute, verifier.Valid},
		{"a clock far behind", good, "channel-1", -time.Minute - 2*time.Second, verifier.Expired},

		{"nothing", "", "", 0, verifier.InvalidFormat},
		{"a JWS", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.AAAA", "", 0, verifier.InvalidFormat},
		{"not Base64", "%" + good, "", 0, verifier.InvalidFormat},
		{"line end in Base64", good[:8] + "\n" + good[8:], "", 0, verifier.InvalidFormat},
		{"stray bits", stray(t), "", 0, verifier.InvalidFormat},
		{"cut", good[:len(good)-8], "", 0, verifier.InvalidFormat},
		{"too long", strings.Repeat("A", 64<<10+4), "", 0, verifier.InvalidFormat},
		{"something before", wrap(" " + text), "", 0, verifier.InvalidFormat},
		{"something after", wrap(text + " "), "", 0, verifier.InvalidFormat},
		{"something between", wrap(signature + "</signatureInfo> " + element), "", 0, verifier.InvalidFormat},
		{"no signature", wrap(element), "", 0, verifier.InvalidFormat},
		{"signature not Base64", wrap("<signatureInfo>*</signatureInfo>" + element), "", 0, verifier.InvalidFormat},

		{"empty signature", wrap("<signatureInfo></signatureInfo>" + element), "", 0, verifier.InvalidSignature},
		{"resource changed", wrap(strings.Replace(text, "channel-1", "channel-2", 1)), "channel-2", 0, verifier.InvalidSignature},
		{"ttl changed", wrap(strings.Replace(text, "420000", "920000", 1)), "channel-1", 0, verifier.InvalidSignature},
		{"a second element", wrap(text + element), "channel-1", 0, verifier.InvalidSignature},

		{"signed, not XML", pack(t, "<shortAuthorizationToken><a></shortAuthorizationToken>"), "", 0, verifier.Unknown},
		{"signed, two elements", pack(t, element+element), "", 0, verifier.Unknown},
		{"signed, no time", pack(t, "<shortAuthorizationToken><ttl>1</ttl></shortAuthorizationToken>"), "", 0, verifier.Unknown},
		{"signed, no ttl", pack(t, strings.Replace(element, "420000", "", 1)), "", 0, verifier.Unknown},
		{"signed, no id", pack(t, element[:strings.Index(element, "<jti>")]+"</shortAuthorizationToken>"), "", 0, verifier.Unknown},
		{"signed, endless", pack(t, strings.Replace(element, "420000", "9223372036854775807", 1)), "", 0, verifier.Unknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			now := issued.Truncate(time.Second).Add(tt.after)
			if _, got := newVerifier(t, now).Verify(tt.token, tt.resource); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// stray is a good token whose last character was changed in bits that encode
// nothing.
func stray(t *testing.T) string {
	t.Helper()
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for length := range 3 {
		token := sample()
		token.Session = strings.Repeat("s", length+1)
		serialized := sign(t, token).Serialized
		if body, padded := strings.CutSuffix(serialized, "="); padded && !strings.HasSuffix(body, "=") {
			last := strings.IndexByte(alphabet, body[len(body)-1])
			return body[:len(body)-1] + string(alphabet[last+1]) + "="
		}
	}
	t.Fatal("no token with padding")
	return ""
}

// TestAnyChangedByteIsFound: there is no byte that a verifier does not look at.
func TestAnyChangedByteIsFound(t *testing.T) {
	v, good := newVerifier(t, issued), sign(t, sample()).Serialized
	raw, _ := base64.StdEncoding.DecodeString(good)
	for i := range raw {
		changed := []byte(string(raw))
		changed[i] ^= 1
		if _, result := v.Verify(base64.StdEncoding.EncodeToString(changed), "channel-1"); result == verifier.Valid {
			t.Errorf("byte %d (%q) can be changed", i, raw[i])
		}
	}
}

func TestKeySets(t *testing.T) {
	for name, document := range map[string]string{
		"not JSON":         "x",
		"no keys":          `{"keys":[]}`,
		"symmetric only":   `{"keys":[{"kty":"oct","k":"AAAA"}]}`,
		"not Base64":       `{"keys":[{"kty":"RSA","n":"*","e":"AQAB"}]}`,
		"small":            `{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}`,
		"exponent 1":       `{"keys":[{"kty":"RSA","n":"` + strings.Repeat("_", 342) + `","e":"AQ"}]}`,
		"endless exponent": `{"keys":[{"kty":"RSA","n":"` + strings.Repeat("_", 342) + `","e":"` + strings.Repeat("_", 43) + `"}]}`,
		"too many":         `{"keys":[` + strings.Repeat(`{"kty":"RSA","n":"`+strings.Repeat("_", 342)+`","e":"AQAB"},`, 128) + `{"kty":"RSA","n":"` + strings.Repeat("_", 342) + `","e":"AQAB"}]}`,
	} {
		if _, err := verifier.New([]byte(document)); err == nil {
			t.Errorf("%s: a verifier was made", name)
		}
	}
}

// TestAForeignKeyBesideAGoodOne: a key of a type that is not known here, or a
// broken one, does not take the others with it.
func TestAForeignKeyBesideAGoodOne(t *testing.T) {
	good := `{"kty":"RSA","n":"` + strings.Repeat("_", 342) + `","e":"AQAB"}`
	for name, key := range map[string]string{
		"post-quantum": `{"kty":"AKP","pub":"AAAA"}`, "incomplete": `{"kty":"RSA"}`, "small": `{"kty":"RSA","n":"AQAB","e":"AQAB"}`,
		"of wrong types": `{"kty":1,"n":{}}`, "no object": `[]`, "null": `null`,
	} {
		for _, document := range []string{key + "," + good, good + "," + key} {
			if _, err := verifier.New([]byte(`{"keys":[` + document + `]}`)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// TestTheVerifierStandsAlone: the backend of an app gets nothing of the service
// with it, and nothing of others.
func TestTheVerifierStandsAlone(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "-deps", "ssod/httpfront/token/media/verifier").Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(string(out)); got != "ssod/httpfront/token/media/verifier" {
		t.Errorf("the package comes with %s", got)
	}
}

func FuzzVerify(f *testing.F) {
	v := newVerifier(f, issued)
	good := sign(f, sample()).Serialized
	f.Add(good)
	f.Add(pack(f, "<shortAuthorizationToken></shortAuthorizationToken>"))
	f.Add("PHNpZ25hdHVyZUluZm8+")
	f.Fuzz(func(t *testing.T, token string) {
		if _, result := v.Verify(token, ""); result == verifier.Valid && token != good {
			t.Fatalf("%q is valid", token)
		}
	})
}
