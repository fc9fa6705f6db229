package registration

import (
	"mime"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"ssod/httpfront/strictjson"
)

// Request is what the two calls need of an HTTP request.
type Request struct {
	ContentType   string // the header, "" when it is absent
	Authorization string // the header, "" when it is absent
	Query         string // of the target, as it stands there; only the token endpoint looks at it
	Body          []byte
}

// isA reports whether the request's body has a media type, in UTF-8.
func (r *Request) isA(mediaType string) bool {
	got, parameters, err := mime.ParseMediaType(r.ContentType)
	charset, has := parameters["charset"]
	return err == nil && got == mediaType && (!has || strings.EqualFold(charset, "utf-8"))
}

// Registered is the answer to a registration, a 201.
type Registered struct {
	ClientID         string   `json:"client_id"`
	ClientSecret     string   `json:"client_secret"`
	ClientIDIssuedAt int64    `json:"client_id_issued_at"` // epoch seconds
	RedirectURIs     []string `json:"redirect_uris"`
	GrantTypes       []string `json:"grant_types"`
	Scopes           []string `json:"scopes"`
	AuthMethod       string   `json:"token_endpoint_auth_method"`
}

// Register serves POST /o/client/register
// (httpfront/docs/registration.md#register-a-client). What the client did wrong is an
// [Error].
func (s *Service) Register(r Request) (Registered, error) {
	asked, err := r.registration()
	if err != nil {
		return Registered{}, err
	}
	statement, err := s.statement(asked.statement)
	if err != nil {
		return Registered{}, err
	}
	redirects, err := statement.redirects(asked.redirectURI)
	if err != nil {
		return Registered{}, err
	}
	now := s.now()
	version, err := s.keys.ClientVersion(now)
	if err != nil {
		return Registered{}, err
	}
	client := newClientID(statement.ID, version)
	secret, ok := s.keys.ClientSecret(version, client)
	if !ok {
		return Registered{}, ErrRevoked // the key went between two lines
	}
	return Registered{
		ClientID: client, ClientSecret: secret, ClientIDIssuedAt: now.Unix(),
		RedirectURIs: redirects, GrantTypes: listed(statement.record.GrantTypes), Scopes: listed(statement.record.Scopes),
		AuthMethod: asked.authMethod,
	}, nil
}

// listed makes an empty list an empty array, not null.
func listed(list []string) []string { return append([]string{}, list...) }

// metadata is what a registration says (RFC 7591, 2).
type metadata struct {
	statement   string
	redirectURI string // "" when there is none
	authMethod  string // one that the token endpoint takes
}

// registration reads the body.
func (r *Request) registration() (m metadata, err error) {
	if !r.isA("application/json") {
		return m, ErrInvalidRequest
	}
	body, err := strictjson.Parse(r.Body)
	if err != nil {
		return m, ErrInvalidRequest
	}
	redirect, hasRedirect := body.Member("redirect_uri")
	method, _ := body.Member("token_endpoint_auth_method")
	if v, found := body.Member("software_statement"); found {
		m.statement, _ = v.Text()
	}
	m.redirectURI, _ = redirect.Text()
	m.authMethod = authMethod(method)
	switch {
	case hasRedirect && redirect.Kind() != strictjson.Text:
		return m, ErrInvalidRequest
	case hasRedirect && m.redirectURI == "":
		return m, ErrInvalidRedirectURI
	case m.statement == "":
		return m, ErrInvalidRequest
	}
	return m, nil
}

// statement returns the live statement of a token.
func (s *Service) statement(token string) (*Statement, error) {
	claims, err := s.keys.VerifyStatement([]byte(token), s.now())
	if err != nil {
		return nil, ErrInvalidStatement
	}
	object, err := strictjson.Parse(claims)
	if err != nil {
		return nil, ErrInvalidStatement
	}
	jti, _ := object.Member("jti")
	id, _ := jti.Text()
	v, err := s.viewOf(id)
	if err != nil {
		return nil, err
	}
	if statement := v.statements[id]; statement != nil {
		return statement, nil
	}
	return nil, ErrUnapprovedStatement
}

// redirects returns the redirect URIs of a client that asked for one, or for
// none and gets the statement's.
func (s *Statement) redirects(asked string) ([]string, error) {
	allowed := s.record.RedirectUris
	switch {
	case asked == "":
		return listed(allowed), nil
	case !validRedirect(asked), len(allowed) > 0 && !slices.Contains(allowed, asked):
		return nil, ErrInvalidRedirectURI
	default:
		return []string{asked}, nil
	}
}

// maxURI is the longest URI that is looked at.
const maxURI = 2048

// forbiddenSchemes would have a browser run or read what the URI holds, or go
// in the clear.
var forbiddenSchemes = []string{"http", "ws", "ftp", "javascript", "vbscript", "data", "blob", "file", "about", "view-source"}

// validRedirect accepts https with a host, and an app's own scheme (RFC 8252,
// 7.1), without a fragment (RFC 6749, 3.1.2).
func validRedirect(text string) bool {
	if len(text) > maxURI || !utf8.ValidString(text) || strings.ContainsAny(text, "#\\ ") {
		return false
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" || u.User != nil || slices.Contains(forbiddenSchemes, u.Scheme) {
		return false
	}
	return u.Scheme != "https" || u.Hostname() != ""
}
