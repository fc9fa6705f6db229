package httpfront

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"ssod/httpfront/api"
)

// A node that may not know what was revoked refuses everything that a token is
// good for, and says that it may be repeated.
func TestANodeThatIsCutOffServesNothing(t *testing.T) {
	var cut atomic.Bool
	s := startTest(t, func(o *Options) { o.CutOff = func(time.Time) bool { return cut.Load() } })
	calls := map[string]struct{ method, code string }{
		"/api/tv/list":                {"GET", "service_unavailable"},
		"/api/tv/serviceToken":        {"GET", "service_unavailable"},
		"/api/tv/unlink":              {"POST", "service_unavailable"},
		"/o/client/token":             {"POST", "temporarily_unavailable"},
		"/o/client/register":          {"POST", "temporarily_unavailable"},
		"/.well-known/acme/jwks.json": {"GET", "service_unavailable"},
	}
	for _, state := range []bool{false, true, false} {
		cut.Store(state)
		for path, call := range calls {
			a := ask(t, s, call.method, path)
			switch {
			case !state && a.status != 200:
				t.Errorf("%s of a node in contact: %d", path, a.status)
			case state && (a.status != 503 || a.code(t) != call.code || a.header.Get("Retry-After") != "1"):
				t.Errorf("%s of a node that is cut off: %d %v %s", path, a.status, a.header, a.body)
			}
		}
	}
}

// A clock that is set, ahead or back, changes what dates are compared with. It does
// not change how long requests may take, who is in contact, or who was too fast.
func TestAClockThatIsSetStopsNobody(t *testing.T) {
	began := time.Now()
	for _, ahead := range []time.Duration{0, 410 * 24 * time.Hour, -410 * 24 * time.Hour} {
		var received, deadline, asked time.Time
		s := startTest(t, func(o *Options) {
			o.Now = func() time.Time { return began.Add(ahead).Round(0) }
			o.CutOff = func(at time.Time) bool { asked = at; return false }
			o.Handlers.List = func(ctx context.Context, r *api.Request) (api.Response, error) {
				received = r.Received
				deadline, _ = ctx.Deadline()
				return echo(ctx, r)
			}
		})
		if a := ask(t, s, "GET", "/api/tv/list"); a.status != 200 {
			t.Fatalf("a clock that is %v ahead: %d %s", ahead, a.status, a.body)
		}
		if !received.Equal(began.Add(ahead)) {
			t.Errorf("a clock that is %v ahead: dates are compared with %v", ahead, received)
		}
		for what, at := range map[string]time.Time{"contact is judged at": asked, "the request ends at": deadline} {
			if at.Before(began) || at.After(time.Now().Add(requestTime)) {
				t.Errorf("a clock that is %v ahead: %s %v", ahead, what, at)
			}
		}
	}
}
