package keys

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	gocmp "github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"ssod/httpfront/config"
	"ssod/httpfront/token/keys/keystest"
	"ssod/httpfront/token/keys/sealing"
	"ssod/httpfront/token/keyset"
)

// pool has RSA keys to hand out: most tests need some, and none cares which. A
// new fixture gets them from the first again.
var pool struct {
	mu    sync.Mutex
	pairs []*rsa.PrivateKey
	next  int
}

// gated lets the rings that the test opens make as many pairs as it puts into the
// channel. What a ring of another test has left behind takes none of them.
func gated(t *testing.T) chan<- struct{} {
	gate := make(chan struct{}, 100)
	generateRSA = func() (*rsa.PrivateKey, error) {
		<-gate
		return pooledRSA()
	}
	t.Cleanup(func() {
		generateRSA = pooledRSA
		close(gate) // for pairs that nobody waits for any more
	})
	return gate
}

func pooledRSA() (*rsa.PrivateKey, error) {
	pool.mu.Lock()
	defer pool.mu.Unlock()
	if pool.next == len(pool.pairs) {
		pair, err := rsa.GenerateKey(rand.Reader, minRSABits)
		if err != nil {
			return nil, err
		}
		pool.pairs = append(pool.pairs, pair)
	}
	pool.next++
	return pool.pairs[pool.next-1], nil
}

func TestMain(m *testing.M) {
	generateRSA = pooledRSA
	goleak.VerifyTestMain(m)
}

// fixture is a ring on a store in memory, with a clock that stands still.
type fixture struct {
	*Ring
	t     testing.TB
	store *keystest.Store
	cfg   atomic.Pointer[config.Config]
	clock atomic.Pointer[time.Time]
	lazy  bool // keys that take long are not made before somebody wants them
}

var (
	begin      = time.Date(2026, 1, 2, 20, 0, 0, 0, time.UTC)
	sealingKey = []byte(strings.Repeat("s", sealing.KeySize))
)

func realm(id, algorithm string) *config.Realm {
	return &config.Realm{
		ID:           id,
		ServiceToken: config.ServiceToken{Algorithm: algorithm, TTL: time.Hour, RefreshWindow: 168 * time.Hour},
	}
}

func configuration(realms ...*config.Realm) *config.Config {
	return &config.Config{
		Issuer: "https://sso.example.com", AccessToken: config.AccessToken{Algorithm: HS256, TTL: 6 * time.Hour}, Realms: realms,
	}
}

func newFixture(t testing.TB, cfg *config.Config) *fixture {
	t.Helper()
	return (&fixture{t: t}).start(cfg)
}

// newLazyFixture has no key yet that takes long to make, but those of the cluster.
func newLazyFixture(t testing.TB, cfg *config.Config) *fixture {
	t.Helper()
	return (&fixture{t: t, lazy: true}).start(cfg)
}

func (f *fixture) start(cfg *config.Config) *fixture {
	f.t.Helper()
	pool.mu.Lock()
	pool.next = 0
	pool.mu.Unlock()
	f.store = &keystest.Store{}
	f.cfg.Store(cfg)
	f.at(begin)
	f.open()
	return f
}

// open opens the ring (again) on what is stored.
func (f *fixture) open() {
	f.t.Helper()
	r, err := Open(context.Background(), f.options())
	if err != nil {
		f.t.Fatal(err)
	}
	f.Ring = r
	f.t.Cleanup(r.Close)
	if !f.lazy {
		f.keepUp()
	}
}

// keepUp makes the keys that the keeper of a node makes in the background.
func (f *fixture) keepUp() {
	f.t.Helper()
	if err := f.KeepUp(context.Background()); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) options() Options {
	return Options{
		Store: f.store, Sealing: sealing.Options{Key: sealingKey}, Settings: f.cfg.Load,
		Now: func() time.Time { return *f.clock.Load() }, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), CacheTokens: 1024,
	}
}

func (f *fixture) at(t time.Time)       { f.clock.Store(&t) }
func (f *fixture) time() time.Time      { return *f.clock.Load() }
func (f *fixture) realm() *config.Realm { return f.cfg.Load().Realms[0] }

// reload makes cfg the configuration.
func (f *fixture) reload(cfg *config.Config) {
	f.t.Helper()
	if err := f.follow(cfg); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) follow(cfg *config.Config) error {
	adopt, err := f.Prepare(cfg)
	if err != nil {
		return err
	}
	f.cfg.Store(cfg)
	adopt()
	return f.KeepUp(context.Background())
}

var viewer = Member{Subject: "viewer-4711", Namespace: NamespaceSSO, Device: DeviceID{1, 2, 3}, Membership: 1767384000000, Origin: begin}

func (f *fixture) mint(realm *config.Realm) string {
	f.t.Helper()
	signed, err := f.SignService(realm, viewer, f.time())
	if err != nil {
		f.t.Fatal(err)
	}
	return signed.Token
}

func (f *fixture) verify(realm *config.Realm, token string) error {
	_, err := f.VerifyService(realm, []byte(token), f.time(), Call)
	return err
}

// signing is the key that signs now.
func (f *fixture) signing(use Use, realm string) *slot {
	return f.snapshot().groups[groupID{use, realm}].signing(f.time())
}

// forge signs claims with a key of the ring, with any header.
func forge(t testing.TB, k *key, header map[string]any, claims any) string {
	t.Helper()
	encode := func(v any) string {
		if raw, ok := v.(string); ok {
			return b64.EncodeToString([]byte(raw))
		}
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return b64.EncodeToString(data)
	}
	text := encode(header) + "." + encode(claims)
	signature, err := k.method.Sign(text, k.private)
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + b64.EncodeToString(signature)
}

func TestKeysOutliveTheProcess(t *testing.T) {
	f := newFixture(t, configuration(realm("acme", HS256), realm("other", RS256)))
	token, code := f.mint(f.realm()), string(f.LinkCodeKey("acme"))
	f.open()
	if err := f.verify(f.realm(), token); err != nil {
		t.Errorf("token of the process before: %v", err)
	}
	if got := string(f.LinkCodeKey("acme")); got != code || len(got) != octSize {
		t.Errorf("the link-code key changed")
	}
	if len(f.List()) != 3+2*4 {
		t.Errorf("opening again made keys: %v", f.List())
	}
}

func TestStoredKeysAreSealed(t *testing.T) {
	f := newFixture(t, configuration(realm("acme", HS256)))
	secret := f.signing(Service, "acme").oct
	for id, raw := range f.store.All(Table) {
		if strings.Contains(string(raw), string(secret)) {
			t.Errorf("record %s has the key in the clear", id)
		}
	}
	o := f.options()
	o.Sealing.Key = []byte(strings.Repeat("x", sealing.KeySize))
	if _, err := Open(context.Background(), o); !errors.Is(err, ErrSealed) {
		t.Errorf("with another sealing key: got %v, want ErrSealed", err)
	}
	for _, size := range []int{0, 16, 31, 33} {
		o.Sealing.Key = make([]byte, size)
		if _, err := Open(context.Background(), o); err == nil {
			t.Errorf("a sealing key of %d bytes is accepted", size)
		}
	}
}

// Whoever can write to the store can destroy keys, but can neither read them
// nor give one another meaning.
func TestChangedRecordsAreRefused(t *testing.T) {
	tests := map[string]func(r *Record){
		"moved to another realm":  func(r *Record) { r.Realm = "other" },
		"used for something else": func(r *Record) { r.Use = string(LinkCode) },
		"another algorithm":       func(r *Record) { r.Algorithm = RS256 },
		"ciphertext":              func(r *Record) { r.Sealed[20] ^= 1 },
		"nonce":                   func(r *Record) { r.Sealed[3] ^= 1 },
		"version":                 func(r *Record) { r.Sealed[0]++ },
		"cut":                     func(r *Record) { r.Sealed = r.Sealed[:10] },
		"empty":                   func(r *Record) { r.Sealed = nil },
	}
	for name, tamper := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, configuration(realm("acme", HS256)))
			id := f.signing(Service, "acme").id
			f.tamper(id, id, tamper)
			if _, err := Open(context.Background(), f.options()); !errors.Is(err, ErrSealed) {
				t.Errorf("got %v, want ErrSealed", err)
			}
		})
	}
	t.Run("under another id", func(t *testing.T) {
		f := newFixture(t, configuration(realm("acme", HS256)))
		f.tamper(f.signing(Service, "acme").id, f.signing(LinkCode, "acme").id, func(*Record) {})
		if _, err := Open(context.Background(), f.options()); !errors.Is(err, ErrSealed) {
			t.Errorf("got %v, want ErrSealed", err)
		}
	})
}

// tamper stores a changed copy of record from under the id to.
func (f *fixture) tamper(from, to string, edit func(r *Record)) {
	f.t.Helper()
	raw, _ := f.store.Get(Table, from)
	record := decodeRecord(f.t, raw)
	edit(record)
	var c change
	if err := c.put(to, record); err != nil {
		f.t.Fatal(err)
	}
	if err := f.store.Change(context.Background(), Table, c.puts, nil); err != nil {
		f.t.Fatal(err)
	}
}

func TestOpenFailsWhenKeysCannotBeKept(t *testing.T) {
	f := newFixture(t, configuration(realm("acme", HS256)))
	gone := errors.New("no majority")
	f.store.Fail(gone)
	cfg := configuration(realm("acme", HS256), realm("new", HS256))
	if err := f.follow(cfg); !errors.Is(err, gone) {
		t.Fatalf("new configuration: got %v, want %v", err, gone)
	}
	if _, err := f.Rotate(context.Background(), Rotation{}); !errors.Is(err, gone) {
		t.Fatalf("Rotate: got %v, want %v", err, gone)
	}
	if _, err := f.SignService(cfg.Realms[1], viewer, f.time()); err == nil {
		t.Fatal("a key that was not stored signs")
	}
	f.mint(f.realm())
}

// The thumbprint of RFC 7638, 3.1.
func TestThumbprint(t *testing.T) {
	set, err := keyset.Parse([]byte(`{"keys":[{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}]}`), keyset.Wanted{Algorithms: []string{RS256}})
	if err != nil {
		t.Fatal(err)
	}
	got := material{rsa: &rsa.PrivateKey{PublicKey: *set.Keys[0].Material.(*rsa.PublicKey)}}.thumbprint()
	if want := "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"; got != want {
		t.Fatalf("thumbprint: got %s, want %s", got, want)
	}
}

// TestJWKSHasPublicKeysOnly: media-token keys, and service-token keys where
// the realm signs with RS256; symmetric keys never
// (httpfront/docs/headers.md#own-service-tokens).
func TestJWKSHasPublicKeysOnly(t *testing.T) {
	f := newFixture(t, configuration(realm("acme", HS256), realm("pub", RS256)))
	if _, _, err := f.JWKS(t.Context(), "nobody"); !errors.Is(err, ErrUnknownRealm) {
		t.Error("an unknown realm has a document")
	}
	f.expectJWKS(t, "acme", f.signing(Media, "acme"))
	document := f.expectJWKS(t, "pub", f.signing(Service, "pub"), f.signing(Media, "pub"))
	// A client can verify a token with the document.
	if _, err := jwt.Parse(f.mint(f.cfg.Load().Realms[1]), func(*jwt.Token) (any, error) {
		published, err := keyset.Parse(document, keyset.Wanted{Algorithms: []string{RS256}, Published: true})
		var set jwt.VerificationKeySet
		for _, k := range published.Keys {
			set.Keys = append(set.Keys, k.Material)
		}
		return set, err
	}, jwt.WithTimeFunc(f.time)); err != nil {
		t.Errorf("golang-jwt with the document: %v", err)
	}
	f.open()
	if again, _, _ := f.JWKS(context.Background(), "pub"); string(again) != string(document) {
		t.Errorf("the document changed:\n%s\n%s", document, again)
	}
}

// expectJWKS checks that a realm publishes these keys, ordered by kid.
func (f *fixture) expectJWKS(t *testing.T, realm string, slots ...*slot) []byte {
	t.Helper()
	document, _, _ := f.JWKS(context.Background(), realm)
	var set struct{ Keys []map[string]string }
	if err := json.Unmarshal(document, &set); err != nil {
		t.Fatalf("document %s: %v", document, err)
	}
	slices.SortFunc(slots, func(a, b *slot) int { return cmp.Compare(a.id, b.id) })
	var want []map[string]string
	for _, k := range slots {
		n, e := rsaParts(&k.rsa.PublicKey)
		want = append(want, map[string]string{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": k.id, "n": n, "e": e})
	}
	if diff := gocmp.Diff(want, set.Keys); diff != "" {
		t.Errorf("keys of %s (-want +got):\n%s", realm, diff)
	}
	return document
}

// TestSignMedia: the realm's own key signs, and its successor after rotation.
func TestSignMedia(t *testing.T) {
	f := newFixture(t, configuration(realm("acme", HS256), realm("other", HS256)))
	for range 2 {
		const text = "<shortAuthorizationToken/>"
		signature, err := f.SignMedia("acme", text, f.time())
		if err != nil {
			t.Fatal(err)
		}
		if err := jwt.SigningMethodRS256.Verify(text, signature, &f.signing(Media, "acme").rsa.PublicKey); err != nil {
			t.Errorf("the realm's key: %v", err)
		}
		if jwt.SigningMethodRS256.Verify(text, signature, &f.signing(Media, "other").rsa.PublicKey) == nil {
			t.Error("another realm's key verifies too")
		}
		f.rotate(Rotation{Use: Media, Realm: "acme"})
	}
	if _, err := f.SignMedia("nobody", "x", f.time()); !errors.Is(err, errNoKey) {
		t.Errorf("an unknown realm: got %v, want %v", err, errNoKey)
	}
}

func decodeRecord(t testing.TB, raw []byte) *Record {
	t.Helper()
	r := &Record{}
	if err := proto.Unmarshal(raw, r); err != nil {
		t.Fatal(err)
	}
	return r
}

// The key of audit lines rotates like others, and the one before is of no use to
// anybody.
func TestAuditKeysRotate(t *testing.T) {
	f := newFixture(t, configuration(realm("acme", HS256)))
	before := f.AuditKey("acme")
	if len(before) == 0 || string(before) == string(f.LinkCodeKey("acme")) || f.AuditKey("nowhere") != nil {
		t.Fatalf("the key is %d bytes, or that of link codes", len(before))
	}
	f.rotate(Rotation{Use: Audit})
	if after := f.AuditKey("acme"); len(after) == 0 || string(before) == string(after) {
		t.Error("the key did not change")
	}
}
