package keys

import (
	"strings"
	"unicode/utf8"

	"ssod/httpfront/strictjson"
	"ssod/httpfront/token/jose"
)

// MaxSubject is the longest sub that is accepted, in bytes: the Base64 of the
// longest device identifier, which is the sub of a device without an X-SSO-ID
// where the realm allows that.
const MaxSubject = 344

// maxExternalSubject is the same for external tokens, which may serve as
// X-SSO-ID (httpfront/docs/limits.md#sizes-and-counts).
const maxExternalSubject = 256

// subject is the step sub of the step table.
func subject(c *jose.Claims) (string, error) {
	switch sub, isText := c.Subject.Text(); {
	case c.Subject.Kind() == strictjson.Absent, c.Subject.Kind() == strictjson.Null, isText && strings.TrimSpace(sub) == "":
		return "", ErrSubjectMissing
	case !isText || len(sub) > MaxSubject:
		return "", ErrSubject
	default:
		return sub, nil
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
