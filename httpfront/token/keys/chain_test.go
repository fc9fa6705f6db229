package keys

import (
	"errors"
	"testing"
	"time"

	"ssod/httpfront/config"
)

// chain is a viewer's app that refreshes its token and never says again who the
// viewer is.
type chain struct {
	*fixture
	realm *config.Realm
	token string
}

// refresh takes the step of GET serviceToken at a time.
func (c *chain) refresh(t *testing.T, at time.Time) (Signed, ServiceClaims, error) {
	t.Helper()
	c.at(at)
	claims, err := c.VerifyService(c.realm, []byte(c.token), at, Refresh)
	if err != nil {
		return Signed{}, claims, err
	}
	signed, err := c.SignService(c.realm, claims.Member, at)
	if err != nil {
		t.Fatal(err)
	}
	c.token = signed.Token
	return signed, claims, nil
}

// T42: refreshing ends maxAge after the first token, however often it was done, with
// another key and in the window too, and no token outlives that.
func TestAChainEnds(t *testing.T) {
	for name, tt := range map[string]struct {
		namespace string
		maxAge    time.Duration
		want      time.Duration
	}{
		"asserted":             {NamespaceSSO, 0, 9600 * time.Hour},
		"signed or external":   {issuerName, 0, 720 * time.Hour},
		"asserted, configured": {NamespaceSSO, 100 * time.Hour, 100 * time.Hour},
		"external, configured": {issuerName, 1000 * time.Hour, 1000 * time.Hour},
		"shorter than a token": {NamespaceSSO, 10 * time.Minute, 10 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			acme := realm("acme", HS256)
			acme.ServiceToken.MaxAge = tt.maxAge
			c := &chain{fixture: newFixture(t, configuration(acme)), realm: acme}
			first := Member{Subject: "v", Namespace: tt.namespace, Membership: 1}
			signed, err := c.SignService(acme, first, begin.Add(300*time.Millisecond))
			if err != nil {
				t.Fatal(err)
			}
			c.token = signed.Token
			end := begin.Add(tt.want)
			for at := begin.Add(150 * time.Hour); at.Before(end.Add(-time.Minute)); at = at.Add(150 * time.Hour) {
				if _, claims, err := c.refresh(t, at); err != nil || !claims.Origin.Equal(begin) {
					t.Fatalf("after %v: origin %v, %v", at.Sub(begin), claims.Origin, err)
				}
				c.rotate(Rotation{Use: Service})
			}
			last := end.Add(-time.Second)
			signed, _, err = c.refresh(t, last)
			if err != nil || !signed.NotAfter.Equal(end) {
				t.Fatalf("a second before the end: good until %v, %v; want %v", signed.NotAfter, err, end)
			}
			if err := c.verify(acme, c.token); err != nil {
				t.Errorf("a second before the end: %v", err)
			}
			if _, _, err := c.refresh(t, end); !errors.Is(err, ErrExpired) {
				t.Errorf("at the end: got %v, want ErrExpired", err)
			}
			if err := c.verify(acme, c.token); !errors.Is(err, ErrExpired) {
				t.Errorf("a call at the end: got %v, want ErrExpired", err)
			}
		})
	}
}

// TestAShorterAgeCountsAtOnce, for tokens that are there already.
func TestAShorterAgeCountsAtOnce(t *testing.T) {
	f := newFixture(t, configuration(realm("acme", HS256)))
	token := f.mint(f.realm())
	if err := f.verify(f.realm(), token); err != nil {
		t.Fatal(err)
	}
	shorter := realm("acme", HS256)
	shorter.ServiceToken.MaxAge = time.Minute
	f.reload(configuration(shorter))
	f.at(begin.Add(time.Minute))
	if err := f.verify(f.realm(), token); !errors.Is(err, ErrExpired) {
		t.Errorf("got %v, want ErrExpired", err)
	}
}
