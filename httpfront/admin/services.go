package admin

import (
	"context"
	"time"

	"ssod/actors/profile"
	"ssod/cluster"
	"ssod/httpfront/config"
	"ssod/httpfront/keys"
	"ssod/httpfront/registration"
)

// Services is what the admin API acts on.
type Services struct {
	// Settings returns the configuration in use.
	Settings func() *config.Config
	// Reload reads the configuration again and returns what is now in use. It
	// fails with [ErrConfiguration] or config.ErrRestart.
	Reload        func(ctx context.Context) (*config.Config, error)
	Registration  Registration
	Keys          Keys
	Profiles      Profiles
	LinkDirectory LinkDirectory
	Shards        cluster.Shards
	// Viewer is how audit lines name a profile.
	Viewer func(id profile.ID) string
}

// Registration makes and revokes statements; [registration.Service] does.
type Registration interface {
	CreateStatement(ctx context.Context, r registration.StatementRequest) (registration.CreatedStatement, error)
	RevokeStatement(ctx context.Context, id string) error
	RevokeClient(ctx context.Context, client string) error
}

// Keys lists and changes keys; [keys.Ring] does.
type Keys interface {
	List() []keys.Info
	Rotate(ctx context.Context, o keys.Rotation) error
	Revoke(ctx context.Context, id string) error
}

// Profiles asks profiles; [profile.Client] does.
type Profiles interface {
	Show(ctx context.Context, request cluster.RequestID, id profile.ID) (*profile.State, bool, error)
	Erase(ctx context.Context, request cluster.RequestID, id profile.ID, tombstone time.Duration) (members int, freed [][]byte, err error)
}

// LinkDirectory gives up link codes; linkdirectory.Client does.
type LinkDirectory interface {
	Retire(request cluster.RequestID, realm string, hashes ...[]byte)
}
