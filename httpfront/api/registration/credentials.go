package registration

import (
	"encoding/base64"
	"errors"
	"net/url"
	"strings"

	"ssod/httpfront/strictjson"
)

// The two ways in which the token endpoint takes credentials. The API that apps know
// documents the form; RFC 6749, 2.3.1 demands Basic of every server, and RFC 7591, 2 makes
// it the default of registrations, so it is the default of libraries. Both carry the same
// secret and neither is weaker, so each client may use either.
const (
	methodBasic = "client_secret_basic"
	methodForm  = "client_secret_post"
)

// authMethod is what a registration's token_endpoint_auth_method becomes. What is
// not offered here (none, a key of the client's) is replaced by the default, as
// RFC 7591, 3.2.1 allows, since the API has no error for it.
func authMethod(asked strictjson.Value) string {
	if asked.Is(methodForm) {
		return methodForm
	}
	return methodBasic
}

// credentials are a client's id and secret, and how it sent them.
type credentials struct {
	client, secret string
	basic          bool
}

// credentials reads those of a token request, which must come in one way
// (RFC 6749, 2.3); an id in the form beside Basic is not a second one (3.2.1), and
// a parameter without a value is none (3.2). Another scheme than Basic is not for
// this endpoint: apps add their last access token to every request, also when
// that is what they come to renew. Malformed Basic is that of a client nobody
// knows.
func (r *Request) credentials(parameters map[string]string) (credentials, error) {
	id, secret := parameters["client_id"], parameters["client_secret"]
	scheme, encoded, _ := strings.Cut(r.Authorization, " ")
	if !strings.EqualFold(scheme, "basic") {
		if id == "" || secret == "" {
			return credentials{}, ErrInvalidRequest
		}
		return credentials{client: id, secret: secret}, nil
	}
	c := parseBasic(strings.TrimLeft(encoded, " "))
	if secret != "" || id != "" && id != c.client {
		return credentials{}, ErrInvalidRequest
	}
	return c, nil
}

// parseBasic reads what follows the scheme: Base64 of id and secret, each encoded
// as in a form (RFC 6749, 2.3.1). Ours have no character that would need it, so
// that it does not matter which clients forget it.
func parseBasic(encoded string) credentials {
	nobody := credentials{basic: true}
	pair, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(encoded, "="))
	if err != nil {
		return nobody
	}
	user, password, _ := strings.Cut(string(pair), ":")
	id, err1 := url.QueryUnescape(user)
	secret, err2 := url.QueryUnescape(password)
	if errors.Join(err1, err2) != nil {
		return nobody
	}
	return credentials{id, secret, true}
}
