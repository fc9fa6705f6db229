package node_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"ssod/cmd/internal/node"
)

// demoRule is where the demo's rule is.
const demoRule = "/admin/v1/degradation/demo/sandbox"

// TestRulesOfDegradationNeedTheirLevel: versions of the level before would not heed
// them.
func TestRulesOfDegradationNeedTheirLevel(t *testing.T) {
	c := settings(t)
	if err := os.CopyFS(c.Data, os.DirFS("../leveldata/testdata/level1")); err != nil {
		t.Fatal(err)
	}
	n := start(t, c)
	const order = `{"rule":"AuthNAll","for":"10m"}`
	status, body := send(t, n, "PUT", demoRule, order)
	if status != http.StatusConflict || !strings.Contains(body, "format level 1") || !strings.Contains(body, "ssoctl cluster set level=2") {
		t.Errorf("at level 1: %d %s", status, body)
	}
	if status, body := send(t, n, "DELETE", demoRule, ""); status != http.StatusOK {
		t.Errorf("off: %d %s", status, body)
	}
	if status, body := send(t, n, "POST", "/admin/v1/cluster/settings", `{"level":2}`); status != http.StatusOK {
		t.Fatalf("raise the level: %d %s", status, body)
	}
	if status, body := send(t, n, "PUT", demoRule, order); status != http.StatusOK {
		t.Errorf("at level 2: %d %s", status, body)
	}
}

// TestARuleSurvivesARestart, and operators are told of it.
func TestARuleSurvivesARestart(t *testing.T) {
	c := settings(t)
	n, err := node.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	_, set := send(t, n, "PUT", demoRule, `{"rule":"AuthZAll","for":"1h"}`)
	if err := n.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	n = start(t, c)
	if _, kept := get(t, "http://"+n.Admin()+demoRule); kept != set || !strings.Contains(kept, "AuthZAll") {
		t.Errorf("before the restart %s, after it %s", set, kept)
	}
	if told, ready := conditionOf(t, n.Admin(), "degradation"); told.OK || !told.Advice || !ready || !strings.Contains(told.Detail, "AuthZAll for demo at sandbox until 20") {
		t.Errorf("the condition is %+v, ready %v", told, ready)
	}
	if _, page := get(t, "http://"+n.Admin()+"/metrics"); !strings.Contains(page, `ssod_degradation_rules{rule="AuthZAll",source="runtime"} 1`) {
		t.Error("the metrics do not count the rule")
	}
}

// send makes a call with a body of the admin API.
func send(t *testing.T, n *node.Node, method, path, body string) (status int, answer string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+n.Admin()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	a, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	return a.StatusCode, string(text)
}
