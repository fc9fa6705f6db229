package admin_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"ssod/cluster"
	"ssod/httpfront/api/admin"
)

func TestClusterShowsShardsWithoutLeader(t *testing.T) {
	f := start(t)
	_, body := f.call("GET", "/admin/v1/cluster", "")
	for _, want := range []string{`"durability": "durability of one node"`, `"leader": "n1"`, `"term": 3`, `"0-65535"`, `"detail": "no leader is known of 1 of 2"`, `"http": "127.0.0.1:8080"`} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is missing in %s", want, body)
		}
	}
}

// cluster3 is a cluster of three nodes, of which the world is n1.
type cluster3 struct{ removed, readmitted, drained string }

func (c *cluster3) Nodes() []admin.Member {
	var drain *admin.Drain
	if c.drained == "n2" {
		drain = &admin.Drain{Copies: 7}
	}
	there := map[string]string{"http": "127.0.0.1:8080"}
	return []admin.Member{
		{Name: "n1", Self: true},
		{Name: "n2", State: admin.Alive, Addresses: there, Drain: drain},
		{Name: "n3", State: admin.Unreachable, Addresses: there},
	}
}

func (c *cluster3) Placement(_ context.Context, id cluster.ShardID) admin.Placement {
	return admin.Placement{Leader: "n2", Term: 7, Voters: []string{"n1", "n2", "n3"}, Confirmed: true, Lag: 5}
}

func (c *cluster3) Spare() int { return 1 }

func (c *cluster3) Zones() ([]admin.Zone, int) {
	return []admin.Zone{{Name: "a", Nodes: []string{"n1", "n2"}, Stops: 3}, {Name: "b", Nodes: []string{"n3"}}}, 0
}

func (c *cluster3) Remove(_ context.Context, name string) error {
	switch name {
	case "n2":
		return admin.ErrNodeNeeded
	case "n9":
		return admin.ErrNoNode
	}
	c.removed = name
	return nil
}

func (c *cluster3) Drain(_ context.Context, name string) error {
	switch name {
	case "n1":
		return fmt.Errorf("%w: two nodes would be left", admin.ErrNotDrained)
	case "n9":
		return admin.ErrNoNode
	}
	c.drained = name
	return nil
}

func (c *cluster3) Undrain(_ context.Context, name string) error {
	if name != c.drained {
		return admin.ErrNoNode
	}
	c.drained = ""
	return nil
}

func (c *cluster3) Readmit(_ context.Context, name string) error {
	if name == "n9" {
		return admin.ErrNoNode
	}
	c.readmitted = name
	return nil
}

// settings are those of the cluster.
type settings map[string]string

func (s settings) All() (map[string]string, error) { return s, nil }

func (s settings) Unplaced() int { return 2 }

func (s settings) Set(_ context.Context, changes map[string]string) error {
	for name, value := range changes {
		if s[name] == "" {
			return fmt.Errorf("%w: %s", admin.ErrSetting, name)
		}
		s[name] = value
	}
	return nil
}

func TestSettingsOfTheCluster(t *testing.T) {
	f := start(t)
	tests := []struct {
		body   string
		status int
		want   string
	}{
		{`{"replicas":"1"}`, 200, `"replicas": "1"`},
		{`{"replicas":5}`, 200, `"replicas": "5"`},
		{`{}`, 200, `"unplacedShards": 2`},
		{`{"replica":"1"}`, 400, "bad setting: replica"},
		{`{"replicas":true}`, 400, "request_invalid"},
		{`{"replicas":"1","replicas":"3"}`, 400, "request_invalid"},
		{`[]`, 400, "not a JSON object"},
	}
	for _, tt := range tests {
		if status, body := f.call("POST", "/admin/v1/cluster/settings", tt.body); status != tt.status || !strings.Contains(body, tt.want) {
			t.Errorf("%s: got %d %s, want %d with %s", tt.body, status, body, tt.status, tt.want)
		}
	}
	if _, body := f.call("GET", "/admin/v1/cluster", ""); !strings.Contains(body, `"replicas": "5"`) {
		t.Errorf("the settings are missing in %s", body)
	}
}

func TestClusterOfThree(t *testing.T) {
	f := start(t)
	if status, _ := f.call("DELETE", "/admin/v1/nodes/n3", ""); status != 404 {
		t.Errorf("remove a node of a cluster of one: got %d, want 404", status)
	}
	three := &cluster3{}
	services := f.services(t)
	services.Members = three
	f.server.Serve(services)
	_, body := f.call("GET", "/admin/v1/cluster", "")
	for _, want := range []string{`"durability": "durability of 2 nodes"`, `"spareNodes": 1`, `"spareZones": 0`, `"shardsStopped": 3`, `"state": "unreachable"`, `"leader": "n2"`, `"lag": 5`, `"confirmed": true`, `"ok": true`} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is missing in %s", want, body)
		}
	}
	for name, want := range map[string]int{"n2": 409, "n9": 404, "n3": 204} {
		if status, body := f.call("DELETE", "/admin/v1/nodes/"+name, ""); status != want {
			t.Errorf("remove %s: got %d %s, want %d", name, status, body, want)
		}
	}
	for name, want := range map[string]int{"n9": 404, "n3": 204} {
		if status, body := f.call("POST", "/admin/v1/nodes/"+name+"/readmit", ""); status != want {
			t.Errorf("readmit %s: got %d %s, want %d", name, status, body, want)
		}
	}
	if three.removed != "n3" || three.readmitted != "n3" {
		t.Errorf("removed %q, readmitted %q, want n3", three.removed, three.readmitted)
	}
}

func TestNodesAreDrained(t *testing.T) {
	f := start(t)
	if status, _ := f.call("POST", "/admin/v1/nodes/n1/drain", ""); status != 409 {
		t.Errorf("drain the only node: got %d, want 409", status)
	}
	three := &cluster3{}
	services := f.services(t)
	services.Members = three
	f.server.Serve(services)
	tests := []struct {
		path   string
		status int
		says   string
	}{
		{"n9/drain", 404, "no such node"},
		{"n1/drain", 409, "two nodes would be left"},
		{"n2/drain", 202, `"copies": 7`},
		{"n3/undrain", 404, "no such node"},
		{"n2/undrain", 202, `"name": "n2"`},
	}
	for _, tt := range tests {
		if status, body := f.call("POST", "/admin/v1/nodes/"+tt.path, ""); status != tt.status || !strings.Contains(body, tt.says) {
			t.Errorf("%s: got %d %s, want %d that says %q", tt.path, status, body, tt.status, tt.says)
		}
	}
}

// A node that has left knows the cluster, and nothing that it would need keys for.
func TestANodeThatHasLeft(t *testing.T) {
	f := start(t)
	all := f.services(t)
	f.server.Serve(&admin.Services{Settings: all.Settings, Shards: all.Shards, Slots: all.Slots, Members: &cluster3{drained: "n1"}, ClusterSettings: all.ClusterSettings, Out: true})
	for _, tt := range []struct {
		method, path string
		want         int
	}{
		{"GET", "cluster", 200},
		{"POST", "nodes/n1/undrain", 202},
		{"GET", "keys", 503},
		{"POST", "reload", 503},
		{"POST", "software-statements", 503},
		{"DELETE", "clients/c1", 503},
	} {
		if status, body := f.call(tt.method, "/admin/v1/"+tt.path, ""); status != tt.want {
			t.Errorf("%s %s: got %d %s, want %d", tt.method, tt.path, status, body, tt.want)
		}
	}
}
