package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// Status says first why the node is not ready, in the node's own words, then what
// the cluster looks like.
func TestStatusSaysWhyANodeIsNotReady(t *testing.T) {
	pages := map[string]string{
		"/readyz": `{"ready":false,"node":"n1","conditions":[
			{"condition":"store","ok":true},
			{"condition":"contact","ok":false,"detail":"not reached for 12s"},
			{"condition":"disk","ok":false,"detail":"little space","advice":true}]}`,
		"/admin/v1/cluster": `{"id":"c1","durability":"durability of 2 nodes","spareNodes":1,
			"nodes":[{"name":"n1","state":"ready"},{"name":"n2","state":"alive"}],
			"shards":[{"shard":0,"leader":"n2","replicas":["n1","n2"]},{"shard":1,"leader":"n2","replicas":["n2"],"learners":["n1"]}],
			"invariants":[{"name":"every node has the same configuration","ok":false,"detail":"not n2"}]}`,
	}
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/readyz" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = w.Write([]byte(pages[r.URL.Path]))
	}))
	defer node.Close()
	var out, said bytes.Buffer
	s, err := newSession(t.Context(), &cli{Admin: node.URL, Timeout: 2 * time.Minute}, &out, &said)
	if err != nil {
		t.Fatal(err)
	}
	if err := (statusCommand{}).Run(s); err != nil {
		t.Fatal(err)
	}
	if want := "node n1 is NOT READY: contact: not reached for 12s\nnode n1: disk: little space\n"; said.String() != want {
		t.Errorf("got %q, want %q", said.String(), want)
	}
	got := strings.Join(strings.Fields(out.String()), " ")
	for _, want := range []string{
		"cluster c1, durability of 2 nodes, 1 more node may be lost", "NOT TRUE: every node has the same configuration: not n2",
		"n1 ready 0 of 2 1 1", "n2 alive 2 of 2 2 0",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
}
