package sso

import (
	"context"
	"net/http"
	"net/url"

	"ssod/httpfront/api"
)

// readLink tells the device that made a link code what became of it. Its own profile
// answers, never the directory: for other devices the code does not exist, and asking is
// not a guess.
func (s *Service) readLink(ctx context.Context, r *api.Request, _ client) (api.Response, error) {
	h, device, err := s.holderWithDevice(r, api.ErrLinkTokenMissing)
	if err != nil {
		return api.Response{}, err
	}
	code, err := s.Links.ReadCode(ctx, r.ID, h.id, h.caller(r.Realm, device), codeInPath(r))
	if err != nil {
		return api.Response{}, err
	}
	return api.Response{Status: http.StatusOK, Body: appendLink(r.Buffer, code)}, nil
}

// confirmLink gives the word of the device that made a link code about the one
// that waits with it: it may join, or the code ends and the guess was a wrong one.
func (s *Service) confirmLink(ctx context.Context, r *api.Request, c client) (api.Response, error) {
	h, device, err := s.holderWithDevice(r, api.ErrLinkTokenMissing)
	if err != nil {
		return api.Response{}, err
	}
	join, err := confirmBody(r)
	if err != nil {
		return api.Response{}, err
	}
	code, err := s.Links.Confirm(ctx, r.ID, h.id, h.caller(r.Realm, device), codeInPath(r), join)
	if err != nil {
		return api.Response{}, err
	}
	if code.GetDecided() {
		s.confirmation(r, c, h.id, outcome(join))
	}
	return api.Response{Status: http.StatusOK, Body: appendLink(r.Buffer, code)}, nil
}

func outcome(join bool) string {
	if join {
		return granted
	}
	return refused
}

// codeInPath is what the path names; nothing when that cannot be a code: the profile
// does not know it, as it does not know those of others.
func codeInPath(r *api.Request) string {
	typed, err := url.PathUnescape(r.Item)
	if err != nil {
		return ""
	}
	return typed
}

// confirmBody is whether the body says that the device may join.
func confirmBody(r *api.Request) (join bool, err error) {
	body, err := jsonBody(r)
	if err != nil {
		return false, err
	}
	word, _ := body.Member("confirm")
	join, ok := word.Bool()
	if !ok {
		return false, api.ErrBody
	}
	return join, nil
}
