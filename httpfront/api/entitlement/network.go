package entitlement

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"net/netip"

	"ssod/actors/session"
	"ssod/httpfront/api"
	"ssod/httpfront/config"
)

// How much of an address is a household's network: all of an IPv4 address, which
// its devices share, and what a provider gives a household of IPv6 at least.
const (
	household4 = 32
	household6 = 56
)

// network is the network of an address as a session keeps it: an HMAC under a key
// of the realm. Nil when the address is not known.
func (s *Service) network(realm *config.Realm, a netip.Addr) []byte {
	bits := household6
	if a = a.Unmap().WithZone(""); a.Is4() {
		bits = household4
	}
	prefix, err := a.Prefix(bits)
	if err != nil || !a.IsValid() {
		return nil
	}
	mac := hmac.New(sha256.New, s.Tokens.LinkCodeKey(realm.ID))
	mac.Write([]byte("network of a session\x00"))
	mac.Write(prefix.Addr().AsSlice())
	return mac.Sum(nil)[:16]
}

// asksFirst reports whether a viewer is asked before a login whose device it is: an
// attacker may have sent the link with the code, to be logged in by the viewer.
func (s *Service) asksFirst(r *api.Request, by *session.Party) bool {
	switch r.Realm.Session.Confirm {
	case config.ConfirmAlways:
		return true
	case config.ConfirmNever:
		return false
	}
	here := s.network(r.Realm, r.Address)
	return len(here) == 0 || subtle.ConstantTimeCompare(here, by.GetNetwork()) != 1
}
