package mvpd

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ssod/httpfront/config"
)

// What can be wrong with the id of a TV provider.
var (
	// ErrUnknown: the realm has no such provider.
	ErrUnknown = errors.New("unknown TV provider")
	// ErrInactive: the service provider's integration with it is disabled, or
	// this version has no connector for its kind.
	ErrInactive = errors.New("integration with the TV provider not active")
)

// Maker makes the connector of a configured provider.
type Maker func(cfg *config.Config, realm *config.Realm, m *config.MVPD) (Connector, error)

// Registry finds the providers of a configuration. It is safe for concurrent
// use, and a [prometheus.Collector] of their numbers.
type Registry struct {
	// Budget, if it is set before the first use, is how long a question to any
	// provider may take, in place of its decisionTimeout.
	Budget time.Duration

	makers  map[string]Maker // by kind
	seconds *prometheus.HistogramVec
	log     *slog.Logger
	current atomic.Pointer[table]
	mu      sync.Mutex // held to replace current
}

// table is the providers of one configuration.
type table struct {
	cfg       *config.Config
	providers map[key]*Provider
}

// key is a realm's id and an MVPD's in it.
type key struct{ realm, mvpd string }

// NewRegistry returns a registry of the kinds that makers are for. log gets
// what goes wrong at providers; nil means slog.Default.
func NewRegistry(makers map[string]Maker, log *slog.Logger) *Registry {
	if log == nil {
		log = slog.Default()
	}
	r := &Registry{makers: makers, log: log, seconds: newSeconds()}
	r.current.Store(&table{})
	return r
}

// Find returns the provider with which a service provider of the realm has an
// active integration. Errors are [ErrUnknown] and [ErrInactive].
func (r *Registry) Find(cfg *config.Config, realm *config.Realm, serviceProvider, id string) (*Provider, error) {
	p, err := r.Provider(cfg, realm, id)
	if err == nil && !p.ActiveFor(serviceProvider) {
		return nil, ErrInactive
	}
	return p, err
}

// Provider returns a provider of the realm, whichever service providers are
// integrated with it.
func (r *Registry) Provider(cfg *config.Config, realm *config.Realm, id string) (*Provider, error) {
	if p := r.table(cfg).providers[key{realm.ID, id}]; p != nil {
		return p, nil
	}
	for i := range realm.MVPDs {
		if realm.MVPDs[i].ID == id {
			return nil, ErrInactive
		}
	}
	return nil, ErrUnknown
}

// Active yields the providers with which a service provider has an active
// integration, in the order of the configuration.
func (r *Registry) Active(cfg *config.Config, realm *config.Realm, serviceProvider string) iter.Seq[*Provider] {
	return func(yield func(*Provider) bool) {
		for i := range realm.MVPDs {
			p, err := r.Find(cfg, realm, serviceProvider, realm.MVPDs[i].ID)
			if err == nil && !yield(p) {
				return
			}
		}
	}
}

// Load makes the providers of a configuration, which the first request would do else.
func (r *Registry) Load(cfg *config.Config) { r.table(cfg) }

// table returns the providers of a configuration. The first request after a
// reload makes them; those whose configuration stayed are kept.
func (r *Registry) table(cfg *config.Config) *table {
	if t := r.current.Load(); t.cfg == cfg {
		return t
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	old := r.current.Load()
	if old.cfg == cfg {
		return old
	}
	t := &table{cfg: cfg, providers: make(map[key]*Provider)}
	for _, realm := range cfg.Realms {
		for i := range realm.MVPDs {
			r.add(t, old, realm, &realm.MVPDs[i])
		}
	}
	r.forget(old, t)
	r.current.Store(t)
	return t
}

func (r *Registry) add(t, old *table, realm *config.Realm, m *config.MVPD) {
	at := key{realm.ID, m.ID}
	if p := old.providers[at]; p != nil && old.cfg.PublicURL == t.cfg.PublicURL && reflect.DeepEqual(p.Config, m) {
		t.providers[at] = p
		return
	}
	maker := r.makers[m.Kind]
	if maker == nil {
		return
	}
	c, err := maker(t.cfg, realm, m)
	if err != nil {
		r.log.Error("a TV provider cannot be used", "error", fmt.Errorf("realm %s, mvpd %s: %w", realm.ID, m.ID, err))
		return
	}
	t.providers[at] = &Provider{
		Connector: c, Config: m, slots: make(chan struct{}, maxQuestions),
		budget: cmp.Or(r.Budget, m.DecisionTimeout), log: r.log, seconds: r.observers(at),
	}
}
