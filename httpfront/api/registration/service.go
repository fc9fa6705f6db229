package registration

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"ssod/httpfront/config"
	"ssod/httpfront/token/keys"
)

// Store is the replicated tables that statements and revocations are kept in.
type Store interface {
	// All yields the records of a table. They must not be changed.
	All(table string) iter.Seq2[string, []byte]
	// Change writes and deletes records, all or none. It is durable when it
	// returns nil.
	Change(ctx context.Context, table string, puts map[string][]byte, deletes []string) error
	// Watch calls f after each change of the table, by any node.
	Watch(table string, f func()) (stop func())
}

// Keys is what the service needs of the key ring.
type Keys interface {
	SignStatement(claims []byte, now time.Time) (string, error)
	VerifyStatement(token []byte, now time.Time) ([]byte, error)
	SignAccess(client, scopes string, now time.Time) (keys.Signed, error)
	ClientVersion(now time.Time) (string, error)
	ClientVersionLive(version string) bool
	ClientSecret(version, client string) (string, bool)
}

// Options is what a [Service] needs.
type Options struct {
	Store    Store
	Keys     Keys
	Settings func() *config.Config
	// CatchUp waits until the tables here have what was acknowledged anywhere
	// before it was called; nil: they always have.
	CatchUp func(context.Context) error
	Now     func() time.Time // nil means time.Now
	Log     *slog.Logger     // nil means slog.Default
}

// Service registers clients and judges them. It is safe for concurrent use.
type Service struct {
	store    Store
	keys     Keys
	settings func() *config.Config
	catchUp  func(context.Context) error
	now      func() time.Time
	log      *slog.Logger

	version  atomic.Uint64 // counts changes of the tables
	current  atomic.Pointer[view]
	building sync.Mutex // held to make a view
	changing sync.Mutex // held to change a table
	unwatch  []func()
}

// Open returns the service of what is stored.
func Open(o Options) (*Service, error) {
	s := &Service{store: o.Store, keys: o.Keys, settings: o.Settings, catchUp: o.CatchUp, now: o.Now, log: o.Log}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	first, err := s.build()
	if err != nil {
		return nil, fmt.Errorf("open the software statements: %w", err)
	}
	s.current.Store(first)
	for _, table := range []string{statementsTable, revokedStatementsTable, revokedClientsTable} {
		s.unwatch = append(s.unwatch, s.store.Watch(table, func() { s.version.Add(1) }))
	}
	s.version.Add(1) // what changed before the watch began
	return s, nil
}

// Close ends the service's interest in the tables.
func (s *Service) Close() {
	for _, stop := range s.unwatch {
		stop()
	}
}

// Judge decides whether the client of a verified access token may still call
// the API, and on the strength of which statement; [ErrRevoked] if not,
// [ErrBehind] if this node cannot know. Every call is judged, so it does not
// allocate.
func (s *Service) Judge(access keys.AccessClaims) (*Statement, error) {
	id, ok := parseClientID(access.Client)
	if !ok || !s.keys.ClientVersionLive(id.version) {
		return nil, ErrRevoked
	}
	v, err := s.viewOf(id.statement)
	if err != nil {
		return nil, err
	}
	statement := v.statements[id.statement]
	if v.clients[access.Client] || statement == nil {
		return nil, ErrRevoked
	}
	return statement, nil
}
