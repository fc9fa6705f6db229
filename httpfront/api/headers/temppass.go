package headers

import (
	"ssod/httpfront/api"
	"ssod/httpfront/mvpd/temppass"
	"ssod/httpfront/wire"
)

// maxTemporaryIdentity is the longest decoded AP-TempPass-Identity.
const maxTemporaryIdentity = 4 << 10

// TemporaryIdentity reads AP-TempPass-Identity, if it was sent: Base64 of a JSON object that
// names somebody (httpfront/docs/headers.md#ap-temppass-identity).
func TemporaryIdentity(r *api.Request) (who temppass.Identity, sent bool, err error) {
	header := r.Header(wire.TempPassIdentity)
	if len(header) == 0 {
		return who, false, nil
	}
	raw, ok := Base64(header, maxTemporaryIdentity)
	if !ok || r.Repeated(wire.TempPassIdentity) {
		return who, true, api.ErrTemporaryIdentity
	}
	if who, ok = temppass.ParseIdentity(raw); !ok {
		return who, true, api.ErrTemporaryIdentity
	}
	return who, true, nil
}

// CheckTemporaryIdentity is for calls where nobody is interested in it: like X-Device-Info
// it may be left out, but what is there must be readable.
func CheckTemporaryIdentity(r *api.Request) error {
	_, _, err := TemporaryIdentity(r)
	return err
}
