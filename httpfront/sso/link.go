package sso

import (
	"context"
	"errors"
	"net/http"

	"ssod/actors"
	"ssod/actors/linkdirectory"
	"ssod/actors/profile"
	"ssod/httpfront/api"
	"ssod/httpfront/headers"
)

// link makes a link code for the caller's profile; sso-service.md 2.3. The
// profile is asked twice: whether it may have one at all, and, when the
// directory has reserved it, to add it. Only then can it be redeemed.
func (s *Service) link(ctx context.Context, r *api.Request, _ client) (api.Response, error) {
	h, device, err := s.holderWithDevice(r, api.ErrLinkTokenMissing)
	if err != nil {
		return api.Response{}, err
	}
	caller, limits := h.caller(r.Realm, device), &r.Realm.LinkCode
	err = s.Profiles.MayLink(ctx, r.ID, h.id, &profile.MayLink{
		Caller: caller, TtlMs: limits.TTL.Milliseconds(),
		MaxIssued: int32(limits.MaxIssued), MaxDevices: int32(r.Realm.MaxDevices),
	})
	if err != nil {
		return api.Response{}, err
	}
	code, err := s.Directory.Reserve(ctx, r.ID, r.Realm.ID, h.id.Namespace, h.id.Subject, linkdirectory.Wanted{
		Length: limits.Length, Alphabet: linkdirectory.AlphabetNamed(limits.Alphabet),
		TTL: limits.TTL, MaxLive: limits.MaxLive,
		Address: r.Address, WrongHits: r.Realm.Guessing.WrongHitsPerDay,
	})
	if err != nil {
		return api.Response{}, err
	}
	if err := s.addCode(ctx, r, h.id, caller, code); err != nil {
		return api.Response{}, err
	}
	return api.Response{Status: http.StatusCreated, Body: appendCode(r.Buffer, code)}, nil
}

// addCode makes a reserved code redeemable, and gives up those that it
// replaced.
func (s *Service) addCode(ctx context.Context, r *api.Request, id profile.ID, caller *profile.Caller, code linkdirectory.Reservation) error {
	limits := &r.Realm.LinkCode
	m := &profile.AddCode{
		Caller: caller, CodeHash: code.Hash,
		NotBeforeMs: code.NotBefore.UnixMilli(), NotAfterMs: code.NotAfter.UnixMilli(),
		MaxPerProfile: int32(limits.MaxPerProfile), MaxIssued: int32(limits.MaxIssued), MaxDevices: int32(r.Realm.MaxDevices),
	}
	if len(caller.Did) == 0 { // an external token may make the device a member
		m.Attributes = profile.EncodeAttributes(headers.AttributesOrAgent(r))
	}
	freed, err := s.Profiles.AddCode(ctx, r.ID, id, m)
	switch {
	case err == nil:
		s.Directory.Retire(r.ID, r.Realm.ID, freed...)
	case certainlyNot(err):
		s.Directory.Retire(r.ID, r.Realm.ID, code.Hash)
	}
	return err
}

// certainlyNot reports whether a failed AddCode added nothing. Otherwise the
// code may be live in the profile, and then the directory must keep it.
func certainlyNot(err error) bool {
	_, tooMany := errors.AsType[*profile.TooManyCodesError](err)
	return tooMany ||
		errors.Is(err, profile.ErrNotMember) || errors.Is(err, profile.ErrWrongDevice) ||
		errors.Is(err, profile.ErrTooManyDevices) ||
		errors.Is(err, actors.ErrUnavailable) || errors.Is(err, actors.ErrOverloaded)
}
