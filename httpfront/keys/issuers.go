package keys

import (
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"ssod/httpfront/config"
	"ssod/httpfront/keyset"
	"ssod/httpfront/keyurl"
)

// issuers has the keys of all external issuers of the configuration. Realms
// that configure an issuer alike share its keys.
type issuers struct {
	client  *http.Client
	now     func() time.Time
	log     *slog.Logger
	version atomic.Uint64 // counts changes of any key
	sets    atomic.Pointer[map[config.TrustedIssuer]*keySet]
	mu      sync.Mutex // held to replace sets
}

// keySet is the keys of one issuer.
type keySet struct {
	keys    atomic.Pointer[[]issuerKey]
	fetcher *keyurl.Source // nil when they are in a file
}

func newIssuers(client *http.Client, now func() time.Time, log *slog.Logger) *issuers {
	i := &issuers{client: client, now: now, log: log}
	i.sets.Store(&map[config.TrustedIssuer]*keySet{})
	return i
}

// candidates returns the keys that a token of the issuer may be signed with.
// When the token names a key that is not known and the issuer publishes its
// keys at a URL, they are fetched again, but not for every such token.
func (i *issuers) candidates(t config.TrustedIssuer, token *jws) []issuerKey {
	set := (*i.sets.Load())[t]
	if set == nil {
		return nil
	}
	found := choose(*set.keys.Load(), token)
	if len(found) == 0 && set.fetcher != nil && set.fetcher.Again() {
		found = choose(*set.keys.Load(), token)
	}
	return found
}

// follow makes the sets those of the configuration. Files are read anew; a
// file that cannot be read leaves everything as it was.
func (i *issuers) follow(cfg *config.Config) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	old, sets := *i.sets.Load(), make(map[config.TrustedIssuer]*keySet)
	var errs []error
	for _, realm := range cfg.Realms {
		for _, t := range realm.TrustedIssuers {
			if _, done := sets[t]; done {
				continue
			}
			set, err := i.set(old[t], t)
			if err != nil {
				errs = append(errs, err)
			}
			sets[t] = set
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	i.replace(old, sets)
	return nil
}

// set returns the keys of one issuer; those at a URL are kept.
func (i *issuers) set(old *keySet, t config.TrustedIssuer) (*keySet, error) {
	if t.JWKSURL != "" {
		if old != nil {
			return old, nil
		}
		return i.remote(t), nil
	}
	keys, _, err := readKeys(t) // CheckIssuer told what is unused
	set := &keySet{}
	set.keys.Store(&keys)
	return set, err
}

// remote are keys at a URL.
func (i *issuers) remote(t config.TrustedIssuer) *keySet {
	set := &keySet{}
	set.keys.Store(new([]issuerKey))
	set.fetcher = keyurl.New(keyurl.Options{
		URL: t.JWKSURL, Issuer: t.Issuer, Client: i.client, Now: i.now, Log: i.log,
		Take: func(document []byte) (keyset.Unused, error) { return i.take(set, document) },
	})
	return set
}

// take makes the keys of a document those of a set.
func (i *issuers) take(set *keySet, document []byte) (keyset.Unused, error) {
	keys, unused, err := parseJWKS(document, true)
	if err == nil && !slices.EqualFunc(*set.keys.Load(), keys, issuerKey.equal) {
		set.keys.Store(&keys)
		i.version.Add(1)
	}
	return unused, err
}

// replace starts what is new and stops what is gone.
func (i *issuers) replace(old, sets map[config.TrustedIssuer]*keySet) {
	for t, set := range sets {
		if set.fetcher != nil && old[t] != set {
			set.fetcher.Start()
		}
	}
	i.sets.Store(&sets)
	i.version.Add(1)
	for t, set := range old {
		if set.fetcher != nil && sets[t] != set {
			set.fetcher.Stop()
		}
	}
}

func (i *issuers) close() {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, set := range *i.sets.Load() {
		if set.fetcher != nil {
			set.fetcher.Stop()
		}
	}
}
