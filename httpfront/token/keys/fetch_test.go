package keys

import (
	"crypto/rsa"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ssod/httpfront/config"
)

// keyServer publishes a key set, or fails, as the test likes.
type keyServer struct {
	*httptest.Server
	document atomic.Pointer[[]byte] // nil: 500
	hits     atomic.Int64
}

func newKeyServer(t *testing.T) *keyServer {
	s := &keyServer{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.hits.Add(1)
		if document := s.document.Load(); document != nil {
			w.Write(*document)
			return
		}
		w.WriteHeader(http.StatusInternalServerError)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *keyServer) publish(keys map[string]*rsa.PrivateKey) {
	document := jwksOf(keys)
	s.document.Store(&document)
}

func TestIssuerKeysFromURL(t *testing.T) {
	a, b := issuerPair(0), issuerPair(1)
	server := newKeyServer(t)
	server.publish(map[string]*rsa.PrivateKey{"a": a})
	acme := realm("acme", HS256)
	acme.TrustedIssuers = []config.TrustedIssuer{{Issuer: issuerName, JWKSURL: server.URL}}
	f := newFixture(t, configuration(acme))
	old, young := signRS256(t, a, kid("a"), externalClaims()), signRS256(t, b, kid("b"), externalClaims())

	// The first token waits for the first fetch.
	if err := f.verify(f.realm(), old); err != nil {
		t.Fatalf("first token: %v", err)
	}
	// The URL goes down: what is known stays good, and a restart of nothing
	// but the configuration keeps it.
	server.document.Store(nil)
	if err := f.verify(f.realm(), young); !errors.Is(err, ErrParse) {
		t.Errorf("unknown kid while the URL is down: got %v, want ErrParse", err)
	}
	f.reload(f.cfg.Load())
	if err := f.verify(f.realm(), old); err != nil {
		t.Errorf("known kid while the URL is down: %v", err)
	}
	// It comes back with a new key. Unknown kids were tried a moment ago, so
	// nobody asks again ...
	server.publish(map[string]*rsa.PrivateKey{"b": b})
	asked := server.hits.Load()
	for range 50 {
		if err := f.verify(f.realm(), young); !errors.Is(err, ErrParse) {
			t.Fatalf("within the limit: got %v, want ErrParse", err)
		}
	}
	if got := server.hits.Load(); got != asked {
		t.Errorf("%d fetches for unknown kids within the limit", got-asked)
	}
	// ... until the limit is over; then the first token brings the key.
	f.at(begin.Add(30 * time.Second)) // package keyurl: at most so often
	if err := f.verify(f.realm(), young); err != nil {
		t.Errorf("after the limit: %v", err)
	}
	if err := f.verify(f.realm(), old); !errors.Is(err, ErrParse) {
		t.Errorf("a key that is no longer published: got %v, want ErrParse", err)
	}
}

// TestAForeignKeyAtTheURL: an issuer that publishes a key of a new type beside its
// old one is trusted as before.
func TestAForeignKeyAtTheURL(t *testing.T) {
	a := issuerPair(0)
	server := newKeyServer(t)
	foreign := []byte(`{"keys":[{"kty":"AKP","kid":"pq"},{"kty":"RSA","kid":"half","e":"AQAB"},{"kty":"oct","k":"AAAA"},` +
		strings.TrimPrefix(string(jwksOf(map[string]*rsa.PrivateKey{"a": a})), `{"keys":[`))
	server.document.Store(&foreign)
	acme := realm("acme", HS256)
	acme.TrustedIssuers = []config.TrustedIssuer{{Issuer: issuerName, JWKSURL: server.URL}}
	f := newFixture(t, configuration(acme))
	if err := f.verify(f.realm(), signRS256(t, a, kid("a"), externalClaims())); err != nil {
		t.Errorf("the good key: %v", err)
	}
}

// Issuers that are gone from the configuration are not fetched any more.
func TestRemovedIssuerIsForgotten(t *testing.T) {
	server := newKeyServer(t)
	server.publish(map[string]*rsa.PrivateKey{"a": issuerPair(0)})
	acme := realm("acme", HS256)
	acme.TrustedIssuers = []config.TrustedIssuer{{Issuer: issuerName, JWKSURL: server.URL}}
	f := newFixture(t, configuration(acme))
	token := signRS256(t, issuerPair(0), kid("a"), externalClaims())
	if err := f.verify(f.realm(), token); err != nil {
		t.Fatal(err)
	}
	f.reload(configuration(realm("acme", HS256)))
	if err := f.verify(f.realm(), token); !errors.Is(err, ErrParse) {
		t.Errorf("got %v, want ErrParse", err)
	}
	if err := f.follow(f.cfg.Load()); err != nil {
		t.Fatal(err)
	}
}

// TestSilentIssuers are named while their keys are over a day old.
func TestSilentIssuers(t *testing.T) {
	server := newKeyServer(t)
	server.publish(map[string]*rsa.PrivateKey{"a": issuerPair(0)})
	acme, other := realm("acme", HS256), realm("other", HS256)
	acme.TrustedIssuers = []config.TrustedIssuer{{Issuer: issuerName, JWKSURL: server.URL}}
	other.TrustedIssuers = []config.TrustedIssuer{{Issuer: issuerName, JWKSURL: server.URL, Audience: "TV"}, {Issuer: "file", JWKSFile: writeFile(t, "jwks.json", jwksOf(map[string]*rsa.PrivateKey{"a": issuerPair(0)}))}}
	f := newFixture(t, configuration(acme, other))
	if err := f.verify(f.realm(), signRS256(t, issuerPair(0), kid("a"), externalClaims())); err != nil {
		t.Fatal(err)
	}
	if got := f.Silent(); len(got) > 0 {
		t.Errorf("fetched just now: %q", got)
	}
	server.document.Store(nil)
	f.at(begin.Add(24*time.Hour + time.Second))
	if got := f.Silent(); len(got) != 1 || got[0] != issuerName {
		t.Errorf("down for a day: got %q, want %s once", got, issuerName)
	}
}
