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
	ContentType string // the header, "" when it is absent
	// Authorization says that the request has an Authorization header, which
	// would be a second way of client authentication.
	Authorization bool
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
}

// Register serves POST /o/client/register (dcr.md 2). What the client did
// wrong is an [Error].
func (s *Service) Register(r Request) (Registered, error) {
	token, redirect, err := r.registration()
	if err != nil {
		return Registered{}, err
	}
	statement, err := s.statement(token)
	if err != nil {
		return Registered{}, err
	}
	redirects, err := statement.redirects(redirect)
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
	}, nil
}

// listed makes an empty list an empty array, not null.
func listed(list []string) []string { return append([]string{}, list...) }

// registration reads the body; the redirect URI is "" when there is none.
func (r *Request) registration() (token, redirect string, err error) {
	if !r.isA("application/json") {
		return "", "", ErrInvalidRequest
	}
	body, err := strictjson.Parse(r.Body)
	if err != nil {
		return "", "", ErrInvalidRequest
	}
	if v, found := body.Member("software_statement"); found {
		token, _ = v.Text()
	}
	v, found := body.Member("redirect_uri")
	if found {
		redirect, found = v.Text()
		if !found {
			return "", "", ErrInvalidRequest
		}
		if redirect == "" {
			return "", "", ErrInvalidRedirectURI
		}
	}
	if token == "" {
		return "", "", ErrInvalidRequest
	}
	return token, redirect, nil
}

// statement returns the live statement that a token stands for.
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
