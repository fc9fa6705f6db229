package e2e

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

// mustExist are the metrics that must not go away, with their labels;
// cmd/ssod/docs/metrics.md#metrics.
var mustExist = map[string]string{
	"ssod_http_requests_total": "code endpoint status", "ssod_http_request_duration_seconds": "endpoint",
	"ssod_actor_active": "kind", "ssod_actor_messages_total": "kind message", "ssod_actor_mailbox_seconds": "",
	"ssod_store_commit_seconds": "", "ssod_store_batch_size": "",
	"ssod_shard_leader": "shard", "ssod_shard_moves_total": "", "ssod_cluster_members": "state",
	"ssod_link_codes_live": "realm", "ssod_link_guess_failures_total": "network realm", "ssod_throttled_total": "",
	"ssod_config_mismatch": "", "ssod_disk_free_bytes": "", "ssod_build_info": "go version",
}

var (
	metricType  = regexp.MustCompile(`(?m)^# TYPE (ssod_\w+) `)
	metricLabel = regexp.MustCompile(`(\w+)="`)
)

// exported are the metrics on a page of /metrics with their labels, those of
// buckets aside.
func exported(page string) map[string]string {
	all := map[string]string{}
	for _, found := range metricType.FindAllStringSubmatch(page, -1) {
		name := found[1]
		line := regexp.MustCompile(`(?m)^` + name + `(?:_count)?(\{[^}]*\})? .*$`).FindStringSubmatch(page)
		if line == nil {
			continue
		}
		var labels []string
		for _, label := range metricLabel.FindAllStringSubmatch(line[1], -1) {
			labels = append(labels, label[1])
		}
		slices.Sort(labels)
		all[name] = strings.Join(labels, " ")
	}
	return all
}

// documented are the metrics in the README's table, with their labels.
func documented(t *testing.T) map[string]string {
	t.Helper()
	readme, err := os.ReadFile("../../../README.md")
	must(t, err)
	all := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(ssod_\\w+)` \\| ([a-z, ]*)\\|").FindAllStringSubmatch(string(readme), -1) {
		labels := strings.Fields(strings.ReplaceAll(row[2], ",", ""))
		slices.Sort(labels)
		all[row[1]] = strings.Join(labels, " ")
	}
	return all
}

// TestMetricsAreThoseOfTheDocuments compares what three nodes export after all
// operations with the contract and with the README: nothing is missing, nothing is
// there that an operator could not look up.
func TestMetricsAreThoseOfTheDocuments(t *testing.T) {
	t.Parallel()
	c := startTrio(t, crashConfig)
	c.promised()
	a := c.mustApp("one")
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
			status, page := c.get(ctx, "http://"+n.admin+"/metrics")
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
		t.Errorf("README (-) and nodes (+) differ:\n%s", diff)
	}
	for name, labels := range mustExist {
		if has, ok := got[name]; !ok || has != labels {
			t.Errorf("%s: got labels %q (%v), want %q", name, has, ok, labels)
		}
	}
}
