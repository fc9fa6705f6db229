package e2e

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestConditionsAreThoseOfTheDocuments compares the conditions of a node that is ready
// with cmd/ssod/docs/operating.md#readiness-conditions.
func TestConditionsAreThoseOfTheDocuments(t *testing.T) {
	t.Parallel()
	n := startNode(t, "", "--config", "")
	status, body := n.Page("/readyz")
	var ready struct {
		Conditions []struct{ Condition string }
	}
	if err := json.Unmarshal([]byte(body), &ready); err != nil || status != 200 {
		t.Fatalf("readyz: %d, %v: %s", status, err, body)
	}
	var got []string
	for _, c := range ready.Conditions {
		got = append(got, c.Condition)
	}
	slices.Sort(got)
	if diff := cmp.Diff(documentedConditions(t), got); diff != "" {
		t.Errorf("the page (-) and the node (+) differ:\n%s", diff)
	}
}

func documentedConditions(t *testing.T) (names []string) {
	t.Helper()
	page, err := os.ReadFile("../../ssod/docs/operating.md")
	must(t, err)
	_, section, _ := strings.Cut(string(page), "\n## Readiness conditions\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z]+)` \\|").FindAllStringSubmatch(section, -1) {
		names = append(names, row[1])
	}
	slices.Sort(names)
	return names
}
