package e2e

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

var (
	metricType  = regexp.MustCompile(`(?m)^# TYPE (ssod_\w+) (\w+)$`)
	metricLabel = regexp.MustCompile(`(\w+)="`)
	metricRow   = regexp.MustCompile("(?m)^\\| `(ssod_\\w+)` \\| (\\w+) \\| ([a-z_, ]*)\\|")
)

// exported are the metrics on a page of /metrics, each with its type and its labels,
// those of buckets aside.
func exported(page string) map[string]string {
	all := map[string]string{}
	for _, found := range metricType.FindAllStringSubmatch(page, -1) {
		name, kind := found[1], found[2]
		line := regexp.MustCompile(`(?m)^` + name + `(?:_count)?(\{[^}]*\})? .*$`).FindStringSubmatch(page)
		if line == nil {
			continue
		}
		var labels []string
		for _, label := range metricLabel.FindAllStringSubmatch(line[1], -1) {
			labels = append(labels, label[1])
		}
		slices.Sort(labels)
		all[name] = kind + ": " + strings.Join(labels, " ")
	}
	return all
}

// documented are the metrics in the operators' table, each with its type and labels.
func documented(t *testing.T) map[string]string {
	t.Helper()
	page, err := os.ReadFile("../../ssod/docs/metrics.md")
	must(t, err)
	all := map[string]string{}
	for _, row := range metricRow.FindAllStringSubmatch(string(page), -1) {
		labels := strings.Fields(strings.ReplaceAll(row[3], ",", ""))
		slices.Sort(labels)
		all[row[1]] = row[2] + ": " + strings.Join(labels, " ")
	}
	return all
}

// metricsConfig has what makes every metric appear.
const metricsConfig = `
publicURL: ` + publicURL + `
throttle: {enabled: false}
realms:
  - id: one
    serviceProviders: [{id: one, domains: [stream.example]}]
    guessing: {perDevice: 1000000000, perAddress: 1000000000, wrongHitsPerDay: 100000}
    mvpds: [{id: cable, kind: sandbox}]
    webhooks: [{url: "http://127.0.0.1:1/", secretFile: webhook.secret}]
`

// TestMetricsAreThoseOfTheDocuments compares what three nodes export after all
// operations with cmd/ssod/docs/metrics.md#metrics: nothing is missing, nothing is there that
// an operator could not look up.
func TestMetricsAreThoseOfTheDocuments(t *testing.T) {
	t.Parallel()
	c := startTrio(t, metricsConfig)
	c.promised()
	a := c.mustApp("one")
	tv := newDevice("tv")
	_, err := a.logIn(t.Context(), tv, "cable", "ada")
	must(t, err)
	answer, err := a.v2(t.Context(), "POST", "decisions/authorize/cable", tv, `{"resources":["channel-1"]}`)
	must(t, want(answer, err, http.StatusOK, nil))
	answer, err = a.v2(t.Context(), "GET", "logout/cable", tv, "")
	must(t, want(answer, err, http.StatusOK, nil))
	facts := newLedger()
	random := rand.New(rand.NewPCG(1, 1))
	for i := range 5 {
		c.visit(a, facts, fmt.Sprint("viewer", i), random)
	}
	got := map[string]string{}
	// The nodes are asked one after another, and meanwhile a shard may move.
	must(t, eventually(t.Context(), func(ctx context.Context) error {
		leads := 0
		for _, n := range c.nodes {
			status, page := n.Page("/metrics")
			if status != 200 {
				return fmt.Errorf("metrics: %d", status)
			}
			if problems, err := promlint.New(strings.NewReader(page)).Lint(); err != nil || len(problems) > 0 {
				t.Errorf("what a linter of metrics says: %v, %v", problems, err)
			}
			maps.Copy(got, exported(page))
			leads += len(regexp.MustCompile(`(?m)^ssod_shard_leader\{shard="\d+"\} 1$`).FindAllString(page, -1))
		}
		if leads != 17 {
			return fmt.Errorf("the nodes say that they lead %d shards, want all 17", leads)
		}
		return nil
	}))
	if diff := cmp.Diff(documented(t), got); diff != "" {
		t.Errorf("the page (-) and nodes (+) differ:\n%s", diff)
	}
}
