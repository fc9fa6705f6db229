package entitlement

import (
	"context"
	"iter"
	"log/slog"
	"math"
	"sync"
	"time"

	"ssod/actors/answer"
	"ssod/actors/device"
	"ssod/actors/event"
	"ssod/actors/grant"
	"ssod/actors/login"
	"ssod/actors/logout"
	"ssod/actors/once"
	"ssod/actors/profile"
	"ssod/actors/session"
	"ssod/actors/upstream"
	"ssod/cluster"
	"ssod/httpfront/api/headers"
	"ssod/httpfront/config"
	"ssod/httpfront/degradation"
	"ssod/httpfront/mvpd"
	"ssod/httpfront/token/keys"
	"ssod/httpfront/token/media"
	"ssod/httpfront/token/platform"
	"ssod/httpfront/usermeta"
)

// Tokens verifies tokens, and has the keys of realms; [keys.Ring] does.
type Tokens interface {
	headers.AccessTokens
	VerifyService(realm *config.Realm, token []byte, now time.Time, purpose keys.Purpose) (keys.ServiceClaims, error)
	LinkCodeKey(realm string) []byte
	AuditKey(realm string) []byte
}

// Sessions asks authentication sessions; [session.Client] does.
type Sessions interface {
	Create(ctx context.Context, request cluster.RequestID, id session.ID, m *session.Create) (*session.CreateReply, error)
	Amend(ctx context.Context, request cluster.RequestID, id session.ID, p *session.Parameters) (*session.View, error)
	Read(ctx context.Context, request cluster.RequestID, id session.ID) (*session.View, error)
	Open(ctx context.Context, request cluster.RequestID, id session.ID, m *session.Open) (*session.OpenReply, error)
	Finish(ctx context.Context, request cluster.RequestID, id session.ID, m *session.Finish) error
	Decline(ctx context.Context, request cluster.RequestID, id session.ID) error
}

// Devices asks devices; [device.Client] does.
type Devices interface {
	Begin(ctx context.Context, request cluster.RequestID, id device.ID, m *device.Begin) error
	Logins(ctx context.Context, request cluster.RequestID, id device.ID) ([]*login.Login, error)
	Leave(ctx context.Context, request cluster.RequestID, id device.ID, m *device.Leave) error
	Invalidate(ctx context.Context, request cluster.RequestID, id device.ID, l *login.Login) error
}

// Profiles asks profiles; [profile.Client] does.
type Profiles interface {
	Logins(ctx context.Context, request cluster.RequestID, id profile.ID, caller *profile.Caller) ([]*login.Login, error)
	See(ctx context.Context, request cluster.RequestID, id profile.ID, caller *profile.Caller) error
	Invalidate(ctx context.Context, request cluster.RequestID, id profile.ID, l *login.Login) error
}

// Logouts asks logout agent URLs; [logout.Client] does.
type Logouts interface {
	Create(ctx context.Context, request cluster.RequestID, id logout.ID, m *logout.Create) error
	Take(ctx context.Context, request cluster.RequestID, id logout.ID) (mvpd string, account []byte, err error)
	Back(ctx context.Context, request cluster.RequestID, id logout.ID) (redirectURL string, err error)
}

// Grants asks for the tokens of logins; [grant.Client] does.
type Grants interface {
	Take(ctx context.Context, request cluster.RequestID, id grant.ID, lease []byte) (*grant.TakeReply, error)
	Put(ctx context.Context, request cluster.RequestID, id grant.ID, m *grant.Put) (kept bool, err error)
	Release(ctx context.Context, request cluster.RequestID, id grant.ID, m *grant.Release) error
	Lose(ctx context.Context, request cluster.RequestID, id grant.ID, lease []byte) error
	Drop(ctx context.Context, request cluster.RequestID, id grant.ID) error
}

// Answers keeps posted answers for their browsers; [answer.Client] does.
type Answers interface {
	Store(ctx context.Context, request cluster.RequestID, id answer.ID, state, values string) error
	Take(ctx context.Context, request cluster.RequestID, id answer.ID, state string, browser []byte) (values string, err error)
}

// Onces claims ids that count once; [once.Client] does.
type Onces interface {
	Claim(ctx context.Context, request cluster.RequestID, id once.ID, until time.Time) error
}

// Upstreams ends the logins of a subject or session at an MVPD; [upstream.Client] does.
type Upstreams interface {
	End(ctx context.Context, request cluster.RequestID, id upstream.ID, issued, heard time.Time) (ended int, err error)
}

// Providers finds TV providers; [mvpd.Registry] does.
type Providers interface {
	Find(cfg *config.Config, realm *config.Realm, serviceProvider, id string) (*mvpd.Provider, error)
	Provider(cfg *config.Config, realm *config.Realm, id string) (*mvpd.Provider, error)
	Active(cfg *config.Config, realm *config.Realm, serviceProvider string) iter.Seq[*mvpd.Provider]
}

// MediaTokens signs media tokens; [media.Signer] does.
type MediaTokens interface {
	Sign(ctx context.Context, realm string, t media.Token) (media.Signed, error)
}

// Platforms reads subject tokens; [platform.Verifier] does.
type Platforms interface {
	Identify(ctx context.Context, cfg *config.Config, realm *config.Realm, token []byte, now time.Time) (viewer platform.Identity, named bool, err error)
}

// Rules are the rules of degradation; [degradation.Rules] are.
type Rules interface {
	At(received time.Time) degradation.View
}

// Denials sum up denied decisions, for those who want to be told; [webhook.Sums] do.
type Denials interface {
	Denied(realm string, denials []event.Denial)
}

// filed are only the rules of the configuration file.
type filed struct{}

func (filed) At(time.Time) degradation.View { return degradation.View{} }

// Options is what a [Service] needs.
type Options struct {
	Tokens    Tokens
	Clients   headers.Clients
	Sessions  Sessions
	Devices   Devices
	Profiles  Profiles
	Logouts   Logouts
	Answers   Answers
	Onces     Onces
	Upstreams Upstreams
	Grants    Grants
	Trials    Trials
	Providers Providers
	Media     MediaTokens
	Platforms Platforms
	// Rules are those set at run time; nil: those of the configuration file are all.
	Rules Rules
	// Level is the format level of the cluster; nil means that it is the newest.
	Level func() int
	// PermitBytes bounds the memory in which permits are remembered; 0 means
	// 16 MiB, which is room for 131,072. With less, MVPDs are asked more often.
	PermitBytes int
	// Denials may be nil: nobody is told.
	Denials Denials
	// Metrics may be nil.
	Metrics *Metrics
	// Log gets what goes wrong at TV providers, and the audit lines; nil means
	// slog.Default.
	Log *slog.Logger
}

// Service is the entitlement API. It is safe for concurrent use.
type Service struct {
	Options
	permits *permits
	guesses *guesses
	sealer  usermeta.Sealer
	uses    sync.WaitGroup // of the tokens of logins
}

// New returns a service.
func New(o Options) *Service {
	if o.PermitBytes == 0 {
		o.PermitBytes = 16 << 20
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Level == nil {
		o.Level = func() int { return math.MaxInt }
	}
	if o.Rules == nil {
		o.Rules = filed{}
	}
	return &Service{Options: o, permits: newPermits(o.PermitBytes), guesses: newGuesses(maxGuessers)}
}
