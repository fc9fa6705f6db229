package keys

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"google.golang.org/protobuf/proto"

	"ssod/httpfront/token/keys/keystest"
	"ssod/httpfront/token/keys/sealing"
)

// carried are the keys of a ring's table, as a backup has them.
func (f *fixture) carried(change func(*Portable) *Portable) map[string]*Portable {
	f.t.Helper()
	raw, err := Unseal(f.store.All(Table), f.options().Sealing)
	if err != nil {
		f.t.Fatal(err)
	}
	keys := make(map[string]*Portable)
	for id, b := range raw {
		p, err := ReadPortable(id, b)
		if err != nil {
			f.t.Fatal(err)
		}
		keys[id] = change(p)
	}
	return keys
}

// moved is a ring of another cluster that has these keys.
func (f *fixture) moved(keys map[string]*Portable) *fixture {
	f.t.Helper()
	other := &fixture{t: f.t, store: &keystest.Store{}}
	other.cfg.Store(f.cfg.Load())
	other.at(f.time())
	o := f.options()
	o.Store = other.store
	o.Sealing = sealing.Options{Key: bytes.Repeat([]byte("n"), sealing.KeySize), Cluster: "another", Self: sealing.Member{ID: 1, Name: "n1"}}
	table, err := Seal(keys, o.Sealing, f.time())
	if err == nil {
		err = other.store.Update(context.Background(), Table, 0, table, nil)
	}
	if err == nil {
		other.Ring, err = Open(context.Background(), o)
	}
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(other.Close)
	other.keepUp()
	return other
}

// What was signed in one cluster is verified in the one that was made of its backup, and
// what was revoked stays so.
func TestKeysMoveToAnotherCluster(t *testing.T) {
	f := newFixture(t, configuration(realm("acme", HS256), realm("other", RS256)))
	revoked := f.mint(f.realm())
	f.revoke(f.signing(Service, "acme").id)
	token := f.mint(f.realm())
	other := f.moved(f.carried(func(p *Portable) *Portable { return p }))
	if err := other.verify(other.realm(), token); err != nil {
		t.Errorf("a token of the cluster before: %v", err)
	}
	if other.verify(other.realm(), revoked) == nil {
		t.Error("a token of a revoked key is good")
	}
	if got, want := len(other.List()), len(f.List()); got != want {
		t.Errorf("%d keys, want the %d of before and no other", got, want)
	}
	if err := other.roundTrip(other.time()); err != nil {
		t.Error(err)
	}
}

// Renewed keys void the tokens that users have, and nothing else.
func TestRenewedKeys(t *testing.T) {
	f := newFixture(t, configuration(realm("acme", HS256)))
	service := f.mint(f.realm())
	access, err := f.SignAccess("client", "", f.time())
	if err != nil {
		t.Fatal(err)
	}
	other := f.moved(f.carried(func(p *Portable) *Portable { return p.Renewed(f.time()) }))
	if err := other.verify(other.realm(), service); err == nil {
		t.Error("a service token of before is good")
	}
	if _, err := other.VerifyAccess([]byte(access.Token), other.time()); err == nil {
		t.Error("an access token of before is good")
	}
	if err := other.roundTrip(other.time()); err != nil {
		t.Errorf("with the keys that were made instead: %v", err)
	}
	for _, use := range []Use{Client, Statement} {
		if got, want := other.signing(use, "").id, f.signing(use, "").id; got != want {
			t.Errorf("the %s key is another one", use)
		}
	}
}

func TestWhatIsNoPortableKey(t *testing.T) {
	f := newFixture(t, configuration(realm("acme", HS256)))
	for id, p := range f.carried(func(p *Portable) *Portable { return p }) {
		raw, err := proto.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ReadPortable("x"+id, raw); !errors.Is(err, ErrPortable) {
			t.Errorf("under another id: got %v", err)
		}
	}
	if _, err := ReadPortable("id", []byte{0xff}); !errors.Is(err, ErrPortable) {
		t.Errorf("no message: got %v", err)
	}
	strange := f.options().Sealing
	strange.Key = bytes.Repeat([]byte("x"), sealing.KeySize)
	if _, err := Unseal(f.store.All(Table), strange); !errors.Is(err, ErrSealed) {
		t.Errorf("with another private key: got %v", err)
	}
}
