package sso

import (
	"context"
	"log/slog"
	"time"

	"ssod/actors/linkdirectory"
	"ssod/actors/linking"
	"ssod/actors/profile"
	"ssod/cluster"
	"ssod/httpfront/api"
	"ssod/httpfront/api/headers"
	"ssod/httpfront/config"
	"ssod/httpfront/token/keys"
)

// Tokens makes and verifies tokens; [keys.Ring] does.
type Tokens interface {
	headers.AccessTokens
	VerifyService(realm *config.Realm, token []byte, now time.Time, purpose keys.Purpose) (keys.ServiceClaims, error)
	VerifySSOID(realm *config.Realm, value []byte, now time.Time) (namespace, subject string, err error)
	AwaitService(ctx context.Context, realm *config.Realm) error
	SignService(realm *config.Realm, m keys.Member, now time.Time) (keys.Signed, error)
	AuditKey(realm string) []byte
}

// Profiles asks profiles; [profile.Client] does.
type Profiles interface {
	Mint(ctx context.Context, request cluster.RequestID, id profile.ID, m *profile.Mint) (membership int64, err error)
	Refresh(ctx context.Context, request cluster.RequestID, id profile.ID, caller *profile.Caller) error
	List(ctx context.Context, request cluster.RequestID, id profile.ID, caller *profile.Caller) ([]*profile.Member, error)
}

// Links makes, redeems and gives up link codes; [linking.Client] does.
type Links interface {
	Link(ctx context.Context, request cluster.RequestID, id profile.ID, w linking.Wanted) (linking.Code, error)
	Redeem(ctx context.Context, request cluster.RequestID, realm string, g linkdirectory.Guess, join *profile.Redeem) (linking.Joined, error)
	ReadCode(ctx context.Context, request cluster.RequestID, id profile.ID, caller *profile.Caller, typed string) (*profile.CodeReply, error)
	Confirm(ctx context.Context, request cluster.RequestID, id profile.ID, caller *profile.Caller, typed string, join bool) (*profile.CodeReply, error)
	Unlink(ctx context.Context, request cluster.RequestID, id profile.ID, m *profile.Unlink) (removed []int32, err error)
}

// Service is the SSO Service. It has no state of its own.
type Service struct {
	Tokens   Tokens
	Clients  headers.Clients
	Profiles Profiles
	Links    Links
	// Metrics may be nil.
	Metrics *Metrics
	// Log gets the audit lines; nil means slog.Default.
	Log *slog.Logger
}

func (s *Service) log() *slog.Logger {
	if s.Log == nil {
		return slog.Default()
	}
	return s.Log
}

// admitted is an operation on a request that may use the realm.
type admitted func(ctx context.Context, r *api.Request, c client) (api.Response, error)

// client is the application that calls.
type client struct {
	statement string
	mayAssert bool // it is believed who its viewer is
}

// Mint serves POST /api/{serviceProvider}/serviceToken.
func (s *Service) Mint(ctx context.Context, r *api.Request) (api.Response, error) {
	return s.admit(ctx, r, s.mint)
}

// Refresh serves GET /api/{serviceProvider}/serviceToken.
func (s *Service) Refresh(ctx context.Context, r *api.Request) (api.Response, error) {
	return s.admit(ctx, r, s.refresh)
}

// Link serves POST /api/{serviceProvider}/link.
func (s *Service) Link(ctx context.Context, r *api.Request) (api.Response, error) {
	return s.admit(ctx, r, s.link)
}

// ReadLink serves GET /api/{serviceProvider}/link/{code}.
func (s *Service) ReadLink(ctx context.Context, r *api.Request) (api.Response, error) {
	return s.admit(ctx, r, s.readLink)
}

// ConfirmLink serves POST /api/{serviceProvider}/link/{code}.
func (s *Service) ConfirmLink(ctx context.Context, r *api.Request) (api.Response, error) {
	return s.admit(ctx, r, s.confirmLink)
}

// Unlink serves POST /api/{serviceProvider}/unlink.
func (s *Service) Unlink(ctx context.Context, r *api.Request) (api.Response, error) {
	return s.admit(ctx, r, s.unlink)
}

// List serves GET /api/{serviceProvider}/list.
func (s *Service) List(ctx context.Context, r *api.Request) (api.Response, error) {
	return s.admit(ctx, r, s.list)
}
