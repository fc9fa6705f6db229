package keys

import (
	"crypto/sha256"
	"errors"
	"testing"
	"time"
)

// A verdict that is remembered counts only while everything it rests on stands.
func TestCachedVerdictsFall(t *testing.T) {
	t.Run("with the configuration", func(t *testing.T) {
		f := newFixture(t, configuration(realm("acme", HS256)))
		token, old := f.mint(f.realm()), f.realm()
		if err := f.verify(old, token); err != nil {
			t.Fatal(err)
		}
		changed := configuration(realm("acme", HS256))
		changed.Realms[0].ServiceToken.RefreshWindow = 0
		f.reload(changed)
		if _, err := f.VerifyService(f.realm(), []byte(token), begin.Add(time.Hour), Refresh); !errors.Is(err, ErrExpired) {
			t.Errorf("after the window was closed: got %v, want ErrExpired", err)
		}
	})
	t.Run("with the issuer of access tokens", func(t *testing.T) {
		f := newFixture(t, configuration(realm("acme", HS256)))
		token, err := f.SignAccess("client", "", begin)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.VerifyAccess([]byte(token.Token), begin); err != nil {
			t.Fatal(err)
		}
		changed := configuration(realm("acme", HS256))
		changed.Issuer = "https://new.example.com"
		f.reload(changed)
		if _, err := f.VerifyAccess([]byte(token.Token), begin); !errors.Is(err, ErrAccessExpired) {
			t.Errorf("got %v, want ErrAccessExpired", err)
		}
	})
	t.Run("with the key", func(t *testing.T) {
		f := newFixture(t, configuration(realm("acme", HS256)))
		token := f.mint(f.realm())
		if err := f.verify(f.realm(), token); err != nil {
			t.Fatal(err)
		}
		if err := f.Revoke(t.Context(), f.signing(Service, "acme").id); err != nil {
			t.Fatal(err)
		}
		if err := f.verify(f.realm(), token); err == nil {
			t.Error("a token of a revoked key is good")
		}
	})
}

func TestCacheIsBoundedAndFindsWhatItHolds(t *testing.T) {
	c := newCache[ServiceClaims](1000)
	if got := len(c.places); got < 1000 || got > 2048 {
		t.Fatalf("%d places for 1000 tokens", got)
	}
	stand := standing{realm: "acme", epoch: 1}
	sumOf := func(i int) [32]byte { return sha256.Sum256([]byte{byte(i), byte(i >> 8)}) }
	for i := range 10_000 {
		sum := sumOf(i)
		c.put(&sum, &entry[ServiceClaims]{standing: stand, until: begin.Add(time.Hour), claims: ServiceClaims{ID: string(sum[:])}}, begin)
		if e := c.get(&sum, &stand, begin); e == nil || e.claims.ID != string(sum[:]) {
			t.Fatalf("token %d: got %v right after it was put", i, e)
		}
		if e := c.get(&sum, &stand, begin.Add(time.Hour)); e != nil {
			t.Fatalf("token %d is remembered after its end", i)
		}
		if e := c.get(&sum, &standing{realm: "other", epoch: 1}, begin); e != nil {
			t.Fatalf("token %d is found in another realm", i)
		}
	}
	found := 0
	for i := range 10_000 {
		sum := sumOf(i)
		if e := c.get(&sum, &stand, begin); e != nil {
			found++
		}
	}
	if found < 900 || found > len(c.places) {
		t.Errorf("%d of 10000 tokens found in a cache for 1000", found)
	}
}
