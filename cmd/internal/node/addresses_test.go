package node

import (
	"net/netip"
	"testing"
)

// What other nodes dial keeps its brackets, and is never an address that stands for
// all of a machine's: whoever dials that reaches itself.
func TestAdvertised(t *testing.T) {
	own := func(v6 bool) string { return ownAddress(v6, interfaces()) }
	bracket := func(ip string) string { return netip.AddrPortFrom(netip.MustParseAddr(ip), 9).String() }
	tests := []struct{ name, rpc, advertise, address, want string }{
		{"IPv4", "127.0.0.1:1", "", "127.0.0.1:9", "127.0.0.1:9"},
		{"IPv6", "[::1]:1", "", "[::1]:9", "[::1]:9"},
		{"a name", "n1.example:1", "", "[::]:9", "n1.example:9"},
		{"advertised IPv6", ":1", "::1", ":9", "[::1]:9"},
		{"an address of a link", "[fe80::1%eth0]:1", "", "[fe80::1%eth0]:9", "[fe80::1%eth0]:9"},
		{"any IPv6", "[::]:1", "", "[::]:9", bracket(own(true))},
		{"any IPv4", "0.0.0.0:1", "", "0.0.0.0:9", bracket(own(false))},
		{"any", ":1", "", ":9", bracket(own(false))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := Config{RPC: tt.rpc, Advertise: tt.advertise}
			if got := c.advertised(tt.address); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestOwnAddress(t *testing.T) {
	parse := func(texts ...string) (all []netip.Addr) {
		for _, text := range texts {
			all = append(all, netip.MustParseAddr(text))
		}
		return all
	}
	tests := []struct {
		all    []netip.Addr
		v4, v6 string
	}{
		{parse("127.0.0.1", "::1", "fe80::1", "192.0.2.1", "192.0.2.2", "2001:db8::1"), "192.0.2.1", "2001:db8::1"},
		{parse("127.0.0.1", "192.0.2.1"), "192.0.2.1", "192.0.2.1"},
		{parse("::1", "2001:db8::1"), "2001:db8::1", "2001:db8::1"},
		{parse("127.0.0.1", "::1", "fe80::1"), "127.0.0.1", "::1"},
	}
	for _, tt := range tests {
		if v4, v6 := ownAddress(false, tt.all), ownAddress(true, tt.all); v4 != tt.v4 || v6 != tt.v6 {
			t.Errorf("of %v: %s and %s, want %s and %s", tt.all, v4, v6, tt.v4, tt.v6)
		}
	}
}
