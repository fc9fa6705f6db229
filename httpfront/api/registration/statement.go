package registration

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"unicode"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"ssod/httpfront/config"
)

// scopeAPI is the only scope there is.
const scopeAPI = "api:client:v2"

// How much is kept. Every node has all of it in memory.
const (
	maxStatements     = 10_000
	maxRevokedClients = 200_000
	maxListed         = 100 // entries of one list of a statement
	maxText           = 256 // bytes of one text of a statement
)

// StatementRequest is what an operator asks for (cmd/ssod/docs/operating.md#admin-api).
type StatementRequest struct {
	ClientName       string   `json:"clientName"`
	ClientURI        string   `json:"clientUri"`
	ServiceProviders []string `json:"serviceProviders"`
	Scopes           []string `json:"scopes"`       // nil means api:client:v2
	RedirectURIs     []string `json:"redirectUris"` // empty: a client may name any
	Platforms        []string `json:"platforms"`
	GrantTypes       []string `json:"grantTypes"` // nil means client_credentials
	// MayAssertIdentity is whether clients may assert who their viewer is; nil means
	// true. A statement that is shipped inside an app is public, so its clients should
	// not, if viewers are known by signed identifiers or codes.
	MayAssertIdentity *bool `json:"mayAssertIdentity"`
}

// CreatedStatement is the answer: the signed statement for the application's
// developers, and the id to revoke it by.
type CreatedStatement struct {
	SoftwareStatement string `json:"softwareStatement"`
	ID                string `json:"id"`
}

// statementClaims are the claims of a software statement
// (httpfront/docs/registration.md#software-statements).
type statementClaims struct {
	Issuer           string   `json:"iss"`
	IssuedAt         int64    `json:"iat"`
	ID               string   `json:"jti"`
	SoftwareID       string   `json:"software_id"`
	ClientName       string   `json:"client_name"`
	ClientURI        string   `json:"client_uri"`
	ServiceProviders []string `json:"service_providers"`
	Scopes           []string `json:"scopes"`
	RedirectURIs     []string `json:"redirect_uris"`
	Platforms        []string `json:"platforms"`
	GrantTypes       []string `json:"grant_types"`
	// MayAssertIdentity is for the application's developers; what is kept decides.
	MayAssertIdentity bool `json:"may_assert_identity"`
}

// CreateStatement makes a software statement and keeps it. It fails with
// [ErrInput] or [ErrFull].
func (s *Service) CreateStatement(ctx context.Context, r StatementRequest) (CreatedStatement, error) {
	if err := s.check(&r); err != nil {
		return CreatedStatement{}, err
	}
	s.changing.Lock()
	defer s.changing.Unlock()
	if v := s.view(); len(v.statements)+len(v.revoked) >= maxStatements {
		return CreatedStatement{}, fmt.Errorf("%d software statements: %w", maxStatements, ErrFull)
	}
	id, now := newID(), s.now()
	record := &StatementRecord{
		ClientName: r.ClientName, ClientUri: r.ClientURI, ServiceProviders: r.ServiceProviders, Scopes: r.Scopes,
		RedirectUris: r.RedirectURIs, Platforms: r.Platforms, GrantTypes: r.GrantTypes,
		CreatedMs: now.UnixMilli(), SoftwareId: newUUID(),
		MayNotAssertIdentity: r.MayAssertIdentity != nil && !*r.MayAssertIdentity,
	}
	claims, err := json.Marshal(statementClaims{
		Issuer: s.settings().Issuer, IssuedAt: now.Unix(), ID: id, SoftwareID: record.SoftwareId,
		ClientName: r.ClientName, ClientURI: r.ClientURI, ServiceProviders: r.ServiceProviders, Scopes: r.Scopes,
		RedirectURIs: listed(r.RedirectURIs), Platforms: listed(r.Platforms), GrantTypes: r.GrantTypes,
		MayAssertIdentity: !record.MayNotAssertIdentity,
	})
	if err != nil {
		return CreatedStatement{}, fmt.Errorf("encode statement %s: %w", id, err)
	}
	token, err := s.keys.SignStatement(claims, now)
	if err != nil {
		return CreatedStatement{}, err
	}
	if err := s.put(ctx, statementsTable, id, record); err != nil {
		return CreatedStatement{}, err
	}
	return CreatedStatement{SoftwareStatement: token, ID: id}, nil
}

// put writes one record; the service knows of it when put returns.
func (s *Service) put(ctx context.Context, table, id string, record proto.Message) error {
	raw, err := proto.Marshal(record)
	if err != nil {
		return fmt.Errorf("encode a record of %s: %w", table, err)
	}
	if err := s.store.Change(ctx, table, map[string][]byte{id: raw}, nil); err != nil {
		return fmt.Errorf("put a record in %s: %w", table, err)
	}
	s.version.Add(1)
	return nil
}

// check completes a request and finds what is wrong with it.
func (s *Service) check(r *StatementRequest) error {
	if r.Scopes == nil {
		r.Scopes = []string{scopeAPI}
	}
	if r.GrantTypes == nil {
		r.GrantTypes = []string{grantClientCredentials}
	}
	if len(r.ServiceProviders) == 0 {
		return fmt.Errorf("%w: serviceProviders is empty", ErrInput)
	}
	for _, id := range r.ServiceProviders {
		if !configured(s.settings(), id) {
			return fmt.Errorf("%w: service provider %q is not configured", ErrInput, id)
		}
	}
	for _, scope := range r.Scopes {
		if scope != scopeAPI {
			return fmt.Errorf("%w: unknown scope %q", ErrInput, scope)
		}
	}
	for _, uri := range r.RedirectURIs {
		if !validRedirect(uri) {
			return fmt.Errorf("%w: redirect URI %q: want https or an app's own scheme, without a fragment", ErrInput, uri)
		}
	}
	return r.checkTexts()
}

func configured(cfg *config.Config, serviceProvider string) bool {
	for _, realm := range cfg.Realms {
		for _, sp := range realm.ServiceProviders {
			if sp.ID == serviceProvider {
				return true
			}
		}
	}
	return false
}

// checkTexts bounds what is kept for ever.
func (r *StatementRequest) checkTexts() error {
	texts := []string{r.ClientName, r.ClientURI}
	for _, list := range [][]string{r.ServiceProviders, r.Scopes, r.RedirectURIs, r.Platforms, r.GrantTypes} {
		if len(list) > maxListed {
			return fmt.Errorf("%w: a list has more than %d entries", ErrInput, maxListed)
		}
		texts = append(texts, list...)
	}
	for _, text := range texts {
		if len(text) > maxText || !utf8.ValidString(text) || slices.ContainsFunc([]rune(text), unicode.IsControl) {
			return fmt.Errorf("%w: %.40q... is longer than %d bytes or not plain text", ErrInput, text, maxText)
		}
	}
	return nil
}

// RevokeStatement ends a statement and with it every client that registered
// with it. It fails with [ErrUnknown].
//
// Repeating it writes the same again: when it succeeds, the revocation is in force on every
// node, even if the first call failed to say so.
func (s *Service) RevokeStatement(ctx context.Context, id string) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	if v := s.view(); v.statements[id] == nil && !v.revoked[id] {
		return fmt.Errorf("statement: %w", ErrUnknown)
	}
	return s.revoke(ctx, revokedStatementsTable, id)
}

func (s *Service) revoke(ctx context.Context, table, id string) error {
	return s.put(ctx, table, id, &RevokedRecord{RevokedMs: s.now().UnixMilli()})
}

// RevokeClient ends one client. It may be repeated, as RevokeStatement may. It
// fails with [ErrUnknown] when the id cannot be that of a client, or with
// [ErrFull].
func (s *Service) RevokeClient(ctx context.Context, client string) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	v := s.view()
	id, ok := parseClientID(client)
	if !ok || v.statements[id.statement] == nil && !v.revoked[id.statement] {
		return fmt.Errorf("client: %w", ErrUnknown)
	}
	switch {
	case v.revoked[id.statement]:
		return s.revoke(ctx, revokedStatementsTable, id.statement)
	case !v.clients[client] && len(v.clients) >= maxRevokedClients:
		return fmt.Errorf("%d revoked clients: %w", maxRevokedClients, ErrFull)
	}
	return s.revoke(ctx, revokedClientsTable, client)
}
