package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
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
		"/admin/v1/cluster": `{"id":"c1","durability":"durability of 2 nodes","spareNodes":1,"spareZones":0,
			"zones":[{"name":"","nodes":["n2"],"shardsStopped":2},{"name":"a","nodes":["n1"],"shardsStopped":1}],
			"nodes":[{"name":"n1","state":"ready","zone":"a"},{"name":"n2","state":"alive"}],
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
		"n1 ready 0 of 2 1 1 a", "n2 alive 2 of 2 2 0 -", "a single zone, a: nothing survives its loss", "without a zone: n2;", "without zone a 1 of 2 shards stop",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
}

// What zones are worth is said in one line, and what is in the way of more.
func TestWhatZonesAreWorth(t *testing.T) {
	named := func(stops int, names ...string) (all []zoneView) {
		for _, name := range names {
			all = append(all, zoneView{Name: name, Nodes: []string{"n-" + name}, Stops: stops})
		}
		return all
	}
	tests := []struct {
		zones []zoneView
		spare int
		want  []string
	}{
		{nil, 0, nil},
		{named(0, ""), 0, nil},
		{named(0, "a", "b", "c"), 1, []string{"zones a, b, c: any 1 of them may be lost"}},
		{named(1, "a", "b"), 0, []string{"two zones, a and b: they survive no loss", "without zone a 1 of 2", "without zone b 1 of 2"}},
		{named(2, "a", "b", "c"), 0, []string{"zones a, b, c: none may be lost now", "without zone a", "without zone b", "without zone c"}},
		{named(0, "", "a", "b", "c"), 1, []string{"zones a, b, c: any 1", "without a zone: n-;"}},
	}
	for _, tt := range tests {
		v := view{Zones: tt.zones, SpareZones: tt.spare, Shards: make([]shardView, 2)}
		got := v.aboutZones()
		if !slices.EqualFunc(got, tt.want, strings.HasPrefix) {
			t.Errorf("%v: got %q, want %q", tt.zones, got, tt.want)
		}
	}
}

// A node that has not joined yet has no name.
func TestANodeWithoutANameIsNotReady(t *testing.T) {
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"conditions":[{"condition":"cluster","ok":false,"detail":"joining"}]}`))
	}))
	defer node.Close()
	var said bytes.Buffer
	s, err := newSession(t.Context(), &cli{Admin: node.URL}, io.Discard, &said)
	if err == nil {
		err = s.sayReadiness()
	}
	if want := "the node is NOT READY: cluster: joining\n"; err != nil || said.String() != want {
		t.Errorf("said %q, %v, want %q", said.String(), err, want)
	}
}
