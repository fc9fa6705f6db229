package oidc

import (
	"cmp"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"ssod/cluster/secretfile"
	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
	"ssod/httpfront/mvpd/pdp"
	"ssod/httpfront/token/jose"
)

// Kind is the kind of these providers in the configuration.
const Kind = "oidc"

// Options is what connectors need of the service around them.
type Options struct {
	Now func() time.Time // nil means time.Now
	Log *slog.Logger     // nil means slog.Default
}

// Maker makes connectors.
func Maker(o Options) mvpd.Maker {
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Log = cmp.Or(o.Log, slog.Default())
	return func(_ *config.Config, _ *config.Realm, m *config.MVPD) (mvpd.Connector, error) {
		client, err := mvpd.NewClient(m.CAFile)
		if err != nil {
			return nil, err
		}
		decider, err := pdp.New(m, pdp.Options{Issuer: m.ClientID, Now: o.Now, Log: o.Log})
		if err != nil {
			return nil, err
		}
		c := &Connector{
			config: m, client: client, once: mvpd.WithoutReuse(client), log: o.Log, claims: mapping(m.Attributes),
			discovery: newDiscovery(m, client, o), Decider: decider,
		}
		if m.ResponseMode == config.ResponseFormPost {
			return posting{c}, nil
		}
		return c, nil
	}
}

// Connector is one provider.
type Connector struct {
	mvpd.Decider
	config    *config.MVPD
	client    *http.Client
	once      *http.Client // for requests that must not be sent twice
	log       *slog.Logger
	claims    mapping
	discovery *discovery
}

// Begin implements [mvpd.Connector].
func (c *Connector) Begin(ctx context.Context, l mvpd.Login) (mvpd.Step, error) {
	p, err := c.discovery.get(ctx)
	if err != nil {
		return mvpd.Step{}, unavailable(err)
	}
	return c.begin(p, l), nil
}

// begin is the authorization request; OpenID Connect Core, 3.1.2.1.
func (c *Connector) begin(p *provider, l mvpd.Login) mvpd.Step {
	options := []oauth2.AuthCodeOption{oidc.Nonce(l.Nonce), oauth2.S256ChallengeOption(l.Verifier)}
	if c.config.ResponseMode == config.ResponseFormPost {
		options = append(options, oauth2.SetAuthURLParam("response_mode", config.ResponseFormPost))
	}
	if c.KeepsTokens() {
		options = append(options, oauth2.SetAuthURLParam("prompt", "consent")) // OpenID Connect Core, 11
	}
	return mvpd.Step{URL: c.oauth(p, l, "").AuthCodeURL(l.State, options...)}
}

// oauth is the client of a login.
func (c *Connector) oauth(p *provider, l mvpd.Login, secret string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: c.config.ClientID, ClientSecret: secret, RedirectURL: l.Callback,
		Scopes:   append([]string{oidc.ScopeOpenID}, slices.DeleteFunc(slices.Clone(c.config.Scopes), isOpenID)...),
		Endpoint: oauth2.Endpoint{AuthURL: p.AuthURL, TokenURL: p.TokenURL, AuthStyle: p.style},
	}
}

func isOpenID(scope string) bool { return scope == oidc.ScopeOpenID }

// Complete implements [mvpd.Connector].
func (c *Connector) Complete(ctx context.Context, l mvpd.Login, values url.Values) (mvpd.Identity, error) {
	p, err := c.discovery.get(ctx)
	if err != nil {
		return mvpd.Identity{}, unavailable(err)
	}
	if issuer := values.Get("iss"); issuer != c.config.Issuer && (issuer != "" || p.NamesItself) {
		return mvpd.Identity{}, invalid(otherIssuer) // RFC 9207
	}
	if code := values.Get("error"); code != "" {
		return mvpd.Identity{}, &mvpd.LoginError{Code: known(code)}
	}
	ctx = oidc.ClientContext(ctx, c.once)
	token, err := c.exchange(ctx, p, l, values.Get("code"))
	if err != nil {
		return mvpd.Identity{}, err
	}
	claims, err := c.verify(ctx, p, l, token)
	if err != nil {
		return mvpd.Identity{}, fmt.Errorf("ID token: %w", err)
	}
	kept := c.keepTokens(token, claims)
	if p.UserinfoURL != "" && c.claims.missing(claims) {
		if err := c.addUserinfo(ctx, p, token, claims); err != nil {
			return mvpd.Identity{}, fmt.Errorf("userinfo: %w", err)
		}
	}
	who, err := c.claims.identity(claims)
	claims.markSession(&who)
	who.Tokens = kept
	return who, err
}

// exchange gets the tokens for a code.
func (c *Connector) exchange(ctx context.Context, p *provider, l mvpd.Login, code string) (*oauth2.Token, error) {
	if code == "" {
		return nil, invalid("no code")
	}
	secret, err := c.secret()
	if err != nil {
		return nil, err
	}
	token, err := c.oauth(p, l, secret).Exchange(ctx, code, oauth2.VerifierOption(l.Verifier))
	return token, refusal(err)
}

// secret is the client's, as the file has it now; "" for a public client.
func (c *Connector) secret() (string, error) {
	if c.config.ClientSecretFile == "" {
		return "", nil
	}
	content, err := secretfile.Read(c.config.ClientSecretFile)
	return strings.TrimSpace(string(content)), err
}

// verify judges the ID token; OpenID Connect Core, 3.1.3.7. It is read as strictly as
// every other token (package jose) before go-oidc sees it.
func (c *Connector) verify(ctx context.Context, p *provider, l mvpd.Login, token *oauth2.Token) (claims, error) {
	raw, _ := token.Extra("id_token").(string)
	strict, ok := jose.ParseSigned([]byte(raw))
	if _, object := jose.ParseClaims(strict.Payload); !ok || !object {
		return nil, errUnreadable
	}
	id, err := p.verifier.Verify(ctx, raw)
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(l.Nonce)) != 1 {
		return nil, errors.New("it has another nonce")
	}
	if id.AccessTokenHash != "" {
		if err := id.VerifyAccessToken(token.AccessToken); err != nil {
			return nil, err
		}
	}
	var all claims
	if err := id.Claims(&all); err != nil {
		return nil, err
	}
	if party, ok := all.text("azp"); ok && party != c.config.ClientID || !ok && len(id.Audience) > 1 {
		return nil, errors.New("it was issued to another party")
	}
	return all, nil
}

// Logout implements [mvpd.Connector]: OpenID Connect RP-Initiated Logout 1.0. The
// state goes in a parameter of its own, since providers compare the rest of the
// return address with what was registered.
func (c *Connector) Logout(ctx context.Context, l mvpd.Logout) (mvpd.Step, error) {
	p, err := c.discovery.get(ctx)
	if err != nil || p.LogoutURL == "" {
		return mvpd.Step{}, nil // the login here ends all the same
	}
	to, err := url.Parse(p.LogoutURL)
	if err != nil {
		return mvpd.Step{}, err
	}
	back, err := url.Parse(l.Return)
	if err != nil {
		return mvpd.Step{}, err
	}
	state := back.Query().Get("state")
	back.RawQuery = ""
	q := to.Query()
	q.Set("client_id", c.config.ClientID)
	q.Set("post_logout_redirect_uri", back.String())
	q.Set("state", state)
	to.RawQuery = q.Encode()
	return mvpd.Step{URL: to.String()}, nil
}
