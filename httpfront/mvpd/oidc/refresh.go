package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"slices"
	"sync/atomic"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"ssod/httpfront/mvpd"
)

// tokens are what is kept of a login to ask the userinfo endpoint later.
type tokens struct {
	Refresh string          `json:"refresh_token"`
	Subject json.RawMessage `json:"sub"`
	// Claims are those of the ID token that become attributes. The userinfo endpoint may
	// not have them.
	Claims claims `json:"claims,omitempty"`
}

// KeepsTokens implements [mvpd.Refresher]: OpenID Connect Core, 11.
func (c *Connector) KeepsTokens() bool {
	return slices.Contains(c.config.Scopes, oidc.ScopeOfflineAccess)
}

// keepTokens are the tokens of a login with an ID token; nil when there are none to keep.
func (c *Connector) keepTokens(token *oauth2.Token, all claims) []byte {
	if !c.KeepsTokens() || token.RefreshToken == "" {
		return nil
	}
	kept, err := c.encode(tokens{token.RefreshToken, all["sub"], c.claims.pick(all)})
	if err != nil {
		c.log.Warn("the tokens of a login are not kept", "mvpd", c.config.ID, "error", err)
	}
	return kept
}

func (*Connector) encode(t tokens) ([]byte, error) {
	encoded, err := json.Marshal(t)
	if err == nil && len(encoded) > mvpd.MaxTokens {
		return nil, fmt.Errorf("they have %d bytes, more than %d", len(encoded), mvpd.MaxTokens)
	}
	return encoded, err
}

// pick are the claims of attributes, under the names that the mapping has for them.
func (m mapping) pick(c claims) claims {
	picked := claims{}
	for _, name := range m {
		if value := c.find(name); value != nil {
			picked[name] = value
		}
	}
	return picked
}

// Refresh implements [mvpd.Refresher]: OpenID Connect Core, 12. The ID token that may come
// with the answer is not looked at: nobody has logged in.
func (c *Connector) Refresh(ctx context.Context, kept []byte) (mvpd.Refreshed, error) {
	var t tokens
	if err := json.Unmarshal(kept, &t); err != nil || t.Refresh == "" {
		return mvpd.Refreshed{}, errors.New("the tokens of a login are not those of an OpenID provider")
	}
	p, err := c.discovery.get(ctx)
	if err != nil {
		return mvpd.Refreshed{}, unused(err)
	}
	token, err := c.renew(ctx, p, t.Refresh)
	if err != nil {
		return mvpd.Refreshed{}, err
	}
	t.Refresh = token.RefreshToken // the old one when there is no new one
	next, err := c.encode(t)
	if err != nil {
		return mvpd.Refreshed{}, fmt.Errorf("new tokens of a login: %w", err)
	}
	attributes, err := c.told(ctx, p, token, t)
	return mvpd.Refreshed{Tokens: next, Attributes: attributes}, err
}

// told is what the userinfo endpoint says; the claims of the ID token stand for what it
// does not.
func (c *Connector) told(ctx context.Context, p *provider, token *oauth2.Token, t tokens) ([]mvpd.Attribute, error) {
	all := claims{"sub": t.Subject}
	if p.UserinfoURL != "" {
		if err := c.addUserinfo(ctx, p, token, all); err != nil {
			return nil, fmt.Errorf("userinfo: %w", err)
		}
	}
	for name, value := range t.Claims {
		if all.find(name) == nil {
			all[name] = value
		}
	}
	return c.claims.attributes(all), nil
}

func unused(err error) error { return fmt.Errorf("%w: %w", mvpd.ErrTokensUnused, err) }

// renew gets new tokens for a refresh token; RFC 6749, 6. A request that reached no
// connection was not sent, and one that was answered otherwise than with tokens or
// invalid_grant was not carried out.
func (c *Connector) renew(ctx context.Context, p *provider, refresh string) (*oauth2.Token, error) {
	secret, err := c.secret()
	if err != nil {
		return nil, unused(err)
	}
	var sent atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent.Store(true) }})
	ctx = oidc.ClientContext(ctx, c.once)
	token, err := c.oauth(p, mvpd.Login{}, secret).TokenSource(ctx, &oauth2.Token{RefreshToken: refresh}).Token()
	said, answered := errors.AsType[*oauth2.RetrieveError](err)
	switch {
	case err == nil:
		return token, nil
	case answered && said.ErrorCode != "invalid_grant" && said.Response.StatusCode != http.StatusOK, !sent.Load():
		return nil, unused(refusal(err))
	}
	return nil, refusal(err)
}
