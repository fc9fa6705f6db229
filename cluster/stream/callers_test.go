package stream

import (
	"context"
	"io"
	"net"
	"testing"
	"time"
)

// TestSilentCallersHaveABound: when one more comes, the one that came first has to go,
// and whoever has shown its papers makes room.
func TestSilentCallersHaveABound(t *testing.T) {
	e := startEnd(t, papersOf(t, 1, 2), anywhere)
	knock := func() net.Conn {
		c, err := net.Dial("tcp", e.Address())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	var c callers
	var ours []net.Conn
	for range maxCallers + 1 {
		a, b := net.Pipe()
		defer a.Close()
		defer b.Close()
		if full := c.enter(a); full != (len(ours) == maxCallers) {
			t.Fatalf("full after %d: %v", len(ours), full)
		}
		ours = append(ours, b)
	}
	if _, err := ours[0].Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the first one is there: %v", err)
	}
	if n := c.waiting(); n != maxCallers {
		t.Errorf("%d wait", n)
	}
	knock()
	eventually(t, "one knocks", func() bool { return e.callers.waiting() == 1 })
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	raw := knock()
	if _, err := papersOf(t, 2, 1).greet(ctx, raw, e.Address()); err != nil {
		t.Errorf("one with good papers: %v", err)
	}
	eventually(t, "only the other one waits", func() bool { return e.callers.waiting() <= 1 })
}
