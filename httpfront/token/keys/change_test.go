package keys

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// states lists the states of the keys of one use, in the order of List.
func (f *fixture) states(use Use) (states []State) {
	for _, i := range f.List() {
		if i.Use == use {
			states = append(states, i.State)
		}
	}
	return states
}

func (f *fixture) wantStates(when string, use Use, want ...State) {
	f.t.Helper()
	if diff := cmp.Diff(want, f.states(use)); diff != "" {
		f.t.Errorf("%s: states of %s keys (-want +got):\n%s", when, use, diff)
	}
}

func (f *fixture) rotate(o Rotation) {
	f.t.Helper()
	r, err := f.Rotate(context.Background(), o)
	if err != nil {
		f.t.Fatal(err)
	}
	f.keepUp()
	if !f.AwaitRotated(context.Background(), r.ID) {
		f.t.Fatal("the rotation goes on")
	}
}

func (f *fixture) revoke(id string) {
	f.t.Helper()
	if err := f.Revoke(context.Background(), id); err != nil {
		f.t.Fatal(err)
	}
}

// A key is published, signs, retires, and is forgotten when the last token it
// can have signed is past its refresh window.
func TestLifeOfAServiceKey(t *testing.T) {
	for _, algorithm := range []string{HS256, RS256} {
		t.Run(algorithm, func(t *testing.T) {
			f := newFixture(t, configuration(realm("acme", algorithm)))
			first := f.mint(f.realm())
			if strings.Contains(header(first), "kid") {
				t.Errorf("the only key's token has a kid: %s", header(first))
			}
			f.rotate(Rotation{Realm: "acme", Use: Service, Overlap: 10 * time.Minute})
			f.wantStates("rotated", Service, Signing, Published)
			named := f.mint(f.realm())
			if !strings.Contains(header(named), f.signing(Service, "acme").id) {
				t.Errorf("one of two keys' token has no kid: %s", header(named))
			}
			f.at(begin.Add(10 * time.Minute))
			f.wantStates("after the overlap", Service, Retired, Signing)
			last := f.mint(f.realm())
			for _, token := range []string{first, named, last} {
				if err := f.verify(f.realm(), token); err != nil {
					t.Errorf("after the overlap: token %s: %v", header(token), err)
				}
			}
			end := begin.Add(10*time.Minute + time.Hour + 168*time.Hour)
			f.at(end.Add(-time.Second))
			if _, err := f.VerifyService(f.realm(), []byte(first), begin.Add(2*time.Hour), Refresh); err != nil {
				t.Errorf("a retired key does not verify to the end: %v", err)
			}
			f.at(end.Add(skew))
			if _, err := f.VerifyService(f.realm(), []byte(named), f.time(), Refresh); !errors.Is(err, ErrParse) {
				t.Errorf("after the key's end: got %v, want ErrParse", err)
			}
			f.reload(f.cfg.Load())
			f.at(end.Add(skew + 1))
			f.reload(f.cfg.Load())
			f.wantStates("forgotten", Service, Signing)
			if !strings.Contains(header(f.mint(f.realm())), "kid") {
				t.Error("a realm that has had two keys mints a token without kid")
			}
		})
	}
}

// header is the JOSE header of a token.
func header(token string) string {
	first, _, _ := strings.Cut(token, ".")
	text, _ := b64.DecodeString(first)
	return string(text)
}

func TestTokenWithoutKidBelongsToTheOldestKey(t *testing.T) {
	f := newFixture(t, configuration(realm("acme", HS256)))
	old, token := f.signing(Service, "acme").id, f.mint(f.realm())
	f.rotate(Rotation{})
	if err := f.verify(f.realm(), token); err != nil {
		t.Fatalf("after a rotation: %v", err)
	}
	young := forge(t, f.signing(Service, "acme").key, ownHeader(), ownClaims())
	if err := f.verify(f.realm(), young); !errors.Is(err, ErrSignature) {
		t.Errorf("a token of a newer key without kid: got %v, want ErrSignature", err)
	}
	f.revoke(old)
	if err := f.verify(f.realm(), token); err == nil {
		t.Error("a token without kid outlives its key's revocation")
	}
}

func TestRevocation(t *testing.T) {
	t.Run("of the signing key", func(t *testing.T) {
		f := newFixture(t, configuration(realm("acme", RS256)))
		f.rotate(Rotation{})
		f.at(begin.Add(time.Hour))
		k, token := f.signing(Service, "acme"), f.mint(f.realm())
		if err := f.verify(f.realm(), token); err != nil {
			t.Fatal(err)
		}
		f.revoke(k.id)
		f.wantStates("revoked", Service, Retired, Revoked, Signing)
		if err := f.verify(f.realm(), token); !errors.Is(err, ErrParse) {
			t.Errorf("its token: got %v, want ErrParse", err)
		}
		if err := f.verify(f.realm(), f.mint(f.realm())); err != nil {
			t.Errorf("its successor's token: %v", err)
		}
		document, _, _ := f.JWKS(context.Background(), "acme")
		if strings.Contains(string(document), k.id) {
			t.Error("a revoked key is still in the JWKS document")
		}
		raw, _ := f.store.Get(Table, k.id)
		if r := decodeRecord(t, raw); len(r.Sealed) > 0 {
			t.Error("a revoked key is still stored")
		}
		// A node whose clock is behind must not sign with the key before.
		if got := f.snapshot().groups[groupID{Service, "acme"}].signing(begin); got.state(got, begin) != Signing || got.number != 3 {
			t.Errorf("at the time of the rotation key %d signs, want 3", got.number)
		}
		f.open()
		if err := f.verify(f.realm(), token); !errors.Is(err, ErrParse) {
			t.Errorf("after a restart: got %v, want ErrParse", err)
		}
	})
	t.Run("of a retired key", func(t *testing.T) {
		f := newFixture(t, configuration(realm("acme", HS256)))
		old, token := f.signing(Service, "acme").id, f.mint(f.realm())
		f.rotate(Rotation{})
		f.at(begin.Add(time.Second))
		current := f.signing(Service, "acme").id
		f.revoke(old)
		f.revoke(old)
		f.wantStates("revoked twice", Service, Revoked, Signing)
		lost := errors.New("the outcome is unknown")
		f.store.Fail(lost)
		if err := f.Revoke(t.Context(), old); !errors.Is(err, lost) {
			t.Errorf("revoked a third time: got %v, want what the table says", err)
		}
		f.store.Fail(nil)
		if got := f.signing(Service, "acme").id; got != current {
			t.Error("the signing key changed")
		}
		if err := f.verify(f.realm(), token); err == nil {
			t.Error("its token is good")
		}
	})
	t.Run("of a published key", func(t *testing.T) {
		f := newFixture(t, configuration(realm("acme", HS256)))
		f.rotate(Rotation{Use: Service, Overlap: time.Hour})
		f.revoke(f.snapshot().groups[groupID{Service, "acme"}].newest().id)
		f.wantStates("revoked", Service, Signing, Revoked)
		f.at(begin.Add(1000 * time.Hour))
		token := f.mint(f.realm())
		if err := f.verify(f.realm(), token); err != nil {
			t.Errorf("a key retires for one that never signed: %v", err)
		}
	})
	t.Run("of nothing", func(t *testing.T) {
		f := newFixture(t, configuration(realm("acme", HS256)))
		if err := f.Revoke(t.Context(), "nothing"); !errors.Is(err, ErrUnknownKey) {
			t.Errorf("got %v, want ErrUnknownKey", err)
		}
	})
	t.Run("of a link-code key", func(t *testing.T) {
		f := newFixture(t, configuration(realm("acme", HS256), realm("other", HS256)))
		old, other := string(f.LinkCodeKey("acme")), string(f.LinkCodeKey("other"))
		f.revoke(f.signing(LinkCode, "acme").id)
		f.wantStates("revoked", LinkCode, Revoked, Signing, Signing)
		key := string(f.LinkCodeKey("acme"))
		if key == old || len(key) != octSize || string(f.LinkCodeKey("other")) != other {
			t.Error("another key did not take its place, or another realm's")
		}
		f.open()
		f.at(begin.Add(25 * time.Hour))
		f.keepUp()
		if string(f.LinkCodeKey("acme")) != key {
			t.Error("the new key did not stay")
		}
	})
	t.Run("of an access key", func(t *testing.T) {
		f := newFixture(t, configuration(realm("acme", HS256)))
		signed, err := f.SignAccess("c", "", begin)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.VerifyAccess([]byte(signed.Token), begin); err != nil {
			t.Fatal(err)
		}
		f.revoke(f.signing(Access, "").id)
		if _, err := f.VerifyAccess([]byte(signed.Token), begin); !errors.Is(err, ErrAccessExpired) {
			t.Errorf("got %v, want ErrAccessExpired", err)
		}
	})
}

func TestRotationConcerns(t *testing.T) {
	tests := []struct {
		name string
		o    Rotation
		want map[string]int // new keys
		err  error
	}{
		{"everything", Rotation{}, map[string]int{"service of realm acme": 1, "service of realm other": 1, "media of realm acme": 1, "media of realm other": 1, "audit of realm acme": 1, "audit of realm other": 1, "access": 1, "client": 1, "statement": 1}, nil},
		{"a realm", Rotation{Realm: "acme"}, map[string]int{"service of realm acme": 1, "audit of realm acme": 1, "media of realm acme": 1}, nil},
		{"media keys", Rotation{Use: Media}, map[string]int{"media of realm acme": 1, "media of realm other": 1}, nil},
		{"a use", Rotation{Use: Service}, map[string]int{"service of realm acme": 1, "service of realm other": 1}, nil},
		{"a use of the cluster", Rotation{Use: Client}, map[string]int{"client": 1}, nil},
		{"a realm's access key", Rotation{Realm: "acme", Use: Access}, nil, ErrUnknownKey},
		{"an unknown realm", Rotation{Realm: "nobody"}, nil, ErrUnknownKey},
		{"an unknown use", Rotation{Use: "coffee"}, nil, ErrUnknownKey},
		{"link codes", Rotation{Use: LinkCode}, nil, ErrFixed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, configuration(realm("acme", HS256), realm("other", HS256)))
			before := map[string]bool{}
			for _, i := range f.List() {
				before[i.ID] = true
			}
			rotated, err := f.Rotate(t.Context(), tt.o)
			if !errors.Is(err, tt.err) {
				t.Fatalf("got %v, want %v", err, tt.err)
			}
			if want := len(tt.want); rotated.Keys != want || !f.Progress().Done() != (want > 0) {
				t.Errorf("before: %+v, %+v, want %d keys to be made", rotated, f.Progress(), want)
			}
			f.keepUp()
			if p := f.Progress(); !p.Done() {
				t.Errorf("afterwards: %+v", p)
			}
			var got map[string]int
			for _, i := range f.List() {
				if !before[i.ID] {
					if got == nil {
						got = map[string]int{}
					}
					got[groupID{i.Use, i.Realm}.String()]++
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("new keys (-want +got):\n%s", diff)
			}
		})
	}
}

func TestKeysAreBounded(t *testing.T) {
	f := newFixture(t, configuration(realm("acme", HS256)))
	for range MaxKeys - 1 {
		f.rotate(Rotation{Use: Service})
	}
	if _, err := f.Rotate(t.Context(), Rotation{Use: Service}); !errors.Is(err, ErrTooManyKeys) {
		t.Fatalf("key %d: got %v, want ErrTooManyKeys", MaxKeys+1, err)
	}
	// An algorithm that cannot be changed now does not stop the node.
	f.reload(configuration(realm("acme", RS256), realm("new", HS256)))
	f.mint(f.cfg.Load().Realms[1])
	f.at(begin.Add(170 * time.Hour))
	f.rotate(Rotation{Use: Service})
	f.wantStates("when the old ones are over", Service, Retired, Signing, Retired, Signing)
}

func TestConfiguredAlgorithmTakesOver(t *testing.T) {
	f := newFixture(t, configuration(realm("acme", HS256)))
	old := f.mint(f.realm())
	changed := configuration(realm("acme", RS256))
	changed.AccessToken.Algorithm = RS256
	f.reload(changed)
	f.reload(changed) // makes no more keys
	f.wantStates("reloaded", Service, Signing, Published)
	f.at(begin.Add(settle))
	token := f.mint(f.realm())
	if !strings.Contains(header(token), RS256) {
		t.Errorf("header: got %s, want RS256", header(token))
	}
	for _, token := range []string{old, token} {
		if err := f.verify(f.realm(), token); err != nil {
			t.Errorf("token %s: %v", header(token), err)
		}
	}
	access, err := f.SignAccess("client", "", f.time())
	if err != nil || !strings.Contains(header(access.Token), RS256) {
		t.Errorf("access token: %s, %v", header(access.Token), err)
	}
	if got, err := f.VerifyAccess([]byte(access.Token), f.time()); err != nil || got.Client != "client" {
		t.Errorf("access token: %+v, %v", got, err)
	}
	// Another algorithm under an old kid is another key's.
	forged := forge(t, f.signing(Service, "acme").key, map[string]any{"alg": RS256, "typ": "JWT"}, ownClaims())
	if err := f.verify(f.realm(), forged); !errors.Is(err, ErrParse) {
		t.Errorf("RS256 without kid where the oldest key is HS256: got %v, want ErrParse", err)
	}
}

// T29: nobody notices a rotation, whatever is being signed and verified.
func TestRotationUnderLoad(t *testing.T) {
	f := newFixture(t, configuration(realm("acme", HS256)))
	var clock atomic.Int64 // milliseconds since begin
	now := func() time.Time { return begin.Add(time.Duration(clock.Load()) * time.Millisecond) }
	stop := make(chan struct{})
	var failures, done atomic.Int64
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := f.roundTrip(now()); err != nil {
					failures.Add(1)
					t.Error(err)
					return
				}
				done.Add(1)
			}
		})
	}
	for range MaxKeys - 1 {
		clock.Add(500)
		f.at(now())
		f.rotate(Rotation{Use: Service, Overlap: 250 * time.Millisecond})
		f.rotate(Rotation{Use: Access, Overlap: 250 * time.Millisecond})
		for target := done.Load() + 40; done.Load() < target && failures.Load() == 0; {
			clock.Add(1)
		}
	}
	close(stop)
	workers.Wait()
	if got := failures.Load(); got != 0 {
		t.Fatalf("%d of %d round trips failed", got, done.Load())
	}
}

// roundTrip signs and verifies a service and an access token.
func (f *fixture) roundTrip(now time.Time) error {
	service, err := f.SignService(f.realm(), viewer, now)
	if err != nil {
		return err
	}
	if c, err := f.VerifyService(f.realm(), []byte(service.Token), now, Refresh); err != nil || c.Member != viewer {
		return fmt.Errorf("service token %s: %+v, %w", header(service.Token), c, err)
	}
	access, err := f.SignAccess("client", "", now)
	if err != nil {
		return err
	}
	if c, err := f.VerifyAccess([]byte(access.Token), now); err != nil || c.Client != "client" {
		return fmt.Errorf("access token %s: %+v, %w", header(access.Token), c, err)
	}
	return nil
}

func TestListNeverShowsKeys(t *testing.T) {
	f := newFixture(t, configuration(realm("acme", HS256), realm("pub", RS256)))
	f.rotate(Rotation{})
	text := fmt.Sprintf("%+v", f.List())
	for _, s := range f.snapshot().byID {
		if s.oct != nil && (strings.Contains(text, string(s.oct)) || strings.Contains(text, b64.EncodeToString(s.oct))) {
			t.Errorf("the list shows key %s", s.id)
		}
	}
}

func TestClientSecrets(t *testing.T) {
	f := newFixture(t, configuration(realm("acme", HS256)))
	version, err := f.ClientVersion(begin)
	if err != nil {
		t.Fatal(err)
	}
	secret, ok := f.ClientSecret(version, "client-1")
	if again, _ := f.ClientSecret(version, "client-1"); !ok || again != secret || len(secret) < 43 {
		t.Errorf("secret of client-1: %q, then %q", secret, again)
	}
	if other, _ := f.ClientSecret(version, "client-2"); other == secret {
		t.Error("two clients have one secret")
	}
	f.rotate(Rotation{Use: Client})
	f.at(begin.Add(100_000 * time.Hour))
	f.reload(f.cfg.Load())
	if next, _ := f.ClientVersion(f.time()); next == version {
		t.Error("new clients get the old version")
	}
	if again, ok := f.ClientSecret(version, "client-1"); !ok || again != secret || !f.ClientVersionLive(version) {
		t.Error("a rotation ends old clients")
	}
	f.revoke(f.snapshot().versions[version].id)
	if _, ok := f.ClientSecret(version, "client-1"); ok || f.ClientVersionLive(version) {
		t.Error("a revoked version still makes secrets")
	}
	if _, ok := f.ClientSecret("nothing", "client-1"); ok || f.ClientVersionLive("nothing") {
		t.Error("a version that never was makes secrets")
	}
}
