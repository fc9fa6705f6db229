package platform

import (
	"slices"
	"testing"
	"time"

	"ssod/httpfront/token/keyset"
	"ssod/httpfront/token/keyurl"
)

// TestSilentPlatforms are named while their keys are over a day old.
func TestSilentPlatforms(t *testing.T) {
	now := time.Now()
	v := NewVerifier(nil)
	for _, where := range []at{{"fresh", "http://127.0.0.1:1/a"}, {"silent", "http://127.0.0.1:1/b"}, {"silent", "http://127.0.0.1:1/c"}} {
		since := now
		if where.issuer == "silent" {
			since = now.Add(-25 * time.Hour)
		}
		clock := since
		source := keyurl.New(keyurl.Options{
			URL: where.url, Now: func() time.Time { return clock },
			Take: func([]byte) (none keyset.Unused, err error) { return none, nil },
		})
		source.Start()
		source.Stop()
		clock = now
		v.published[where] = &published{source: source}
	}
	if got := v.Silent(); !slices.Equal(got, []string{"silent"}) {
		t.Errorf("got %q", got)
	}
}
