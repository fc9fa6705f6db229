package platform

import (
	"context"

	"ssod/httpfront/api"
	"ssod/httpfront/wire"
)

// Identify returns the viewer whom the platform of the calling device names.
// There is none when neither header was sent, and when the token is not
// acceptable: then the request goes on as if there was none (headers.md 8). It
// fails when that could not be told, with [slots.ErrBusy] or the error of ctx: a
// logout that took such a token for none would leave logins behind.
// Adobe-Subject-Token counts when both headers are there.
func (v *Verifier) Identify(ctx context.Context, r *api.Request) (viewer Identity, named bool, err error) {
	header := wire.SubjectToken
	if len(r.Header(header)) == 0 {
		header = wire.RokuToken
	}
	token := r.Header(header)
	if len(token) == 0 || r.Repeated(header) || r.Realm == nil {
		return Identity{}, false, nil
	}
	viewer, err = v.Verify(ctx, r.Config, r.Realm, token, r.Received)
	switch {
	case err == nil:
		return viewer, true, nil
	case unacceptable(err):
		return Identity{}, false, nil
	default:
		return Identity{}, false, err
	}
}
