package media_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"ssod/httpfront/slots"
	"ssod/httpfront/token/media"
	"ssod/httpfront/token/media/verifier"
)

var pairs = sync.OnceValue(func() [2]*rsa.PrivateKey {
	var list [2]*rsa.PrivateKey
	for i := range list {
		pair, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		list[i] = pair
	}
	return list
})

func signWith(pair *rsa.PrivateKey) func(string, string, time.Time) ([]byte, error) {
	return func(_, text string, _ time.Time) ([]byte, error) { return jwt.SigningMethodRS256.Sign(text, pair) }
}

// jwks is the key set of a realm that has had two keys.
func jwks(t testing.TB) []byte {
	t.Helper()
	var set struct {
		Keys []map[string]string `json:"keys"`
	}
	set.Keys = append(set.Keys, map[string]string{"kty": "oct", "k": "AAAA"}, map[string]string{"kty": "RSA", "use": "enc"})
	for _, pair := range pairs() {
		set.Keys = append(set.Keys, map[string]string{
			"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "any",
			"n": base64.RawURLEncoding.EncodeToString(pair.N.Bytes()),
			"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(pair.E)).Bytes()),
		})
	}
	document, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return document
}

var issued = time.Date(2026, 1, 2, 20, 0, 0, 5e8, time.UTC)

func sample() media.Token {
	return media.Token{
		Session: "0b6c4f0e", ServiceProvider: "STREAM1", Resource: "channel-1", MVPD: "AcmeTV",
		Issued: issued, TTL: 7 * time.Minute,
	}
}

func sign(t testing.TB, token media.Token) media.Signed {
	t.Helper()
	signed, err := newSigner(t, media.Options{Sign: signWith(pairs()[1])}).Sign(t.Context(), "acme", token)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func newVerifier(t testing.TB, now time.Time) *verifier.Verifier {
	t.Helper()
	v, err := verifier.New(jwks(t))
	if err != nil {
		t.Fatal(err)
	}
	v.Now = func() time.Time { return now }
	return v
}

func TestSignedTokensVerify(t *testing.T) {
	signed := sign(t, sample())
	if !strings.HasPrefix(signed.Serialized, "PHNpZ25hdHVyZUluZm8+") { // as in v2-dec-01
		t.Errorf("the token begins %.24q", signed.Serialized)
	}
	begin := issued.Truncate(time.Second)
	if !signed.NotBefore.Equal(begin) || !signed.NotAfter.Equal(begin.Add(7*time.Minute)) {
		t.Errorf("valid from %v to %v", signed.NotBefore, signed.NotAfter)
	}
	got, result := newVerifier(t, issued).Verify(signed.Serialized, "channel-1")
	want := verifier.Token{
		ID: got.ID, SessionGUID: "0b6c4f0e", ServiceProvider: "STREAM1", ResourceID: "channel-1", MVPDID: "AcmeTV",
		IssueTime: begin, TTL: 7 * time.Minute,
	}
	if diff := cmp.Diff(want, got); diff != "" || result != verifier.Valid || len(got.ID) < 26 {
		t.Errorf("%s, ID %q (-want +got):\n%s", result, got.ID, diff)
	}
}

// TestFormat holds the serialized form: the apps of others depend on it.
func TestFormat(t *testing.T) {
	text, err := base64.StdEncoding.DecodeString(sign(t, sample()).Serialized)
	if err != nil {
		t.Fatal(err)
	}
	_, element, _ := strings.Cut(string(text), "</signatureInfo>")
	const want = "<shortAuthorizationToken><sessionGUID>0b6c4f0e</sessionGUID><requestorID>STREAM1</requestorID>" +
		"<resourceID>channel-1</resourceID><ttl>420000</ttl><issueTime>2026/01/02 20:00:00 GMT +0000</issueTime>" +
		"<mvpdId>AcmeTV</mvpdId><proxyMvpdId></proxyMvpdId><jti>ID</jti></shortAuthorizationToken>"
	if element := regexp.MustCompile("<jti>[A-Z2-7]{26}</jti>").ReplaceAllString(element, "<jti>ID</jti>"); element != want {
		t.Errorf("got  %s\nwant %s", element, want)
	}
}

// TestNoTwoTokensAreTheSame: two devices of a viewer that play the same in the
// same second have a token each, and a backend that refuses repeats serves both.
func TestNoTwoTokensAreTheSame(t *testing.T) {
	first, second := sign(t, sample()), sign(t, sample())
	a, _ := newVerifier(t, issued).Verify(first.Serialized, "channel-1")
	b, _ := newVerifier(t, issued).Verify(second.Serialized, "channel-1")
	if first.Serialized == second.Serialized || a.ID == b.ID || a.ID == "" {
		t.Errorf("got the ids %q and %q, want two", a.ID, b.ID)
	}
}

// newSigner is a signer that ends with the test.
func newSigner(t testing.TB, o media.Options) *media.Signer {
	t.Helper()
	s := media.NewSigner(o)
	t.Cleanup(s.Close)
	return s
}

// TestNobodyWaitsLongerThanItsContext: who gave up takes no signature's time.
func TestNobodyWaitsLongerThanItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release, signed := make(chan struct{}), 0
		signer := media.NewSigner(media.Options{Parallel: 1, Waiting: 1, Sign: func(string, string, time.Time) ([]byte, error) {
			<-release
			signed++
			return []byte("signature"), nil
		}})
		go func() { _, _ = signer.Sign(context.Background(), "acme", sample()) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err := signer.Sign(ctx, "acme", sample()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the end of the context", err)
		}
		close(release)
		synctest.Wait()
		signer.Close()
		if signed != 1 {
			t.Errorf("%d signatures were made, want one", signed)
		}
	})
}

func TestEveryResourceComesBackAsItWas(t *testing.T) {
	for _, resource := range []string{
		"a&b<c>\"d'", "</resourceID><resourceID>other", "]]>", " lead and trail ", "zwei\nZeilen\r\n\tTab", "ünï 📺", "",
		`<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"><channel><title>TNT</title></channel></rss>`,
	} {
		token := sample()
		token.Resource = resource
		got, result := newVerifier(t, issued).Verify(sign(t, token).Serialized, resource)
		if result != verifier.Valid || got.ResourceID != resource {
			t.Errorf("resource %q: got %q, %s", resource, got.ResourceID, result)
		}
	}
}

func TestWhatXMLCannotHoldIsRefused(t *testing.T) {
	signer := newSigner(t, media.Options{Sign: signWith(pairs()[0])})
	for _, resource := range []string{"nul\x00", "\x1b[2J", "broken \xff", "\uffff", strings.Repeat("x", 4<<10+1)} {
		token := sample()
		token.Resource = resource
		if _, err := signer.Sign(t.Context(), "acme", token); !errors.Is(err, media.ErrText) || media.Representable(resource) {
			t.Errorf("resource %.20q: got %v, want ErrText", resource, err)
		}
	}
}

func TestAKeyThatCannotSign(t *testing.T) {
	broken := errors.New("no key")
	signer := newSigner(t, media.Options{Sign: func(string, string, time.Time) ([]byte, error) { return nil, broken }, Parallel: 1})
	for range 2 { // the first one gave its slot back
		if _, err := signer.Sign(t.Context(), "acme", sample()); !errors.Is(err, broken) {
			t.Fatalf("got %v, want %v", err, broken)
		}
	}
}

// TestSigningIsBounded: one at work, one in the queue, and no third one.
func TestSigningIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		signer := media.NewSigner(media.Options{Parallel: 1, Waiting: 1, Sign: func(string, string, time.Time) ([]byte, error) {
			<-release
			return []byte("signature"), nil
		}})
		var two sync.WaitGroup
		for range 2 {
			two.Go(func() {
				if _, err := signer.Sign(context.Background(), "acme", sample()); err != nil {
					t.Errorf("one of those who may wait: %v", err)
				}
			})
		}
		synctest.Wait()
		if _, err := signer.Sign(context.Background(), "acme", sample()); !errors.Is(err, slots.ErrBusy) {
			t.Errorf("one too many: got %v, want ErrBusy", err)
		}
		close(release)
		two.Wait()
		signer.Close()
	})
}

func BenchmarkSign(b *testing.B) {
	signer := newSigner(b, media.Options{Sign: signWith(pairs()[0])})
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := signer.Sign(context.Background(), "acme", sample()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkBare is what BenchmarkSign is compared with.
func BenchmarkBare(b *testing.B) {
	bare := signWith(pairs()[0])
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := bare("", "text", issued); err != nil {
				b.Fatal(err)
			}
		}
	})
}
