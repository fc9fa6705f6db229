package entitlement

import (
	"fmt"
	"testing"
	"time"
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
