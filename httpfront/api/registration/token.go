package registration

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"ssod/httpfront/api/form"
)

// grantClientCredentials is the only grant type of the token endpoint.
const grantClientCredentials = "client_credentials"

// Issued is the answer to a token request, a 201.
type Issued struct {
	ID          string `json:"id"`
	AccessToken string `json:"access_token"`
	CreatedAt   int64  `json:"created_at"` // epoch milliseconds
	ExpiresIn   int64  `json:"expires_in"` // seconds
	TokenType   string `json:"token_type"`
}

// Token serves POST /o/client/token (httpfront/docs/registration.md#get-an-access-token),
// checks in the order given there. What the client did wrong is an [Error].
func (s *Service) Token(r Request) (Issued, error) {
	parameters, err := r.form()
	if err != nil {
		return Issued{}, err
	}
	who, err := r.credentials(parameters)
	if err != nil {
		return Issued{}, err
	}
	switch grant := parameters["grant_type"]; grant {
	case grantClientCredentials:
		return s.issue(who, grant)
	case "":
		return Issued{}, ErrInvalidRequest
	default:
		return Issued{}, ErrUnsupportedGrantType
	}
}

// issue makes an access token for a client that proves who it is.
func (s *Service) issue(who credentials, grant string) (Issued, error) {
	statement, err := s.authenticate(who.client, who.secret)
	if who.basic && errors.Is(err, ErrInvalidClient) {
		return Issued{}, ErrBasic
	}
	if err != nil {
		return Issued{}, err
	}
	if !statement.grants(grant) {
		return Issued{}, ErrUnauthorizedClient
	}
	now := s.now()
	access, err := s.keys.SignAccess(who.client, strings.Join(statement.record.Scopes, " "), now)
	if err != nil {
		return Issued{}, fmt.Errorf("issue an access token: %w", err)
	}
	return Issued{
		ID: newUUID(), AccessToken: access.Token, CreatedAt: now.UnixMilli(),
		ExpiresIn: int64(access.NotAfter.Sub(access.NotBefore) / time.Second), TokenType: "bearer",
	}, nil
}

// own are the parameters of a token request that are looked at. Others are not, wherever they
// are (RFC 6749, 3.2).
var own = []string{"client_id", "client_secret", "grant_type"}

// form reads the parameters of a token request. They are in the body, or in the query, as
// in the API that apps know; then the body is empty, and its type does not matter. Both at
// once are refused: one may come from the author of a link, the other from the app.
func (r *Request) form() (map[string]string, error) {
	query, ok := form.Parse(r.Query)
	if !ok {
		return nil, ErrInvalidRequest
	}
	inQuery := slices.ContainsFunc(own, func(name string) bool { return query[name] != "" })
	if inQuery && len(r.Body) == 0 {
		return query, nil
	}
	if !r.isA(form.ContentType) {
		return nil, ErrInvalidRequest
	}
	body, ok := form.Parse(string(r.Body))
	if !ok || inQuery && slices.ContainsFunc(own, func(name string) bool { return body[name] != "" }) {
		return nil, ErrInvalidRequest
	}
	if inQuery {
		return query, nil
	}
	return body, nil
}

// newUUID draws a random UUID (RFC 9562, 5.4).
func newUUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
