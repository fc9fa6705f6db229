package sso

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"unicode"
	"unicode/utf8"

	"ssod/actors/linkdirectory"
	"ssod/actors/profile"
	"ssod/httpfront/api"
	"ssod/httpfront/api/headers"
	"ssod/httpfront/token/keys"
	"ssod/httpfront/wire"
)

// modeSigned is ssoId.mode of a realm that does not believe the app.
const modeSigned = "signed"

// maxSSOID is the longest common identifier; httpfront/docs/limits.md#sizes-and-counts.
const maxSSOID = 256

// mint makes the calling device a member of the profile that X-SSO-ID names,
// or that made the code in X-SSO-LINK, and gives it a token;
// httpfront/docs/sso.md#mint-a-service-token. With both headers the code decides.
func (s *Service) mint(ctx context.Context, r *api.Request, c client) (api.Response, error) {
	link, ssoID := r.Header(wire.SSOLink), r.Header(wire.SSOID)
	byDevice := r.Realm.DeviceDefaultSSOID && c.mayAssert // a device's name is the app's word, too
	if len(link) == 0 && len(ssoID) == 0 && !byDevice {
		return api.Response{}, api.ErrIdentityMissing
	}
	id, err := headers.Device(r)
	if err != nil {
		return api.Response{}, err
	}
	if id == nil {
		return api.Response{}, api.ErrMintDeviceMissing
	}
	attributes, err := headers.Attributes(r)
	if err != nil {
		return api.Response{}, err
	}
	d := profile.NewDevice(id, attributes)
	d.Implied = len(r.Header(wire.DeviceInfo)) == 0
	if err := s.Tokens.AwaitService(ctx, r.Realm); err != nil { // before anything is changed
		return api.Response{}, err
	}
	if len(link) > 0 {
		return s.redeem(ctx, r, c, string(link), d)
	}
	viewer, err := s.identify(r, c, ssoID, id)
	if err != nil {
		return api.Response{}, err
	}
	return s.join(ctx, r, viewer, d)
}

// join makes the device a member under a common identifier.
func (s *Service) join(ctx context.Context, r *api.Request, id profile.ID, d *profile.Device) (api.Response, error) {
	membership, err := s.Profiles.Mint(ctx, r.ID, id, &profile.Mint{Device: d, MaxDevices: int32(r.Realm.MaxDevices)})
	if err != nil {
		return api.Response{}, err
	}
	return s.sign(r, http.StatusCreated, member(id, d, membership))
}

// redeem makes the device a member of the profile that a link code belongs to.
func (s *Service) redeem(ctx context.Context, r *api.Request, c client, typed string, d *profile.Device) (api.Response, error) {
	joined, err := s.Links.Redeem(ctx, r.ID, r.Realm.ID, guess(r, typed, d.Id), &profile.Redeem{
		Device: d, MaxDevices: int32(r.Realm.MaxDevices), Policy: policies[r.Realm.LinkCode.OtherNetwork],
	})
	if pending, ok := errors.AsType[*profile.PendingError](err); ok && pending.Asked {
		s.confirmation(r, c, joined.Profile, asked)
	}
	if err != nil {
		return api.Response{}, err
	}
	m := member(joined.Profile, d, joined.Membership)
	m.Origin = joined.Origin
	return s.sign(r, http.StatusCreated, m)
}

// policies are linkCode.otherNetwork by name.
var policies = map[string]profile.OtherNetwork{
	"allow": profile.OtherNetwork_ALLOW, "confirm": profile.OtherNetwork_CONFIRM, "deny": profile.OtherNetwork_DENY,
}

func guess(r *api.Request, typed string, device []byte) linkdirectory.Guess {
	g := &r.Realm.Guessing
	return linkdirectory.Guess{
		Typed: typed, Device: device, Address: r.Address,
		DenyOther: policies[r.Realm.LinkCode.OtherNetwork] == profile.OtherNetwork_DENY,
		PerDevice: g.PerDevice, PerAddress: g.PerAddress, WrongHits: g.WrongHitsPerDay,
	}
}

func member(id profile.ID, d *profile.Device, membership int64) keys.Member {
	return keys.Member{
		Subject: id.Subject, Namespace: id.Namespace,
		Device: keys.DeviceID(profile.Did(d.Id)), Membership: membership,
	}
}

// identify finds the profile of a request without a link code.
func (s *Service) identify(r *api.Request, c client, ssoID, device []byte) (profile.ID, error) {
	id := profile.ID{Realm: r.Realm.ID, Namespace: keys.NamespaceSSO}
	switch {
	case len(ssoID) == 0: // by the device
		id.Subject = headers.CanonicalDevice(device)
	case r.Realm.SSOID.Mode == modeSigned:
		var err error
		id.Namespace, id.Subject, err = s.Tokens.VerifySSOID(r.Realm, ssoID, r.Received)
		if err != nil || len(id.Subject) > maxSSOID {
			return profile.ID{}, api.ErrSSOID
		}
	case !c.mayAssert, !validSSOID(ssoID):
		return profile.ID{}, api.ErrSSOID
	default:
		id.Subject = string(ssoID)
	}
	return id, nil
}

// validSSOID accepts text of at most 256 bytes without control characters.
func validSSOID(b []byte) bool {
	return len(b) <= maxSSOID && utf8.Valid(b) && !bytes.ContainsFunc(b, unicode.IsControl)
}
