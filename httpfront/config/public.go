package config

import (
	"net/netip"
	"net/url"
	"strings"
)

// private are domains without public name servers (RFC 6761, RFC 8375, RFC 6762, and the
// one that ICANN reserved for private use).
var private = []string{".localhost", ".test", ".home.arpa", ".local", ".internal"}

// public reports whether strangers may reach a URL: its host is neither a
// loopback, private or link-local address nor a name of a private network. A
// name without a dot is private, as in a network of containers.
func public(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return true
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if ip, err := netip.ParseAddr(host); err == nil {
		return !(ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast())
	}
	for _, domain := range private {
		if strings.HasSuffix(host, domain) {
			return false
		}
	}
	return strings.Contains(host, ".")
}
