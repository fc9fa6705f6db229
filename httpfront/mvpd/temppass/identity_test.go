package temppass

import (
	"bytes"
	"net/netip"
	"regexp"
	"testing"
)

func identity(t *testing.T, object string) Identity {
	t.Helper()
	i, ok := ParseIdentity([]byte(object))
	if !ok {
		t.Fatalf("%s names nobody", object)
	}
	return i
}

func TestWhatNamesTheSameViewer(t *testing.T) {
	names := Names{Key: []byte("key"), MVPD: "trial"}
	ada := names.Identity(identity(t, `{"email":"ada@tv.example","plan":"free"}`))
	for object, same := range map[string]bool{
		`{ "email": "ada@tv.example", "plan": "free" }`:        true,
		`{"plan":"free","email":" ada@tv.example"}`:            true,
		`{"plan":"free","email":"ada@tv.example","more":null}`: true,
		`{"email":"ada@tv.example"}`:                           false,
		`{"email":"Ada@tv.example","plan":"free"}`:             false,
		`{"email":"ada@tv.exampleplan","":"free"}`:             false,
	} {
		if got := bytes.Equal(names.Identity(identity(t, object)), ada); got != same {
			t.Errorf("%s: the same %v, want %v", object, got, same)
		}
	}
	if other := (Names{Key: []byte("key"), MVPD: "other"}); bytes.Equal(other.Identity(identity(t, `{"email":"ada@tv.example","plan":"free"}`)), ada) {
		t.Error("another MVPD has the same name for the viewer")
	}
	mail, ok := identity(t, `{"email":"ada@tv.example","plan":"free"}`).Of("email")
	if !ok || !bytes.Equal(names.Identity(mail), names.Identity(identity(t, `{"email":"ada@tv.example"}`))) {
		t.Error("one member does not name the viewer alone")
	}
	if _, ok := mail.Of("plan"); ok {
		t.Error("a member that is not there names somebody")
	}
}

func TestNetworks(t *testing.T) {
	names := Names{Key: []byte("key"), MVPD: "trial"}
	of := func(a string) string { return string(names.Network(netip.MustParseAddr(a))) }
	for _, tt := range []struct {
		a, b string
		same bool
	}{
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"2001:db8::1", "2001:db8::ffff:1", true},
		{"2001:db8::1", "2001:db8:0:1::1", false},
		{"fe80::1%eth0", "fe80::2%eth1", true},
	} {
		if got := of(tt.a) == of(tt.b); got != tt.same {
			t.Errorf("%s and %s: the same %v, want %v", tt.a, tt.b, got, tt.same)
		}
	}
	if names.Network(netip.Addr{}) != nil {
		t.Error("no address has a network")
	}
}

func TestUserIDHasTheDocumentedForm(t *testing.T) {
	if got := (Names{Key: []byte("key"), MVPD: "trial"}).UserID([]byte("tv")); !regexp.MustCompile(`^temppass_[0-9a-f]{40}$`).MatchString(got) {
		t.Errorf("got %q", got)
	}
}
