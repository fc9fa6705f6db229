package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// One copy of each shard among several nodes is what was asked for, and worth a warning.
func TestOneCopyOnSeveralNodesIsWarnedOf(t *testing.T) {
	for nodes, want := range map[string]string{`{"name":"n1"},{"name":"n2"}`: "warning: replicas=1 leaves one copy of each shard on 2 nodes", `{"name":"n1"}`: ""} {
		node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"settings":{"replicas":"1"},"nodes":[%s]}`, nodes)
		}))
		defer node.Close()
		var out, said bytes.Buffer
		status := run([]string{"cluster", "set", "replicas=1", "--admin", node.URL}, &out, &said)
		if status != exitOK || !strings.Contains(said.String(), want) || want == "" && said.Len() > 0 {
			t.Errorf("nodes %s: status %d, said %q, want %q", nodes, status, said.String(), want)
		}
		if !strings.Contains(out.String(), "replicas") {
			t.Errorf("nodes %s: %q", nodes, out.String())
		}
	}
}
