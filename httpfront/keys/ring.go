package keys

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"ssod/httpfront/config"
)

// Table is the meta table that keys are kept in.
const Table = "keys"

// Store is the replicated table of which the ring is a view.
type Store interface {
	// Records yields the records of a table, which must not be changed, and
	// tells its revision.
	Records(table string) (records iter.Seq2[string, []byte], revision uint64)
	// Update writes and deletes records of a table that has this revision, all
	// or none. It is durable when it returns nil, and fails with
	// [cluster.ErrRejected] when another node was faster: Records has its
	// change by then.
	Update(ctx context.Context, table string, revision uint64, puts map[string][]byte, deletes []string) error
	// Watch calls f after each change of the table, whoever made it.
	Watch(table string, f func()) (stop func())
}

// Options is what a [Ring] needs.
type Options struct {
	Store Store
	// SealingKey is the cluster's key of [SealingKeySize] bytes, kept in a file
	// beside the store: whoever has only the store or its backup has no key.
	SealingKey []byte
	// Settings returns the current configuration, the same pointer until it
	// is reloaded.
	Settings func() *config.Config
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Confirmed is the time that has certainly passed, by which keys are
	// forgotten: a clock that leaps destroys none. nil means Now.
	Confirmed func() time.Time
	// Log gets what went wrong in the background; nil means slog.Default.
	Log *slog.Logger
	// CacheTokens bounds the verified tokens that are remembered, separately
	// for service and access tokens. Each takes up to 1 KB. 0 means 65536.
	CacheTokens int
	// HTTP fetches the key sets of external issuers; nil means a client that
	// follows no redirects.
	HTTP *http.Client
}

// Ring holds the keys of the cluster and makes and verifies all tokens. It is
// safe for concurrent use.
type Ring struct {
	store    Store
	sealer   *sealer
	settings func() *config.Config
	now      func() time.Time
	passed   func() time.Time
	log      *slog.Logger

	version  atomic.Uint64 // counts changes of the table
	epochs   atomic.Uint64 // counts snapshots
	current  atomic.Pointer[snapshot]
	building sync.Mutex // held to make a snapshot
	changing sync.Mutex // held to change the table, before building; other nodes do so too
	unwatch  func()

	issuers  *issuers
	services *cache[ServiceClaims]
	accesses *cache[AccessClaims]
}

// Open returns the ring of the stored keys, after it has made those that are
// missing. It fails with [ErrSealed] when a stored key does not open.
func Open(ctx context.Context, o Options) (*Ring, error) {
	sealer, err := newSealer(o.SealingKey)
	if err != nil {
		return nil, err
	}
	r := &Ring{store: o.Store, sealer: sealer, settings: o.Settings, now: o.Now, passed: o.Confirmed, log: o.Log}
	if r.now == nil {
		r.now = time.Now
	}
	if r.passed == nil {
		r.passed = r.now
	}
	if r.log == nil {
		r.log = slog.Default()
	}
	size := o.CacheTokens
	if size == 0 {
		size = 1 << 16
	}
	r.services, r.accesses = newCache[ServiceClaims](size), newCache[AccessClaims](size)
	r.issuers = newIssuers(o.HTTP, r.now, r.log)
	first, err := r.build(nil)
	if err != nil {
		return nil, fmt.Errorf("open the keys: %w", err)
	}
	r.current.Store(first)
	r.unwatch = r.store.Watch(Table, func() { r.version.Add(1) })
	r.version.Add(1) // what changed before the watch began
	if err := r.Sync(ctx, o.Settings()); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// Close ends the ring's work in the background. The ring still verifies.
func (r *Ring) Close() {
	r.unwatch()
	r.issuers.close()
}

// LinkCodeKey is the key under which a realm's link codes are derived and
// stored; nil for a realm that is not configured. It must not be changed.
func (r *Ring) LinkCodeKey(realm string) []byte {
	s := r.snapshot().groups[groupID{LinkCode, realm}].oldest()
	if s == nil {
		return nil
	}
	return s.oct
}
