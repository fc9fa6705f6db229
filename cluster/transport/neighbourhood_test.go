package transport

import (
	"net/netip"
	"testing"
)

// Who has one address of IPv6 has a network of them, so they share one room.
func TestNeighbours(t *testing.T) {
	for _, tt := range []struct {
		a, b  string
		known bool
		want  bool
	}{
		{"192.0.2.1", "192.0.2.1", false, true},
		{"192.0.2.1", "192.0.2.2", false, false},
		{"2001:db8::1", "2001:db8::ffff:2", false, true},
		{"2001:db8::1", "2001:db8:0:1::1", false, false},
		{"2001:db8::1", "2001:db8::2", true, false},
	} {
		a, b := neighbourhood(netip.MustParseAddr(tt.a), tt.known), neighbourhood(netip.MustParseAddr(tt.b), tt.known)
		if got := a == b; got != tt.want {
			t.Errorf("%s and %s, a node known: %v: got %v, want %v", tt.a, tt.b, tt.known, got, tt.want)
		}
	}
}
