package keys

import (
	"errors"
	"testing"
	"time"
)

// TestNoTwoAccessTokensAreTheSame: a token is a secret of its own, also where a
// client asks twice in a second.
func TestNoTwoAccessTokensAreTheSame(t *testing.T) {
	f := newFixture(t, configuration(realm("acme", HS256)))
	seen := map[string]bool{}
	for range 2 {
		token, err := f.SignAccess("client", "api:client:v2", begin)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.VerifyAccess([]byte(token.Token), begin); err != nil {
			t.Errorf("verify: %v", err)
		}
		seen[token.Token] = true
	}
	if len(seen) != 2 {
		t.Error("two access tokens of one second are the same")
	}
}

// TestATokenOfWhoComesBack: an app that was away for long is told that its token
// expired, also when the key is forgotten by then. Told that it is unknown, it would
// register again.
func TestATokenOfWhoComesBack(t *testing.T) {
	f := newFixture(t, configuration(realm("acme", HS256)))
	k := f.signing(Access, "").key
	token, err := f.SignAccess("client", "api:client:v2", begin)
	if err != nil {
		t.Fatal(err)
	}
	f.rotate(Rotation{Use: Access})
	f.at(begin.Add(30 * 24 * time.Hour))
	f.keepUp()
	if f.snapshot().byID[k.id] != nil {
		t.Fatal("the old key is still known")
	}
	header := map[string]any{"alg": HS256, "typ": "at+jwt", "kid": k.id}
	claims := map[string]any{"iss": "https://sso.example.com", "sub": "client", "exp": begin.Unix()}
	for name, tt := range map[string]struct {
		token string
		want  error
	}{
		"ours":                          {token.Token, ErrAccessExpired},
		"of a stranger's issuer":        {forge(t, k, header, with(claims, "iss", "x")), ErrAccess},
		"not expired":                   {forge(t, k, header, with(claims, "exp", f.time().Add(time.Hour).Unix())), ErrAccess},
		"without an end":                {forge(t, k, header, with(claims, "exp", nil)), ErrAccess},
		"of another kind":               {forge(t, k, with(header, "typ", "JWT"), claims), ErrAccess},
		"under a key for other things":  {forge(t, k, with(header, "kid", f.signing(Service, "acme").id), claims), ErrAccess},
		"forged under a key that is in": {forge(t, k, with(header, "kid", f.signing(Access, "").id), claims), ErrAccess},
	} {
		if _, err := f.VerifyAccess([]byte(tt.token), f.time()); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
	}
}
