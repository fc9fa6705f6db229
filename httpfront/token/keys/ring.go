package keys

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"ssod/httpfront/config"
	"ssod/httpfront/token/keys/sealing"
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
	// Watch calls f after each change of the table, by any node.
	Watch(table string, f func()) (stop func())
}

// Options is what a [Ring] needs.
type Options struct {
	Store Store
	// Sealing opens the keys on this node; the store alone does not.
	Sealing sealing.Options
	// Settings returns the current configuration, the same pointer until it
	// is reloaded.
	Settings func() *config.Config
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Leads reports whether this node keeps the keys ([Ring.Keep]); nil: it does.
	Leads func() bool
	// Parallel is how many keys it makes at once in the background; 0 means one
	// fewer than there are CPUs, so that requests have one, but one at least.
	Parallel int
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
	sealing  sealing.Options
	settings func() *config.Config
	now      func() time.Time
	passed   func() time.Time
	log      *slog.Logger

	leads func() bool

	version  atomic.Uint64 // counts changes of the tables
	epochs   atomic.Uint64 // counts snapshots
	current  atomic.Pointer[snapshot]
	building sync.Mutex    // held to make a snapshot
	changing chan struct{} // has room for one: whoever is changing a table; other nodes do so too
	news     news
	unwatch  []func()

	parallel                   int
	background, urgent, atOnce *pairs // for the keeper, for requests, for operators
	flights                    flights
	life                       context.Context // ends with the ring
	end                        context.CancelFunc
	work                       sync.WaitGroup // what requests began

	issuers  *issuers
	services *cache[ServiceClaims]
	accesses *cache[AccessClaims]
}

// Open returns the ring of the stored keys, after it has made those that are
// missing and that take no time, and those of the cluster. It fails with
// [ErrSealed] when a stored key does not open, and with [sealing.ErrNoCopy] while
// this node waits for another one to seal the keys to it.
func Open(ctx context.Context, o Options) (*Ring, error) {
	r := newRing(o)
	if err := r.unseal(ctx); err != nil {
		return nil, fmt.Errorf("open the keys: %w", err)
	}
	first, err := r.build(nil)
	if err != nil {
		return nil, fmt.Errorf("open the keys: %w", err)
	}
	r.current.Store(first)
	for _, table := range []string{Table, Orders} {
		r.unwatch = append(r.unwatch, r.store.Watch(table, r.changed))
	}
	r.changed() // what changed before the watch began
	adopt, err := r.Prepare(o.Settings())
	if err == nil {
		adopt()
		err = r.found(ctx)
	}
	if err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

func newRing(o Options) *Ring {
	r := &Ring{
		store: o.Store, sealing: o.Sealing, settings: o.Settings, now: o.Now, passed: o.Confirmed, log: o.Log, leads: o.Leads,
		changing: make(chan struct{}, 1), parallel: cmp.Or(o.Parallel, max(1, runtime.NumCPU()-1)),
	}
	if r.now == nil {
		r.now = time.Now
	}
	if r.passed == nil {
		r.passed = r.now
	}
	if r.log == nil {
		r.log = slog.Default()
	}
	if r.leads == nil {
		r.leads = func() bool { return true }
	}
	r.background, r.urgent, r.atOnce = newPairs(r.parallel), newPairs(1), newPairs(1)
	r.life, r.end = context.WithCancel(context.Background())
	size := cmp.Or(o.CacheTokens, 1<<16)
	r.services, r.accesses = newCache[ServiceClaims](size), newCache[AccessClaims](size)
	r.issuers = newIssuers(o.HTTP, r.now, r.log)
	return r
}

// changed notes that a table was changed.
func (r *Ring) changed() {
	r.version.Add(1)
	r.news.tell()
}

// Prepare reads what a configuration that is about to become the current one names:
// the key files of external issuers. Nothing is changed before adopt is called,
// when it is the current one. Keys that it asks for are made after that.
func (r *Ring) Prepare(cfg *config.Config) (adopt func(), err error) {
	sets, err := r.issuers.prepare(cfg)
	if err != nil {
		return nil, err
	}
	return func() {
		r.issuers.adopt(sets)
		r.warn(r.snapshot())
		r.news.tell()
	}, nil
}

// warn logs which groups cannot have the key that the configuration asks for.
func (r *Ring) warn(s *snapshot) {
	now := r.now()
	for _, want := range s.wants.all {
		g := s.groups[want.groupID]
		if newest := g.newest(); newest != nil && newest.algorithm != want.algorithm && want.use != LinkCode && g.count(now) >= want.room() {
			r.log.Warn("the configured algorithm is not used yet", "keys", want.String(), "error", ErrTooManyKeys)
		}
	}
}

// Close ends the ring's work in the background. The ring still verifies.
func (r *Ring) Close() {
	for _, unwatch := range r.unwatch {
		unwatch()
	}
	r.end()
	r.work.Wait()
	r.issuers.close()
}

// AuditKey is the key under which a viewer of the realm has a name in audit lines;
// nil for a realm that is not configured. With the next key the names are others.
func (r *Ring) AuditKey(realm string) []byte {
	s := r.snapshot().groups[groupID{Audit, realm}].signing(r.now())
	if s == nil {
		return nil
	}
	return s.oct
}

// LinkCodeKey is the key under which a realm's link codes are derived and
// hashed; nil for a realm that is not configured. It must not be changed, and another
// one takes its place when it is revoked.
func (r *Ring) LinkCodeKey(realm string) []byte {
	s := r.snapshot().groups[groupID{LinkCode, realm}].oldest()
	if s == nil {
		return nil
	}
	return s.oct
}
