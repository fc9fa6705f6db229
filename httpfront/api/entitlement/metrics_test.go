package entitlement_test

import (
	"bytes"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"ssod/httpfront/api/entitlement"
	"ssod/httpfront/fronttest"
)

// lines is a log that several goroutines write.
type lines struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(line)
}

// audit are the audit lines so far, without time and trace.
func (l *lines) audit() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []string
	for line := range strings.Lines(l.all.String()) {
		_, line, _ = strings.Cut(line, "msg=")
		if line, _, ok := strings.Cut(line, " trace="); ok && strings.Contains(line, "audit=true") {
			found = append(found, line)
		}
	}
	return found
}

// TestLoginsAndDecisionsAreCounted plays one of each and reads the numbers, and the
// audit lines, in which viewers have a name of their own.
func TestLoginsAndDecisionsAreCounted(t *testing.T) {
	t.Parallel()
	registry, log := prometheus.NewRegistry(), &lines{}
	n := fronttest.Start(t, fronttest.Options{
		Config: realms + "    degradation: [{serviceProvider: RIVAL1, mvpd: cable, rule: AuthZNone}]\n",
		Entitlement: func(o *entitlement.Options) {
			o.Metrics, o.Log = entitlement.NewMetrics(registry), slog.New(slog.NewTextHandler(log, nil))
		},
	})
	a := &app{t, n, n.AccessToken(t, "STREAM1", "RIVAL1"), "STREAM1"}

	b := a.browser()
	b.follow(b.open("STREAM1", a.code("phone", "cable")), url.Values{"cancel": {"yes"}})
	a.logIn("phone", "cable", "ben")
	a.authorize("phone", "cable")                                                  // asked
	a.authorize("phone", "cable")                                                  // remembered
	a.decisions("preauthorize", "phone", "cable", []string{"channel-1", "sports"}) // one of each
	a.authorize("stranger", "cable")                                               // no login
	a.at("RIVAL1").authorize("phone", "cable")                                     // by the rule
	a.do(a.call("GET", "logout/cable?redirectUrl="+url.QueryEscape(home), "phone"))
	a.browser().logIn("STREAM1", a.code("tv", "cable"), "leo")

	want := `
# HELP ssod_decisions_total Decisions on resources, by who decided and how: permit, or the code of the error.
# TYPE ssod_decisions_total counter
ssod_decisions_total{call="authorize",mvpd="cable",outcome="authenticated_profile_missing",realm="acme",service_provider="STREAM1",source="service"} 1
ssod_decisions_total{call="authorize",mvpd="cable",outcome="authorization_denied_by_degradation_rule",realm="rival",service_provider="RIVAL1",source="degradation"} 1
ssod_decisions_total{call="authorize",mvpd="cable",outcome="permit",realm="acme",service_provider="STREAM1",source="cache"} 1
ssod_decisions_total{call="authorize",mvpd="cable",outcome="permit",realm="acme",service_provider="STREAM1",source="mvpd"} 1
ssod_decisions_total{call="preauthorize",mvpd="cable",outcome="permit",realm="acme",service_provider="STREAM1",source="cache"} 1
ssod_decisions_total{call="preauthorize",mvpd="cable",outcome="preauthorization_denied_by_mvpd",realm="acme",service_provider="STREAM1",source="mvpd"} 1
# HELP ssod_logins_begun_total Browsers that were sent to a TV provider to log a device in.
# TYPE ssod_logins_begun_total counter
ssod_logins_begun_total{device="unknown",mvpd="cable",realm="acme",service_provider="STREAM1"} 3
# HELP ssod_logins_total Logins at TV providers that ended: completed, cancelled by the viewer or the provider, or failed.
# TYPE ssod_logins_total counter
ssod_logins_total{device="unknown",mvpd="cable",outcome="cancelled",realm="acme",service_provider="STREAM1"} 1
ssod_logins_total{device="unknown",mvpd="cable",outcome="completed",realm="acme",service_provider="STREAM1"} 1
ssod_logins_total{device="unknown",mvpd="cable",outcome="failed",realm="acme",service_provider="STREAM1"} 1
# HELP ssod_logouts_total Logins that were ended by an app or by their TV provider.
# TYPE ssod_logouts_total counter
ssod_logouts_total{by="app",mvpd="cable",realm="acme",service_provider="STREAM1"} 1
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
	checkAudit(t, log.audit())
}

// checkAudit compares the lines of the test above.
func checkAudit(t *testing.T, got []string) {
	t.Helper()
	const at = " audit=true realm=acme serviceProvider=STREAM1 mvpd=cable"
	want := []string{
		`"login cancelled"` + at + " device=unknown", `"login completed"` + at + " viewer=", "logout" + at + " viewer=", `"login failed"` + at + " device=unknown",
	}
	if len(got) != len(want) {
		t.Fatalf("%d audit lines, want %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
	}
	name := func(line string) string {
		_, line, _ = strings.Cut(line, "viewer=")
		name, _, _ := strings.Cut(line, " ")
		return name
	}
	for i, line := range got {
		if !strings.HasPrefix(line, want[i]) || strings.Contains(line, "-ben") {
			t.Errorf("audit line %d: %s", i, line)
		}
	}
	if in, out := name(got[1]), name(got[2]); in != out || len(in) != 32 {
		t.Errorf("the viewer is %q at the login, %q at the logout", in, out)
	}
}
