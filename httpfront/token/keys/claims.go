package keys

import (
	"strings"
	"unicode/utf8"

	"ssod/httpfront/strictjson"
)

// MaxSubject is the longest sub that is accepted, in bytes: the Base64 of the
// longest device identifier, which is the sub of a device without an X-SSO-ID
// where the realm allows that.
const MaxSubject = 344

// maxExternalSubject is the same for external tokens, which may serve as
// X-SSO-ID (httpfront/docs/limits.md#sizes-and-counts).
const maxExternalSubject = 256

// claims are the claims that we look at, unchecked.
type claims struct {
	iss, sub, aud, nbf, exp, iat, jti, did, mbr, authTime, ns, scopes strictjson.Value
}

// parseClaims reads a payload; false when it is no strict JSON object.
func parseClaims(payload []byte) (c claims, ok bool) {
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

func (c *claims) member(name string) *strictjson.Value {
	switch name {
	case "iss":
		return &c.iss
	case "sub":
		return &c.sub
	case "aud":
		return &c.aud
	case "nbf":
		return &c.nbf
	case "exp":
		return &c.exp
	case "iat":
		return &c.iat
	case "jti":
		return &c.jti
	case "did":
		return &c.did
	case "mbr":
		return &c.mbr
	case "auth_time":
		return &c.authTime
	case "ns":
		return &c.ns
	case "scopes":
		return &c.scopes
	}
	return nil
}

// subject is the step sub of the step table.
func (c *claims) subject() (string, error) {
	switch c.sub.Kind() {
	case strictjson.Absent, strictjson.Null:
		return "", ErrSubjectMissing
	case strictjson.Text:
		sub, _ := c.sub.Text()
		if strings.TrimSpace(sub) == "" {
			return "", ErrSubjectMissing
		}
		if len(sub) > MaxSubject {
			return "", ErrSubject
		}
		return sub, nil
	default:
		return "", ErrSubject
	}
}

// appendText appends s as a JSON string; false when s is not UTF-8.
func appendText(b []byte, s string) ([]byte, bool) {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[start:i]...)
		start = i + 1
		if c < ' ' {
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		} else {
			b = append(b, '\\', c)
		}
	}
	return append(append(b, s[start:]...), '"'), utf8.ValidString(s)
}
