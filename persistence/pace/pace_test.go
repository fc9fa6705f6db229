package pace

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestARestIsAMultipleOfThePiece(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		name        string
		busy        bool
		took        time.Duration
		least, most time.Duration
		want        time.Duration
	}{
		{"idle", false, 2 * ms, 0, time.Second, 14 * ms},
		{"busy", true, 2 * ms, 0, time.Second, 78 * ms},
		{"at most", true, 2 * ms, 0, 10 * ms, 10 * ms},
		{"at least", false, 0, 5 * ms, 10 * ms, 5 * ms},
		{"as fast as it may", false, ms, 10 * ms, 10 * ms, 10 * ms},
	} {
		p := Pace{busy: tt.busy}
		if got := p.rest(tt.took, tt.least, tt.most); got != tt.want {
			t.Errorf("%s: got a rest of %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestWorkRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := Begin()
		if p.Due() {
			t.Error("due at once")
		}
		<-time.After(piece)
		if !p.Due() {
			t.Errorf("not due after %v", piece)
		}
		began := time.Now()
		if !p.Rest(nil, 0, time.Second) || time.Since(began) != idleRest*piece || p.busy || p.Due() {
			t.Errorf("rested for %v, busy %v, due %v, want %v on an idle machine and a new piece",
				time.Since(began), p.busy, p.Due(), idleRest*piece)
		}
		stop := make(chan struct{})
		close(stop)
		began = time.Now()
		if p.Rest(stop, time.Hour, time.Hour) || time.Since(began) != 0 {
			t.Errorf("stopped: got a rest of %v, want none", time.Since(began))
		}
	})
}
