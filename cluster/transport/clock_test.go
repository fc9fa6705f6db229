package transport

import (
	"testing"
	"time"
)

func TestTheShortestWayTellsTheOffset(t *testing.T) {
	var c clock
	if _, ok := c.best(); ok {
		t.Error("an offset without a measurement")
	}
	at := time.Unix(1000, 0) // by a right clock, when the network was opened
	const sent, ahead = time.Minute, 3 * time.Second
	// measure sends a ping that takes there and back so long.
	measure := func(there, back, ahead time.Duration) {
		came := at.Add(sent + there + ahead)
		c.add(sent, came, came.Add(time.Millisecond), sent+there+time.Millisecond+back)
	}
	want := func(offset, trip time.Duration) {
		t.Helper()
		if s, ok := c.best(); !ok || !s.now(time.Hour).Equal(at.Add(time.Hour+offset)) || s.trip != trip {
			t.Errorf("got %v over %v, want %v over %v", s.epoch.Sub(at), s.trip, offset, trip)
		}
	}
	measure(500*time.Millisecond, 100*time.Millisecond, ahead)
	want(ahead+200*time.Millisecond, 600*time.Millisecond)
	measure(time.Millisecond, time.Millisecond, ahead)
	want(ahead, 2*time.Millisecond)
	measure(time.Second, 0, ahead)
	want(ahead, 2*time.Millisecond)
	// The other clock is set back five minutes: the old measurements are
	// forgotten soon.
	for range samples {
		measure(20*time.Millisecond, 20*time.Millisecond, -5*time.Minute)
	}
	want(-5*time.Minute, 40*time.Millisecond)
	c.add(sent, at, at.Add(time.Hour), sent) // it was set forward between the two
	want(-5*time.Minute, 40*time.Millisecond)
	c.forget()
	if _, ok := c.best(); ok {
		t.Error("an offset of a connection that is over")
	}
}
