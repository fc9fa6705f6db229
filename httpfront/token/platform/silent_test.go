package platform

import (
	"slices"
	"testing"
	"time"

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
		keys := keyurl.Published(keyurl.Options{URL: where.url, Now: func() time.Time { return clock }}, signatures, func() {})
		keys.Start()
		keys.Stop()
		clock = now
		v.published[where] = keys
	}
	if got := v.Silent(); !slices.Equal(got, []string{"silent"}) {
		t.Errorf("got %q", got)
	}
}
