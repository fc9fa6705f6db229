package httpfront

import (
	"sync/atomic"
	"testing"
	"time"
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
