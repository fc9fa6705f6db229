package jose

import (
	"math"
	"strings"
	"time"

	"ssod/httpfront/strictjson"
)

// Claims are the claims that are looked at in any token, unchecked: those of
// RFC 7519, 4.1, then those of tokens that are made here.
type Claims struct {
	Issuer, Subject, Audience, Expires, NotBefore, IssuedAt, ID strictjson.Value

	Device, Membership, AuthTime, Namespace, Scopes strictjson.Value
}

// ParseClaims reads a payload; false when it is no strict JSON object.
func ParseClaims(payload []byte) (c Claims, ok bool) {
	object, err := strictjson.Parse(payload)
	if err != nil || object.Kind() != strictjson.Object {
		return c, false
	}
	for name, v := range object.Members() {
		if target := c.member(string(name)); target != nil {
			*target = v
		}
	}
	return c, true
}

func (c *Claims) member(name string) *strictjson.Value {
	switch name {
	case "iss":
		return &c.Issuer
	case "sub":
		return &c.Subject
	case "aud":
		return &c.Audience
	case "exp":
		return &c.Expires
	case "nbf":
		return &c.NotBefore
	case "iat":
		return &c.IssuedAt
	case "jti":
		return &c.ID
	case "did":
		return &c.Device
	case "mbr":
		return &c.Membership
	case "auth_time":
		return &c.AuthTime
	case "ns":
		return &c.Namespace
	case "scopes":
		return &c.Scopes
	}
	return nil
}

// IsFor reports whether aud, a string or an array of them, has the audience,
// whatever the case (httpfront/docs/headers.md#external-service-tokens).
func (c *Claims) IsFor(audience string) bool {
	if one, ok := c.Audience.Text(); ok {
		return strings.EqualFold(one, audience)
	}
	list, _ := c.Audience.Texts()
	for _, one := range list {
		if strings.EqualFold(one, audience) {
			return true
		}
	}
	return false
}

// Skew is how far an issuer's clock may be ahead of this one.
const Skew = 60 * time.Second

// Times is when a token is good. Dates that it has not are zero.
type Times struct{ NotBefore, IssuedAt, Expires time.Time }

// Times reads the dates; false when one is malformed, or there is no exp.
func (c *Claims) Times() (t Times, ok bool) {
	var okNBF, okIAT, okEXP bool
	t.NotBefore, okNBF = Date(c.NotBefore)
	t.IssuedAt, okIAT = Date(c.IssuedAt)
	t.Expires, okEXP = Date(c.Expires)
	return t, okNBF && okIAT && okEXP && !t.Expires.IsZero()
}

// Begun reports whether a token was issued and is good already, by a clock that may
// be behind its issuer's.
func (t Times) Begun(now time.Time) bool {
	latest := now.Add(Skew)
	return !t.NotBefore.After(latest) && !t.IssuedAt.After(latest)
}

// Date reads a NumericDate (RFC 7519, 2): seconds, perhaps with a fraction, of
// the years 1970 to 9999, so that no sum overflows. An absent one is zero, which
// is before every time that is checked.
func Date(v strictjson.Value) (t time.Time, ok bool) {
	if v.Kind() == strictjson.Absent {
		return time.Time{}, true
	}
	if n, ok := v.Int64(); ok {
		return time.Unix(n, 0), plausible(float64(n))
	}
	f, ok := v.Float64()
	if !ok || !plausible(f) {
		return time.Time{}, false
	}
	return time.Unix(int64(math.Floor(f)), 0), true
}

func plausible(seconds float64) bool { return 0 <= seconds && seconds < 253402300800 }
