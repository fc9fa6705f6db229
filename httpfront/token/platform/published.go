package platform

import (
	"maps"
	"slices"

	"ssod/httpfront/config"
	"ssod/httpfront/token/keyurl"
)

// at names what is published: platforms that have the same share it.
type at struct{ issuer, url string }

// follow keeps the sources that a configuration needs, begins new ones and returns those
// that are no longer needed.
func (v *Verifier) follow(cfg *config.Config) (gone map[at]*keyurl.Keys) {
	gone = maps.Clone(v.published)
	for _, realm := range cfg.Realms {
		for _, p := range realm.Platforms {
			where := at{p.Issuer, p.JWKSURL}
			delete(gone, where)
			if p.JWKSURL != "" && v.published[where] == nil {
				keys := keyurl.Published(keyurl.Options{URL: where.url, Issuer: where.issuer, Log: v.log}, signatures, func() { v.version.Add(1) })
				keys.Start()
				v.published[where] = keys
			}
		}
	}
	for where := range gone {
		delete(v.published, where)
	}
	return gone
}

// Silent names the issuers of platforms whose keys are used although they could not be
// fetched again for longer than [keyurl.MaxSilence].
func (v *Verifier) Silent() (issuers []string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for where, p := range v.published {
		if p.Silent() {
			issuers = append(issuers, where.issuer)
		}
	}
	slices.Sort(issuers)
	return slices.Compact(issuers)
}

// Close ends the fetching of keys.
func (v *Verifier) Close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, p := range v.published {
		p.Stop()
	}
	clear(v.published)
}
