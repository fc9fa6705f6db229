package platform

import (
	"log/slog"
	"maps"
	"slices"
	"sync/atomic"

	"ssod/httpfront/config"
	"ssod/httpfront/token/keyset"
	"ssod/httpfront/token/keyurl"
)

// published are the keys that a platform has at a URL.
type published struct {
	keys   atomic.Pointer[[]key]
	source *keyurl.Source
}

// at names what is published: platforms that have the same share it.
type at struct{ issuer, url string }

// publish has the keys at a URL fetched from now on. changed is called when
// there are others.
func publish(where at, log *slog.Logger, changed func()) *published {
	p := &published{}
	p.keys.Store(&[]key{})
	p.source = keyurl.New(keyurl.Options{URL: where.url, Issuer: where.issuer, Log: log, Take: func(document []byte) (keyset.Unused, error) {
		keys, unused, err := parseSigning(document, true)
		if err == nil && !slices.EqualFunc(*p.keys.Load(), keys, key.Equal) {
			p.keys.Store(&keys)
			changed()
		}
		return unused, err
	}})
	p.source.Start()
	return p
}

// follow keeps what a configuration needs of what is published, begins what is
// new and returns what nobody needs any more.
func (v *Verifier) follow(cfg *config.Config) (gone map[at]*published) {
	gone = maps.Clone(v.published)
	for _, realm := range cfg.Realms {
		for _, p := range realm.Platforms {
			where := at{p.Issuer, p.JWKSURL}
			delete(gone, where)
			if p.JWKSURL != "" && v.published[where] == nil {
				v.published[where] = publish(where, v.log, func() { v.version.Add(1) })
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
		if p.source.Silent() {
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
		p.source.Stop()
	}
	clear(v.published)
}
