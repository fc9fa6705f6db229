package platform_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"go.uber.org/goleak"

	"ssod/httpfront/config"
	"ssod/httpfront/token/platform"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// publisher publishes a platform's key set, or fails.
type publisher struct {
	*httptest.Server
	set  atomic.Pointer[jose.JSONWebKeySet] // nil: 503
	hits atomic.Int64
}

func newPublisher(t *testing.T) *publisher {
	t.Helper()
	p := &publisher{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		p.hits.Add(1)
		set := p.set.Load()
		if set == nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_ = json.NewEncoder(w).Encode(set) // a broken answer fails the test
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *publisher) publish(keys ...jose.JSONWebKey) { p.set.Store(&jose.JSONWebKeySet{Keys: keys}) }

// at is a world whose only platform has its keys at a URL.
func at(t *testing.T, url string) *world {
	t.Helper()
	w := &world{dir: t.TempDir(), Verifier: platform.NewVerifier(nil)}
	t.Cleanup(w.Close)
	w.load(t, url)
	return w
}

// load reads a configuration anew, as a reload does.
func (w *world) load(t *testing.T, url string) {
	t.Helper()
	file := `realms: [{id: acme, serviceProviders: [STREAM1], platforms: [` +
		`{name: firetv, issuer: amazon, algorithms: [RS256, ES256, HS256], jwksURL: "` + url + `"}]}]`
	cfg, err := config.Parse([]byte(file), config.Options{CheckPlatform: platform.Check})
	if err != nil {
		t.Fatal(err)
	}
	w.cfg, w.realm = cfg, cfg.Realms[0]
}

// TestKeysAtAURL: the first token waits for them, they survive the URL being
// down and a reload, and keys that are taken back are good no more, not even for
// tokens that were seen.
func TestKeysAtAURL(t *testing.T) {
	server, m := newPublisher(t), keys()
	server.publish(jose.JSONWebKey{Key: &m.rsa.PublicKey, KeyID: "r1"})
	w := at(t, server.URL)
	old := jws(t, jose.RS256, jose.JSONWebKey{Key: m.rsa, KeyID: "r1"}, claims("amazon", nil))
	young := jws(t, jose.ES256, jose.JSONWebKey{Key: m.ec, KeyID: "e1"}, claims("amazon", nil))
	if got, err := w.verify(old); err != nil || got.Platform != "firetv" {
		t.Fatalf("first token: got %+v, %v", got, err)
	}
	server.set.Store(nil)
	w.load(t, server.URL)
	if _, err := w.verify(old); err != nil {
		t.Errorf("after a reload while the URL is down: %v", err)
	}
	server.publish(jose.JSONWebKey{Key: &m.ec.PublicKey, KeyID: "e1"})
	for deadline := time.Now().Add(2 * time.Minute); ; {
		_, err := w.verify(young)
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the new key is not fetched: %v", err)
		}
	}
	if _, err := w.verify(old); !errors.Is(err, platform.ErrToken) {
		t.Errorf("a key that was taken back: got %v, want %v", err, platform.ErrToken)
	}
	asked := server.hits.Load()
	for range 20 {
		_, _ = w.verify(old) // names a kid that is not known
	}
	if got := server.hits.Load(); got != asked {
		t.Errorf("%d fetches for a kid that was asked for a moment ago", got-asked)
	}
}

// TestPublishedSecretsAreRefused: a shared secret that is published is none. The
// public key beside it goes on, and is no secret.
func TestPublishedSecretsAreRefused(t *testing.T) {
	server, m := newPublisher(t), keys()
	server.publish(jose.JSONWebKey{Key: m.secret, KeyID: "h1"}, jose.JSONWebKey{Key: &m.rsa.PublicKey, KeyID: "r1"})
	w := at(t, server.URL)
	for _, tt := range []struct {
		token string
		want  error
	}{
		{jws(t, jose.HS256, jose.JSONWebKey{Key: m.secret, KeyID: "h1"}, claims("amazon", nil)), platform.ErrToken},
		{jws(t, jose.RS256, jose.JSONWebKey{Key: m.rsa, KeyID: "r1"}, claims("amazon", nil)), nil},
	} {
		if _, err := w.verify(tt.token); !errors.Is(err, tt.want) {
			t.Errorf("got %v, want %v", err, tt.want)
		}
	}
	_, err := platform.Check(config.Platform{Name: "roku", Issuer: "roku", Algorithms: []string{"HS256"}, JWKSURL: "https://id.example/keys"})
	if err == nil || !strings.Contains(err.Error(), "secret") {
		t.Errorf("HS256 only at a URL: got %v", err)
	}
}
