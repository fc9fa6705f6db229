package sso

import (
	"context"
	"net/http"

	"ssod/actors/linkdirectory"
	"ssod/actors/linking"
	"ssod/actors/profile"
	"ssod/httpfront/api"
	"ssod/httpfront/api/form"
	"ssod/httpfront/api/headers"
	"ssod/httpfront/qr"
)

// link makes a link code for the caller's profile.
func (s *Service) link(ctx context.Context, r *api.Request, _ client) (api.Response, error) {
	h, device, err := s.holderWithDevice(r, api.ErrLinkTokenMissing)
	if err != nil {
		return api.Response{}, err
	}
	code, err := s.Links.Link(ctx, r.ID, h.id, wanted(r, h.caller(r.Realm, device)))
	if err != nil {
		return api.Response{}, err
	}
	picture := ""
	if asksPicture(r) {
		if picture, err = qr.SVG(code.Text); err != nil {
			return api.Response{}, err
		}
	}
	return api.Response{Status: http.StatusCreated, Body: appendCode(r.Buffer, code, picture)}, nil
}

// asksPicture reports whether the app wants the code as a QR code too: qr=true in the query,
// or in a form. Whatever else is in the body does not count.
func asksPicture(r *api.Request) bool {
	texts := []string{r.Query()}
	if r.HasForm() {
		texts = append(texts, string(r.Body))
	}
	for _, text := range texts {
		if values, ok := form.Parse(text); ok && values["qr"] == "true" {
			return true
		}
	}
	return false
}

// wanted is what code a caller gets.
func wanted(r *api.Request, caller *profile.Caller) linking.Wanted {
	limits := &r.Realm.LinkCode
	w := linking.Wanted{
		Caller: caller,
		Code: linkdirectory.Wanted{
			Length: limits.Length, Alphabet: linkdirectory.AlphabetNamed(limits.Alphabet),
			TTL: limits.TTL, MaxLive: limits.MaxLive,
			Address: r.Address, WrongHits: r.Realm.Guessing.WrongHitsPerDay,
		},
		MaxPerProfile: limits.MaxPerProfile, MaxIssued: limits.MaxIssued, MaxDevices: r.Realm.MaxDevices,
	}
	if len(caller.Did) == 0 { // an external token may make the device a member
		w.Attributes = profile.EncodeAttributes(headers.AttributesOrAgent(r))
	}
	return w
}
