package registration

import (
	"context"
	"errors"
	"testing"
	"time"

	"ssod/httpfront/token/keys"
)

// T16: what is revoked is refused at once, on every node that has the tables.
func TestRevocationReachesCalls(t *testing.T) {
	f := newFixture(t)
	nodes := []*Service{f.Service, f.another(), f.another()}
	statement := f.create()
	a, b := f.access(f.register(statement.SoftwareStatement)), f.access(f.register(statement.SoftwareStatement))
	c := f.access(f.register(f.create().SoftwareStatement))
	want := func(when string, access keys.AccessClaims, want error) {
		t.Helper()
		for i, node := range nodes {
			if _, err := node.Judge(access); !errors.Is(err, want) {
				t.Errorf("%s, node %d: got %v, want %v", when, i, err, want)
			}
		}
	}
	want("before", a, nil)
	if err := f.RevokeClient(t.Context(), a.Client); err != nil {
		t.Fatal(err)
	}
	want("a revoked client", a, ErrRevoked)
	want("another client of the statement", b, nil)
	f.revokeStatement(statement.ID)
	want("a client of a revoked statement", b, ErrRevoked)
	want("a client of another statement", c, nil)
	nodes = append(nodes, f.another()) // started later
	want("a revoked client, later", a, ErrRevoked)
	want("a client of a revoked statement, later", b, ErrRevoked)
	want("nobody", keys.AccessClaims{Client: "nobody"}, ErrRevoked)
	f.revokeClientKey()
	want("a client whose key was revoked", c, ErrRevoked)
	if _, err := f.Token(tokenRequest(f.register(f.create().SoftwareStatement))); err != nil {
		t.Errorf("a client of the new key: %v", err)
	}
}

func (f *fixture) revokeClientKey() {
	f.t.Helper()
	for _, k := range f.ring.List() {
		if k.Use == keys.Client {
			if err := f.ring.Revoke(context.Background(), k.ID); err != nil {
				f.t.Fatal(err)
			}
		}
	}
}

func TestClientsOutliveRotations(t *testing.T) {
	f := newFixture(t)
	client := f.register(f.create().SoftwareStatement)
	for range 3 {
		if _, err := f.ring.Rotate(t.Context(), keys.Rotation{}); err != nil {
			t.Fatal(err)
		}
		f.at(f.now().Add(10_000 * time.Hour))
		if _, err := f.Judge(f.access(client)); err != nil {
			t.Fatal(err)
		}
	}
}

// Who repeats a revocation because the outcome of the first was unknown is told
// so again when it is: the tables are written each time.
func TestARepeatedRevocationIsWrittenAgain(t *testing.T) {
	f := newFixture(t)
	statement := f.create()
	client := f.register(statement.SoftwareStatement)
	lost := errors.New("the outcome is unknown")
	for name, revoke := range map[string]func() error{
		"client":    func() error { return f.RevokeClient(t.Context(), client.ClientID) },
		"statement": func() error { return f.RevokeStatement(t.Context(), statement.ID) },
	} {
		if err := revoke(); err != nil {
			t.Fatal(err)
		}
		f.store.Fail(lost)
		if err := revoke(); !errors.Is(err, lost) {
			t.Errorf("%s: got %v, want %v", name, err, lost)
		}
		f.store.Fail(nil)
	}
}

func TestRevokingAgainOrNothing(t *testing.T) {
	f := newFixture(t)
	statement := f.create()
	client := f.register(statement.SoftwareStatement)
	for range 2 {
		if err := f.RevokeClient(t.Context(), client.ClientID); err != nil {
			t.Error(err)
		}
	}
	for range 2 {
		f.revokeStatement(statement.ID)
	}
	if err := f.RevokeClient(t.Context(), f.register(f.create().SoftwareStatement).ClientID); err != nil {
		t.Error(err)
	}
	for _, id := range []string{"", "x", newID(), client.ClientID} {
		if err := f.RevokeStatement(t.Context(), id); !errors.Is(err, ErrUnknown) {
			t.Errorf("RevokeStatement(%q): got %v, want ErrUnknown", id, err)
		}
	}
	for _, id := range []string{"", "x", statement.ID, newClientID(newID(), "version")} {
		if err := f.RevokeClient(t.Context(), id); !errors.Is(err, ErrUnknown) {
			t.Errorf("RevokeClient(%q): got %v, want ErrUnknown", id, err)
		}
	}
}
