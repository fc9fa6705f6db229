package mvpd_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/sony/gobreaker/v2"

	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
)

// TestWhatIsMeasured: the times of calls, whether the breaker lets questions through,
// and how many are under way; of the providers that are configured.
func TestWhatIsMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made, cfg := 0, parse(t, "[{id: A, kind: sandbox}, {id: B, kind: sandbox}]")
		var says error
		f := &fake{decide: func(context.Context, mvpd.Question) ([]mvpd.Decision, error) {
			time.Sleep(30 * time.Millisecond) // in the bubble
			return []mvpd.Decision{{Verdict: mvpd.Permit}}, says
		}}
		r := registry(&made, f)
		r.Load(cfg)
		ask := func(err error) {
			says = err
			find(t, r, cfg).Decide(t.Context(), mvpd.Question{Resources: []string{"r"}})
		}
		ask(nil)
		breaker := `
# HELP ssod_mvpd_breaker_open 1 from the moment that a question was not passed on, because the decision point failed too often, until it decides again.
# TYPE ssod_mvpd_breaker_open gauge
ssod_mvpd_breaker_open{mvpd="A",realm="acme"} 0
ssod_mvpd_breaker_open{mvpd="B",realm="acme"} 0
# HELP ssod_mvpd_questions Calls for decisions that are with the TV provider now; at most 128.
# TYPE ssod_mvpd_questions gauge
ssod_mvpd_questions{mvpd="A",realm="acme"} 0
ssod_mvpd_questions{mvpd="B",realm="acme"} 0
`
		same(t, r, breaker, "ssod_mvpd_breaker_open", "ssod_mvpd_questions")
		ask(gobreaker.ErrOpenState)
		open := strings.Replace(breaker, `open{mvpd="A",realm="acme"} 0`, `open{mvpd="A",realm="acme"} 1`, 1)
		same(t, r, open, "ssod_mvpd_breaker_open", "ssod_mvpd_questions")
		ask(context.DeadlineExceeded) // another try, in vain
		same(t, r, open, "ssod_mvpd_breaker_open", "ssod_mvpd_questions")
		ask(nil)
		same(t, r, breaker, "ssod_mvpd_breaker_open", "ssod_mvpd_questions")
		if _, err := find(t, r, cfg).Begin(t.Context(), mvpd.Login{}); err != nil {
			t.Fatal(err)
		}
		if _, err := find(t, r, cfg).Complete(t.Context(), mvpd.Login{}, nil); err != nil {
			t.Fatal(err)
		}
		if got := calls(t, r); got["A decide"] != 3 || got["A begin"] != 1 || got["A complete"] != 1 || got["B decide"] != 0 {
			t.Errorf("calls that were timed: %v; one that was not passed on is none", got)
		}
		r.Load(parse(t, "[{id: B, kind: sandbox}]"))
		if got := calls(t, r); len(got) != 3 {
			t.Errorf("after A is gone: %v", got)
		}
	})
}

func find(t *testing.T, r *mvpd.Registry, cfg *config.Config) *mvpd.Provider {
	t.Helper()
	p, err := r.Find(cfg, cfg.Realms[0], "ONE", "A")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func same(t *testing.T, r *mvpd.Registry, want string, names ...string) {
	t.Helper()
	if err := testutil.CollectAndCompare(r, strings.NewReader(want), names...); err != nil {
		t.Error(err)
	}
}

// calls are the numbers of timed calls, by provider and call.
func calls(t *testing.T, r *mvpd.Registry) map[string]uint64 {
	t.Helper()
	gatherer := prometheus.NewRegistry()
	gatherer.MustRegister(r)
	families, err := gatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]uint64{}
	for _, family := range families {
		for _, m := range family.Metric {
			if h := m.GetHistogram(); h != nil { // labels are sorted: call, mvpd, realm
				all[m.Label[1].GetValue()+" "+m.Label[0].GetValue()] = h.GetSampleCount()
			}
		}
	}
	return all
}
