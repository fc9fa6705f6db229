package keys

import "testing"

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
