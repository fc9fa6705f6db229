package wire

import (
	"io"
	"testing"
	"time"
)

// patient is a connection that judges its read deadline at each read.
type patient struct {
	scripted
	t        *testing.T
	asked    time.Time // when the test asked for the next request
	deadline time.Time
	limits   Limits
	waits    int
}

func (p *patient) SetReadDeadline(t time.Time) error {
	p.deadline = t
	return nil
}

func (p *patient) Read(b []byte) (int, error) {
	if p.waits++; p.waits > 1 {
		if left := p.deadline.Sub(p.asked); left < p.limits.Idle {
			p.t.Errorf("wait %d ends %v after it began, want %v or a little later", p.waits, left, p.limits.Idle)
		}
	}
	return p.scripted.Read(b)
}

// TestIdleTimeIsKept: a proxy that counts on the idle time can use a connection
// until its last moment, also when the deadline is not moved for each request.
func TestIdleTimeIsKept(t *testing.T) {
	p := &patient{t: t, limits: Limits{Head: 1000, Body: 100, Request: time.Second, Idle: time.Hour, Write: time.Second}}
	for range 100 {
		p.parts = append(p.parts, unlink)
	}
	c := NewConn(p, &p.limits)
	for range 100 {
		p.asked = time.Now()
		reduced, r, refusal := next(t, c)
		checkUnlink(t, reduced, r, refusal)
	}
	p.asked = time.Now()
	if _, err := c.Read(make([]byte, 1)); err != io.EOF || p.waits != 101 {
		t.Errorf("%d waits, then %v", p.waits, err)
	}
}

// TestDefaultsOutlastBalancers: AWS, nginx and others keep idle connections to a
// server for 60 s and send into them until then.
func TestDefaultsOutlastBalancers(t *testing.T) {
	if DefaultLimits.Idle <= 60*time.Second {
		t.Errorf("idle time %v, want more than a minute", DefaultLimits.Idle)
	}
}
