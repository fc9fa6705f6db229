package headers

import (
	"ssod/httpfront/api"
	"ssod/httpfront/strictjson"
	"ssod/httpfront/wire"
)

// maxTemporaryIdentity is the longest decoded AP-TempPass-Identity.
const maxTemporaryIdentity = 4 << 10

// CheckTemporaryIdentity reports whether AP-TempPass-Identity, if it was sent,
// can be read: Base64 of a JSON object that names somebody
// (httpfront/docs/headers.md#ap-temppass-identity). Like X-Device-Info it may be left
// out, but what is there must be readable.
func CheckTemporaryIdentity(r *api.Request) error {
	header := r.Header(wire.TempPassIdentity)
	if len(header) == 0 {
		return nil
	}
	raw, ok := Base64(header, maxTemporaryIdentity)
	if !ok || r.Repeated(wire.TempPassIdentity) {
		return api.ErrTemporaryIdentity
	}
	identity, err := strictjson.Parse(raw)
	if err != nil || identity.Kind() != strictjson.Object {
		return api.ErrTemporaryIdentity
	}
	for _, value := range identity.Members() {
		if simple(value) != "" {
			return nil
		}
	}
	return api.ErrTemporaryIdentity
}
