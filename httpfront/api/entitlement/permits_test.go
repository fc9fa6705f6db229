package entitlement

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"ssod/actors/login"
	"ssod/httpfront/config"
)

func TestPermitsAreBounded(t *testing.T) {
	now := time.Date(2026, 1, 2, 20, 0, 0, 0, time.UTC)
	p := newPermits(10 * permitSize)
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

// TestPermitsTakeNoMoreThanTheirBytes fills a cache three times with permits for
// the longest resources, and weighs the heap whenever some more were put in.
func TestPermitsTakeNoMoreThanTheirBytes(t *testing.T) {
	const bytes = 2 << 20
	now := time.Date(2026, 1, 2, 20, 0, 0, 0, time.UTC)
	heap := func() int64 {
		runtime.GC()
		runtime.GC() // what pools held outlives the first
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	long := strings.Repeat("x", maxResource-8)
	before := heap()
	p := newPermits(bytes)
	most, weighed := int64(0), 0
	for i := range 3 * bytes / permitSize {
		p.put(permitKey{serviceProvider: "tv", resource: long + strconv.Itoa(i)}, permit{now, now.Add(time.Hour)})
		if i%1024 == 1023 {
			most = max(most, heap()-before)
			weighed++
		}
	}
	t.Logf("%d permits took %d bytes at most, weighed %d times; %d are allowed", len(p.young)+len(p.old), most, weighed, bytes)
	if most > bytes {
		t.Errorf("%d bytes, want at most %d", most, bytes)
	}
	if most < bytes/4 {
		t.Errorf("%d bytes of %d: the bound keeps out more than it must", most, bytes)
	}
	runtime.KeepAlive(p)
}

// TestPermitsAreToldApart: every part of a key counts, and where one ends.
func TestPermitsAreToldApart(t *testing.T) {
	now := time.Date(2026, 1, 2, 20, 0, 0, 0, time.UTC)
	keys := []permitKey{
		{serviceProvider: "tv", resource: "1x"},
		{serviceProvider: "tv1", resource: "x"},
		{serviceProvider: "tv", resource: "1x", informs: true},
		{serviceProvider: "tv", resource: "1x", login: [16]byte{1}},
		{resource: "tv1x"},
		{resource: strings.Repeat("x", maxResource)},
		{},
	}
	p := newPermits(1 << 20)
	for i, k := range keys {
		if _, ok := p.get(k, now); ok {
			t.Errorf("%+v is taken for one of those before it", k)
		}
		p.put(k, permit{now, now.Add(time.Duration(i+1) * time.Minute)})
	}
	for i, k := range keys {
		if got, _ := p.get(k, now); !got.notAfter.Equal(now.Add(time.Duration(i+1)*time.Minute)) || !got.notBefore.Equal(now) {
			t.Errorf("%+v is remembered as %v", k, got)
		}
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
