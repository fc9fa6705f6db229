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
	"ssod/httpfront/token/keyset"
	"ssod/httpfront/token/keyurl"
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

// prepare reads the key files that a configuration names, and changes nothing. A
// nil set stands for keys at a URL.
func (i *issuers) prepare(cfg *config.Config) (map[config.TrustedIssuer]*keySet, error) {
	sets := make(map[config.TrustedIssuer]*keySet)
	var errs []error
	for _, realm := range cfg.Realms {
		for _, t := range realm.TrustedIssuers {
			if _, done := sets[t]; done {
				continue
			}
			set, err := fromFile(t)
			if err != nil {
				errs = append(errs, err)
			}
			sets[t] = set
		}
	}
	return sets, errors.Join(errs...)
}

// fromFile returns the keys of one issuer; nil for those at a URL.
func fromFile(t config.TrustedIssuer) (*keySet, error) {
	if t.JWKSURL != "" {
		return nil, nil
	}
	keys, _, err := readKeys(t) // CheckIssuer told what is unused
	set := &keySet{}
	set.keys.Store(&keys)
	return set, err
}

// adopt makes the sets those that were prepared. Keys at a URL that is known
// already are kept.
func (i *issuers) adopt(sets map[config.TrustedIssuer]*keySet) {
	i.mu.Lock()
	defer i.mu.Unlock()
	old := *i.sets.Load()
	for t, set := range sets {
		switch {
		case set != nil:
		case old[t] != nil:
			sets[t] = old[t]
		default:
			sets[t] = i.remote(t)
		}
	}
	i.replace(old, sets)
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

// Silent names the external issuers whose keys are used although they could not be
// fetched again for longer than [keyurl.MaxSilence].
func (r *Ring) Silent() (issuers []string) {
	for t, set := range *r.issuers.sets.Load() {
		if set.fetcher != nil && set.fetcher.Silent() {
			issuers = append(issuers, t.Issuer)
		}
	}
	slices.Sort(issuers)
	return slices.Compact(issuers)
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
