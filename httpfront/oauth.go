package httpfront

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"ssod/httpfront/api"
	"ssod/httpfront/api/registration"
	"ssod/httpfront/token/keys"
	"ssod/httpfront/wire"
)

// oauthJSON is the content type of dynamic client registration;
// httpfront/docs/registration.md#register-a-client.
const oauthJSON = "application/json;charset=UTF-8"

// Registrar registers clients; [registration.Service] does.
type Registrar interface {
	Register(r registration.Request) (registration.Registered, error)
	Token(r registration.Request) (registration.Issued, error)
}

// register serves POST /o/client/register.
func register(s Registrar) api.Handler {
	return func(_ context.Context, r *api.Request) (api.Response, error) {
		client, err := s.Register(registrationRequest(r))
		return oauthResponse(r, client, err)
	}
}

// issueToken serves POST /o/client/token.
func issueToken(s Registrar) api.Handler {
	return func(_ context.Context, r *api.Request) (api.Response, error) {
		token, err := s.Token(registrationRequest(r))
		return oauthResponse(r, token, err)
	}
}

func registrationRequest(r *api.Request) registration.Request {
	request := registration.Request{
		ContentType:   string(r.Header(wire.ContentType)),
		Authorization: string(r.Header(wire.Authorization)),
		Query:         r.Query(),
		Body:          r.Body,
	}
	if r.Repeated(wire.ContentType) {
		request.ContentType = "" // whichever it is
	}
	return request
}

func oauthResponse(r *api.Request, answer any, err error) (api.Response, error) {
	if err != nil {
		return api.Response{}, err
	}
	body, err := json.Marshal(answer)
	if err != nil {
		return api.Response{}, err
	}
	return api.Response{Status: http.StatusCreated, ContentType: oauthJSON, Body: append(r.Buffer, body...)}, nil
}

// KeySets has the public keys of realms; keys.Ring does.
type KeySets interface {
	JWKS(ctx context.Context, realm string) (document []byte, complete bool, err error)
}

// jwks serves GET /.well-known/{realm}/jwks.json.
func jwks(s KeySets) api.Handler {
	return func(ctx context.Context, r *api.Request) (api.Response, error) {
		set, complete, err := s.JWKS(ctx, r.Parameter)
		switch {
		case errors.Is(err, keys.ErrUnknownRealm):
			return api.Response{}, api.ErrNotFound
		case err != nil:
			return api.Response{}, err
		}
		cache := "max-age=300"
		if !complete { // a key is being made
			cache = "no-cache"
		}
		return api.Response{Status: http.StatusOK, CacheControl: cache, Body: append(r.Buffer, set...)}, nil
	}
}
