package keys

import (
	"strings"

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
