package entitlement

import (
	"cmp"
	"context"
	"errors"

	"ssod/actors/intent"
	"ssod/actors/login"
	"ssod/actors/profile"
	"ssod/httpfront/api"
	"ssod/httpfront/token/keys"
	"ssod/httpfront/token/platform"
	"ssod/httpfront/wire"
)

// The types of profiles; httpfront/docs/entitlement.md#profile-types.
const (
	regular         = "regular"
	serviceTokenSSO = "serviceTokenSSO"
	platformSSO     = "platformSSO"
)

// identity is a single sign-on identity that a request proves.
type identity struct {
	id     profile.ID
	caller *profile.Caller
	kind   string // of profiles found through it
}

// identities are those of a request, in the order of precedence. A token that
// is not good is as if it were not sent, unless the realm is strict. A service
// provider with authPerAggregator has no part in single sign-on.
func (s *Service) identities(ctx context.Context, r *api.Request, a app, device []byte) ([]identity, error) {
	if a.provider.AuthPerAggregator {
		return nil, nil
	}
	var found []identity
	if token := r.Header(wire.ServiceToken); len(token) > 0 {
		claims, err := s.serviceToken(r, token)
		switch {
		case err == nil:
			found = append(found, byServiceToken(r, &claims, device))
		case r.Realm.StrictTokens:
			return nil, keys.ErrParse
		}
	}
	viewer, named, err := s.viewer(ctx, r)
	if err != nil {
		return nil, err
	}
	if named {
		id := profile.ID{Realm: r.Realm.ID, Namespace: viewer.Namespace(), Subject: viewer.Subject}
		found = append(found, identity{id, &profile.Caller{}, platformSSO})
	}
	return found, nil
}

// viewer is the one that the calling device's platform names: in Adobe-Subject-Token, else
// in Roku's header.
func (s *Service) viewer(ctx context.Context, r *api.Request) (viewer platform.Identity, named bool, err error) {
	header := wire.SubjectToken
	if len(r.Header(header)) == 0 {
		header = wire.RokuToken
	}
	token := r.Header(header)
	if len(token) == 0 || r.Repeated(header) {
		return platform.Identity{}, false, nil
	}
	return s.Platforms.Identify(ctx, r.Config, r.Realm, token, r.Received)
}

// serviceToken verifies the service token of a request. Two count as none: a proxy may have
// checked either.
func (s *Service) serviceToken(r *api.Request, token []byte) (keys.ServiceClaims, error) {
	if r.Repeated(wire.ServiceToken) {
		return keys.ServiceClaims{}, keys.ErrParse
	}
	return s.Tokens.VerifyService(r.Realm, token, r.Received, keys.Call)
}

// byServiceToken is the identity of a verified service token. One of our own
// opens its profile for the member it was made for, on its device.
func byServiceToken(r *api.Request, claims *keys.ServiceClaims, device []byte) identity {
	caller := &profile.Caller{Device: device, Bind: r.Realm.ServiceToken.BindDevice}
	if !claims.External {
		caller.Did, caller.Membership = claims.Device[:], claims.Membership
	}
	return identity{profile.ID{Realm: r.Realm.ID, Namespace: cmp.Or(claims.Namespace, keys.NamespaceSSO), Subject: claims.Subject}, caller, serviceTokenSSO}
}

// shared returns the logins that are found through an identity: none when the
// profile does not accept the token any more.
func (s *Service) shared(ctx context.Context, r *api.Request, i *identity) ([]*login.Login, error) {
	logins, err := s.Profiles.Logins(ctx, r.ID, i.id, i.caller)
	if errors.Is(err, profile.ErrNotMember) || errors.Is(err, profile.ErrWrongDevice) {
		if r.Realm.StrictTokens {
			return nil, keys.ErrParse
		}
		return nil, nil
	}
	return logins, err
}

// sharings are the identities as a session remembers them.
func sharings(identities []identity) (sharings []*login.Sharing) {
	for _, i := range identities {
		sharings = append(sharings, &login.Sharing{
			Profile: intent.At(i.id.Address()), Did: i.caller.GetDid(), Membership: i.caller.GetMembership(),
		})
	}
	return sharings
}
