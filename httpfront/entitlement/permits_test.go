package entitlement

import (
	"fmt"
	"testing"
	"time"

	"ssod/actors/login"
	"ssod/httpfront/config"
)

func TestPermitsAreBounded(t *testing.T) {
	now := time.Date(2026, 1, 2, 20, 0, 0, 0, time.UTC)
	p := newPermits(10)
	key := func(i int) permitKey { return permitKey{resource: fmt.Sprint(i)} }
	for i := range 1000 {
		p.put(key(i), permit{now, now.Add(time.Hour)})
		if n := len(p.young) + len(p.old); n > 10 {
			t.Fatalf("%d permits are remembered, want at most 10", n)
		}
		if _, ok := p.get(key(i), now); !ok {
			t.Fatalf("permit %d was forgotten at once", i)
		}
	}
	if _, ok := p.get(key(999), now.Add(time.Hour)); ok {
		t.Error("a permit outlived its time")
	}
}

// A preauthorization informs: what it learned is no permit to play.
func TestWhatWasOnlyAskedForIsNoPermitToPlay(t *testing.T) {
	now := time.Date(2026, 1, 2, 20, 0, 0, 0, time.UTC)
	s := New(Options{})
	asks := func(informs bool) *asking {
		return &asking{app: app{provider: &config.ServiceProvider{ID: "tv"}}, informs: informs}
	}
	found := finding{Login: &login.Login{Id: []byte("0123456789abcdef")}}
	listed, played := asks(true), asks(false)
	s.permits.put(listed.key(found, "listed"), permit{now, now.Add(time.Hour)})
	s.permits.put(played.key(found, "played"), permit{now, now.Add(time.Hour)})
	for _, tt := range []struct {
		by       *asking
		resource string
		want     bool
	}{{listed, "listed", true}, {listed, "played", true}, {played, "played", true}, {played, "listed", false}, {listed, "other", false}} {
		if _, ok := s.remembered(tt.by, found, tt.resource, now); ok != tt.want {
			t.Errorf("%s, informative %v: remembered %v, want %v", tt.resource, tt.by.informs, ok, tt.want)
		}
	}
}
