package entitlement_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ssod/actors/event"
	"ssod/httpfront/api/entitlement"
	"ssod/httpfront/fronttest"
)

// denied keeps what is told of denied decisions, by realm.
type denied struct {
	mu  sync.Mutex
	all map[string][]event.Denial
}

func (d *denied) Denied(realm string, denials []event.Denial) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.all == nil {
		d.all = map[string][]event.Denial{}
	}
	d.all[realm] = append(d.all[realm], slices.Clone(denials)...)
}

// withReceiver is the configuration with a receiver of one type of events in the first realm.
func withReceiver(events string) string {
	hook := `    webhooks: [{url: "https://hooks.example/", secretFile: s, events: [` + events + "]}]\n"
	return strings.Replace(realms, "  - id: rival\n", hook+"  - id: rival\n", 1)
}

// TestDenialsAreToldOf by code and call, without what was asked for, where somebody wants
// to know.
func TestDenialsAreToldOf(t *testing.T) {
	t.Parallel()
	of := func(call, code string, count int) event.Denial {
		return event.Denial{ServiceProvider: "STREAM1", MVPD: "cable", Call: call, Code: code, Count: count}
	}
	for events, want := range map[string]map[string][]event.Denial{
		"decision.denied": {"acme": {
			of("authorize", "authenticated_profile_missing", 1),
			of("preauthorize", "preauthorization_denied_by_mvpd", 2),
			of("authorize", "too_many_resources", 2),
		}},
		"login.ended": nil,
	} {
		var told denied
		n := fronttest.Start(t, fronttest.Options{
			Config:      withReceiver(events),
			Entitlement: func(o *entitlement.Options) { o.Denials = &told },
		})
		a := &app{t, n, n.AccessToken(t, "STREAM1", "RIVAL1"), "STREAM1"}
		a.authorize("phone", "cable") // no login
		a.logIn("phone", "cable", "ben")
		a.authorize("phone", "cable") // permitted
		a.decisions("preauthorize", "phone", "cable", []string{"channel-1", "sports", "movies"})
		a.decisions("authorize", "phone", "cable", []string{"channel-1", "sports"})
		a.at("RIVAL1").authorize("phone", "cable") // nobody wants to know
		if diff := cmp.Diff(want, told.all); diff != "" {
			t.Errorf("a receiver of %s (-want +got):\n%s", events, diff)
		}
	}
}
