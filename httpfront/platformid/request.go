package platformid

import (
	"context"

	"ssod/httpfront/api"
	"ssod/httpfront/wire"
)

// Identify returns the viewer whom the platform of the calling device names.
// There is none when neither header was sent, and when the token is not
// acceptable: then the request goes on as if there was none (headers.md 8).
// Adobe-Subject-Token counts when both headers are there.
func (v *Verifier) Identify(ctx context.Context, r *api.Request) (Identity, bool) {
	header := wire.SubjectToken
	if len(r.Header(header)) == 0 {
		header = wire.RokuToken
	}
	token := r.Header(header)
	if len(token) == 0 || r.Repeated(header) || r.Realm == nil {
		return Identity{}, false
	}
	i, err := v.Verify(ctx, r.Config, r.Realm, token, r.Received)
	return i, err == nil
}
