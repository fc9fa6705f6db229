package keys

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"ssod/httpfront/config"
	"ssod/httpfront/token/jose"
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
	sets    atomic.Pointer[map[config.TrustedIssuer]*keyurl.Keys]
	mu      sync.Mutex // held to replace sets
}

func newIssuers(client *http.Client, now func() time.Time, log *slog.Logger) *issuers {
	i := &issuers{client: client, now: now, log: log}
	i.sets.Store(&map[config.TrustedIssuer]*keyurl.Keys{})
	return i
}

// candidates returns the keys that a token of the issuer may be signed with: those
// of its kid, or all when it names none.
func (i *issuers) candidates(t config.TrustedIssuer, token *jose.Token) []jose.Key {
	keys := (*i.sets.Load())[t]
	if keys == nil {
		return nil
	}
	return keys.Find(func(k *jose.Key) bool { return token.KeyID == "" || k.ID == token.KeyID })
}

// prepare reads the key files that a configuration names, and changes nothing. A
// nil set stands for keys at a URL.
func (i *issuers) prepare(cfg *config.Config) (map[config.TrustedIssuer]*keyurl.Keys, error) {
	sets := make(map[config.TrustedIssuer]*keyurl.Keys)
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
func fromFile(t config.TrustedIssuer) (*keyurl.Keys, error) {
	if t.JWKSURL != "" {
		return nil, nil
	}
	set, err := readKeys(t) // CheckIssuer told what is unused
	return keyurl.Fixed(set.Keys), err
}

// readKeys reads the keys of an issuer that are in a file: RSA, for RS256 signatures.
func readKeys(t config.TrustedIssuer) (keyset.Set, error) {
	set, err := keyset.Read(t.JWKSFile, t.PEMFile, t.KID, keyset.Wanted{Algorithms: []string{RS256}})
	if err != nil {
		return set, fmt.Errorf("keys of issuer %s: %w", t.Issuer, err)
	}
	return set, nil
}

// adopt makes the sets those that were prepared. Keys at a URL that is known
// already are kept.
func (i *issuers) adopt(sets map[config.TrustedIssuer]*keyurl.Keys) {
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
func (i *issuers) remote(t config.TrustedIssuer) *keyurl.Keys {
	o := keyurl.Options{URL: t.JWKSURL, Issuer: t.Issuer, Client: i.client, Now: i.now, Log: i.log}
	return keyurl.Published(o, []string{RS256}, func() { i.version.Add(1) })
}

// replace starts what is new and stops what is gone.
func (i *issuers) replace(old, sets map[config.TrustedIssuer]*keyurl.Keys) {
	for t, set := range sets {
		if old[t] != set {
			set.Start()
		}
	}
	i.sets.Store(&sets)
	i.version.Add(1)
	for t, set := range old {
		if sets[t] != set {
			set.Stop()
		}
	}
}

// Silent names the external issuers whose keys are used although they could not be
// fetched again for longer than [keyurl.MaxSilence].
func (r *Ring) Silent() (issuers []string) {
	for t, set := range *r.issuers.sets.Load() {
		if set.Silent() {
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
		set.Stop()
	}
}
