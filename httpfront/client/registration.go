package client

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"
)

// Credentials are those of a registered application instance. They do not expire.
// They are secret: keep them where the platform keeps secrets.
type Credentials struct {
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
}

// Registration is what the service says of a new client.
type Registration struct {
	Credentials
	IssuedAt     int64    `json:"client_id_issued_at"` // seconds since 1970
	RedirectURIs []string `json:"redirect_uris"`
	GrantTypes   []string `json:"grant_types"`
	Scopes       []string `json:"scopes"`
}

// Register makes credentials with the software statement that the operator gave
// to the app's developers; once per installation. The redirectURI may be empty.
// The Client itself goes on without them; see [Client.WithCredentials].
// httpfront/openapi.yaml#registerClient
func (c *Client) Register(ctx context.Context, softwareStatement, redirectURI string) (r Registration, err error) {
	in := struct {
		SoftwareStatement string `json:"software_statement"`
		RedirectURI       string `json:"redirect_uri,omitempty"`
	}{softwareStatement, redirectURI}
	err = c.do(ctx, &call{operation: "registerClient", method: http.MethodPost, path: "/o/client/register", json: in, open: true}, &r)
	return r, err
}

// AccessToken is what the token endpoint issues.
type AccessToken struct {
	ID        string `json:"id"` // for tracking, no secret
	Token     string `json:"access_token"`
	CreatedAt Time   `json:"created_at"`
	ExpiresIn int64  `json:"expires_in"` // seconds
}

// FetchAccessToken gets a new access token, which the Client uses from then on.
// Calls do that by themselves; this is for those who want to look at it.
// httpfront/openapi.yaml#createAccessToken
func (c *Client) FetchAccessToken(ctx context.Context) (AccessToken, error) {
	began := c.options.Now()
	t, err := c.grant(ctx)
	if err == nil {
		c.access.set(t.Token, began, t.life())
	}
	return t, err
}

// ErrNoCredentials says that a call needs an access token and the Client has
// neither one nor credentials to fetch it.
var ErrNoCredentials = errors.New("no access token and no client credentials")

func (c *Client) grant(ctx context.Context) (t AccessToken, err error) {
	k := c.options.Credentials
	if k.ClientID == "" {
		return t, ErrNoCredentials
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {k.ClientID}, "client_secret": {k.ClientSecret}}
	err = c.do(ctx, &call{operation: "createAccessToken", method: http.MethodPost, path: "/o/client/token", form: form, open: true, repeatable: true}, &t)
	return t, err
}

func (t *AccessToken) life() time.Duration { return time.Duration(t.ExpiresIn) * time.Second }

// AccessToken is the token that calls carry now, fetched if there is none that is
// good.
func (c *Client) AccessToken(ctx context.Context) (string, error) {
	if c.options.AccessToken != "" {
		return c.options.AccessToken, nil
	}
	return c.access.get(ctx, c.options.Now, func(ctx context.Context) (string, time.Duration, error) {
		t, err := c.grant(ctx)
		return t.Token, t.life(), err
	})
}

// KeySet is the public keys of a realm as a JSON Web Key Set (RFC 7517), with which
// media tokens and RS256 tokens are verified. Worth keeping for some minutes.
// httpfront/openapi.yaml#readKeySet
func (c *Client) KeySet(ctx context.Context, realm string) (keys json.RawMessage, err error) {
	path := "/.well-known/" + url.PathEscape(realm) + "/jwks.json"
	err = c.do(ctx, &call{operation: "readKeySet", method: http.MethodGet, path: path, open: true, repeatable: true}, &keys)
	return keys, err
}
