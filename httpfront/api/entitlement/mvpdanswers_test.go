package entitlement_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"ssod/actors"
	"ssod/actors/device"
	"ssod/actors/login"
	"ssod/cluster"
	"ssod/httpfront/api/entitlement"
	"ssod/httpfront/fronttest"
	"ssod/httpfront/slots"
	"ssod/httpfront/token/media"
)

// TestWhatTheMVPDAnswers is each way a TV provider can decide, with the code that
// an app is told for authorize and for preauthorize;
// httpfront/docs/errors.md#errors-of-single-decisions.
func TestWhatTheMVPDAnswers(t *testing.T) {
	for viewer, want := range map[string]struct{ authorize, preauthorize string }{
		"ada":  {"permit", "permit"},
		"cleo": {"authorization_denied_by_mvpd", "preauthorization_denied_by_mvpd"},
		"dora": {"authorization_denied_by_parental_controls", "authorization_denied_by_parental_controls"},
		"emil": {"authorization_denied_by_hba_policies", "authorization_denied_by_hba_policies"},
		"finn": {"authorization_denied_by_session_invalidated", "authenticated_profile_invalidated"}, // the second call
		"gwen": {"identity_not_recognized_by_mvpd", "identity_not_recognized_by_mvpd"},
		"ines": {"network_connection_timeout", "network_connection_timeout"},
		"jack": {"network_received_error", "network_received_error"},
		"kira": {"maximum_execution_time_exceeded", "maximum_execution_time_exceeded"},
	} {
		t.Run(viewer, func(t *testing.T) {
			t.Parallel()
			budget := time.Duration(0)
			if want.authorize == "maximum_execution_time_exceeded" {
				budget = 50 * time.Millisecond // nobody answers within any
			}
			n := fronttest.Start(t, fronttest.Options{Config: realms, Budget: budget})
			a := &app{t, n, n.AccessToken(t, "STREAM1"), "STREAM1"}
			a.logIn("phone", "cable", viewer)
			a.same("authorize", a.authorize("phone", "cable"), want.authorize)
			a.same("preauthorize", a.decisions("preauthorize", "phone", "cable", []string{"channel-1"})[0], want.preauthorize)
		})
	}
}

// noDevices answers every question about devices with an error.
type noDevices struct {
	entitlement.Devices
	err error
}

func (d noDevices) Logins(context.Context, cluster.RequestID, device.ID) ([]*login.Login, error) {
	return nil, d.err
}

// noMedia signs nothing.
type noMedia struct{ err error }

func (m noMedia) Sign(context.Context, string, media.Token) (media.Signed, error) {
	return media.Signed{}, m.err
}

// TestFaultsOfOurs: what an app is told when the service itself fails, flat, and
// without the reason.
func TestFaultsOfOurs(t *testing.T) {
	unforeseen := errors.New("disk controller 7 of rack 12")
	for name, tt := range map[string]struct {
		err    error
		status int
		code   string
		retry  string
	}{
		"unforeseen":           {unforeseen, 500, "internal_server_error", ""},
		"no owner":             {actors.ErrUnavailable, 503, "service_unavailable", "1"},
		"outcome unknown":      {actors.ErrUnknown, 503, "service_unavailable", "1"},
		"an entity overloaded": {actors.ErrOverloaded, 503, "service_unavailable", "1"},
	} {
		n := fronttest.Start(t, fronttest.Options{Config: realms, Entitlement: func(o *entitlement.Options) { o.Devices = noDevices{o.Devices, tt.err} }})
		a := &app{t, n, n.AccessToken(t, "STREAM1"), "STREAM1"}
		for _, path := range []string{"profiles", "profiles/cable"} {
			r := a.do(a.call("GET", path, "phone"))
			a.fails(r, tt.status, tt.code)
			a.same(name+": Retry-After", r.Header.Get("Retry-After"), tt.retry)
		}
	}
}

// TestNoTokenNoPermit: a permit without its media token is none.
func TestNoTokenNoPermit(t *testing.T) {
	for _, tt := range []struct {
		err    error
		status int
		code   string
	}{{slots.ErrBusy, 503, "service_unavailable"}, {errors.New("no key"), 500, "internal_server_error"}} {
		n := fronttest.Start(t, fronttest.Options{Config: realms, Entitlement: func(o *entitlement.Options) { o.Media = noMedia{tt.err} }})
		a := &app{t, n, n.AccessToken(t, "STREAM1"), "STREAM1"}
		a.logIn("phone", "cable", "ada")
		c := a.call("POST", "decisions/authorize/cable", "phone").With("Content-Type", "application/json")
		c.Body = `{"resources":["channel-1"]}`
		a.fails(a.do(c), tt.status, tt.code)
	}
}

// TestADenyHasTheProvidersWords: they reach the app as details, for each resource
// its own.
func TestADenyHasTheProvidersWords(t *testing.T) {
	a := start(t, realms)
	a.logIn("phone", "cable", "ben")
	c := a.call("POST", "decisions/preauthorize/cable", "phone").With("Content-Type", "application/json")
	r := a.do(withBody(c, `{"resources":["r1","r2"]}`))
	var details []any
	for _, d := range r.JSON["decisions"].([]any) {
		e, _ := d.(map[string]any)["error"].(map[string]any)
		details = append(details, e["details"])
	}
	a.same("details", details, []any{nil, "This channel is not in your package. Ada has a package with every channel."})
}
