package throttle

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
)

// ClientAddress returns the address of the device: the peer's, or that which trusted
// proxies report in X-Forwarded-For, to which each appends its client. So the list is read
// from its end, and the first address that is not a trusted proxy's is the device's: the
// device may have forged those before it. In a list of trusted proxies only, the first one
// is the client; an entry that is not an address ends the list.
func ClientAddress(peer netip.Addr, forwarded []byte, trusted []netip.Prefix) netip.Addr {
	client := peer.Unmap().WithZone("")
	for rest, more := forwarded, len(forwarded) > 0; more && contains(trusted, client); {
		entry := rest
		comma := bytes.LastIndexByte(rest, ',')
		if more = comma >= 0; more {
			rest, entry = rest[:comma], rest[comma+1:]
		}
		a, ok := parse(strings.TrimSpace(string(entry)))
		if !ok {
			break
		}
		client = a
	}
	return client
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

// Trusts reports whether a peer is a trusted proxy.
func Trusts(trusted []netip.Prefix, peer netip.Addr) bool {
	return contains(trusted, peer.Unmap().WithZone(""))
}

func contains(ps []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(ps, func(p netip.Prefix) bool { return p.Contains(a) })
}
