package mvpd

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/netip"
)

// Requester is the device on whose behalf a provider is asked, as far as it is known.
// Contracts demand it: some providers count devices, and some permit watching at home only.
type Requester struct {
	// Device is the one on which the viewer wants to watch.
	Device Device
	// Address is where the call came from: the viewer's browser at a login, the
	// device at a decision. Invalid when it is not known.
	Address netip.Addr
	// SSO is the identity by which other devices will find a login, and at a
	// decision the one by which it was found. Zero: the login is the device's own.
	SSO SSO
}

// Device describes a device to a provider.
type Device struct {
	// ID stands for the device at this provider: the same at every login and every
	// decision, and another one at every other provider.
	ID string
	// Name is what the device calls itself, for people; may be empty.
	Name string
	// Type is one of smartTV, mobile, tablet, desktop, setTopBox, gamesConsole,
	// mediaPlayer and unknown.
	Type string
}

// SSO is where a single sign-on comes from.
type SSO struct {
	// Method is the type of the profiles that are found by it: serviceTokenSSO or
	// platformSSO.
	Method string
	// Issuer vouches for the viewer: the identity service of a foreign token, or
	// the platform. Empty where it is the app that does.
	Issuer string
}

// DeviceAt is the id of a device at a provider, [Device.ID]. It follows from a key of the
// realm, so nobody finds the id that apps use by trying.
func DeviceAt(key []byte, provider string, device []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("device at a provider\x00" + provider + "\x00"))
	mac.Write(device)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}
