// Package claim reads claims of JSON Web Tokens (RFC 7519) whose values have a
// form of their own.
package claim

import (
	"math"
	"strings"
	"time"

	"ssod/httpfront/strictjson"
)

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

// IsFor reports whether aud, a string or an array of them, has the audience,
// whatever the case (httpfront/docs/headers.md#external-service-tokens).
func IsFor(aud strictjson.Value, audience string) bool {
	if one, ok := aud.Text(); ok {
		return strings.EqualFold(one, audience)
	}
	list, ok := aud.Texts()
	if !ok || aud.Kind() != strictjson.Array {
		return false
	}
	for _, one := range list {
		if strings.EqualFold(one, audience) {
			return true
		}
	}
	return false
}
