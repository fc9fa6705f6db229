package throttle

import (
	"bytes"
	"net/netip"
	"strings"
)

// ClientAddress returns the address of the device: the peer's, or the first
// one of X-Forwarded-For when the peer is a trusted proxy and the header
// begins with an address. A proxy must overwrite the header, since whatever
// the device sent itself would come first.
func ClientAddress(peer netip.Addr, forwarded []byte, trusted []netip.Prefix) netip.Addr {
	peer = peer.Unmap().WithZone("")
	if len(forwarded) == 0 || !contains(trusted, peer) {
		return peer
	}
	first, _, _ := bytes.Cut(forwarded, []byte{','})
	a, ok := parse(strings.TrimSpace(string(first)))
	if !ok {
		return peer
	}
	return a
}

// parse accepts an address, also with a port or in brackets as some proxies
// write it.
func parse(s string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		ap, err := netip.ParseAddrPort(s)
		if err != nil {
			return netip.Addr{}, false
		}
		a = ap.Addr()
	}
	return a.Unmap().WithZone(""), true
}

func contains(ps []netip.Prefix, a netip.Addr) bool {
	for _, p := range ps {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
