package keyurl

import (
	"slices"
	"sync/atomic"

	"ssod/httpfront/token/jose"
	"ssod/httpfront/token/keyset"
)

// Keys are the keys of one owner: of a file, or as fetched by a [Source]. It is safe for
// concurrent use.
type Keys struct {
	now    atomic.Pointer[[]jose.Key]
	source *Source // nil when they are in a file
}

// Fixed are keys that stay as they are.
func Fixed(keys []jose.Key) *Keys {
	k := &Keys{}
	k.now.Store(&keys)
	return k
}

// Published are the keys of some algorithms at a URL, from Start until Stop. changed
// is called when there are others; o.Take is not looked at.
func Published(o Options, algorithms []string, changed func()) *Keys {
	k := Fixed(nil)
	o.Take = func(document []byte) (keyset.Unused, error) {
		set, err := keyset.Parse(document, keyset.Wanted{Algorithms: algorithms, Published: true})
		if err == nil && !slices.EqualFunc(*k.now.Load(), set.Keys, jose.Key.Equal) {
			k.now.Store(&set.Keys)
			changed()
		}
		return set.Unused, err
	}
	k.source = New(o)
	return k
}

// Find returns the keys that fit a token. Where none does and they are at a URL they
// are fetched again, but not for every such token.
func (k *Keys) Find(fits func(*jose.Key) bool) []jose.Key {
	found := k.choose(fits)
	if len(found) == 0 && k.source != nil && k.source.Again() {
		return k.choose(fits)
	}
	return found
}

func (k *Keys) choose(fits func(*jose.Key) bool) (found []jose.Key) {
	for _, key := range *k.now.Load() {
		if fits(&key) {
			found = append(found, key)
		}
	}
	return found
}

// Start begins to fetch keys that are at a URL.
func (k *Keys) Start() {
	if k.source != nil {
		k.source.Start()
	}
}

// Stop ends what Start began.
func (k *Keys) Stop() {
	if k.source != nil {
		k.source.Stop()
	}
}

// Silent reports whether keys at a URL could not be fetched for longer than
// [MaxSilence].
func (k *Keys) Silent() bool { return k.source != nil && k.source.Silent() }
