package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ssod/bench/paired"
	"ssod/bench/provider"
)

// fakeEntitlement asks the decision point of the other provider as the service does, and
// gives up on it soon; it decides for the one that is well itself.
type fakeEntitlement struct{ other *provider.Provider }

func (f fakeEntitlement) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	permitted := map[string]any{"authorized": true, "serializedToken": "token"}
	if strings.HasSuffix(r.URL.Path, "/"+wellProvider) {
		answer(w, permitted)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), 20*time.Millisecond)
	defer cancel()
	question := strings.NewReader(`{"subject":{"id":"viewer"},"resource":{"id":"channel"}}`)
	asks, err := http.NewRequestWithContext(ctx, http.MethodPost, f.other.DecisionURL, question)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	said, err := http.DefaultClient.Do(asks)
	if err != nil {
		answer(w, map[string]any{"authorized": false})
		return
	}
	said.Body.Close()
	answer(w, permitted)
}

// TestMoodsOfTheOtherProviderAreMeasured plays one round of each mood.
func TestMoodsOfTheOtherProviderAreMeasured(t *testing.T) {
	other, err := provider.Start()
	if err != nil {
		t.Fatal(err)
	}
	service := httptest.NewServer(fakeEntitlement{other})
	t.Cleanup(func() {
		service.Close()
		if err := other.Close(); err != nil {
			t.Error(err)
		}
	})
	c := &providersCommand{Rate: 5000, Beside: 500, Delay: 10 * time.Millisecond, Mark: 1.5}
	b := &providersBench{providersCommand: c, other: other, bench: &bench{runCommand: smallRun(), service: single(service.Listener.Addr().String(), nil)}}
	b.members = []member{{provider: "tv", bearer: "a", device: deviceID("d", 1)}}
	plan := paired.Plan{Pairs: 1, Others: 1}
	rounds, err := plan.Run(len(c.moods()), func(side int) (paired.Slice, error) { return b.slice(t.Context(), c.moods()[side]) })
	if err != nil {
		t.Fatal(err)
	}
	report := c.report(plan, rounds)
	for _, row := range report.Rows {
		if !row.P99.measured() || !row.Ratio.measured() || row.Pairs != 1 {
			t.Errorf("while the other provider %s: %+v", row.Other, row)
		}
	}
	var page bytes.Buffer
	report.print(&page)
	for _, want := range []string{"is well", "takes 10ms", "hangs", "at most 1.5"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the report does not have %q:\n%s", want, page.String())
		}
	}
}

func TestAProviderThatSlowsAnotherMissesTheMark(t *testing.T) {
	c := &providersCommand{Delay: time.Second, Mark: 1.5}
	round := paired.Round{{Cost: 10}, {Cost: 14}, {Cost: 16}}
	r := c.report(paired.Plan{Pairs: 1, Others: 1}, []paired.Round{round})
	if !r.Rows[1].Passed || r.Rows[2].Passed || r.passed() {
		t.Errorf("14 ms beside 10 ms passes, 16 ms does not; got %+v", r.Rows)
	}
}
