package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"
)

// view is the part of GET /admin/v1/cluster that this program reads.
type view struct {
	ID         string          `json:"id"`
	Durability string          `json:"durability"`
	SpareNodes int             `json:"spareNodes"`
	SpareZones int             `json:"spareZones"`
	Zones      []zoneView      `json:"zones"`
	Nodes      []nodeView      `json:"nodes"`
	Shards     []shardView     `json:"shards"`
	Invariants []invariantView `json:"invariants"`
}

type nodeView struct {
	Name      string            `json:"name"`
	Self      bool              `json:"self"`
	State     string            `json:"state"`
	Version   string            `json:"version"`
	Zone      string            `json:"zone"`
	Started   time.Time         `json:"started"`
	Addresses map[string]string `json:"addresses"`
	PublicTLS bool              `json:"publicTLS"`
	Drain     *drainView        `json:"drain"`
}

// shownState is the state of a node; a drained one that is dead is both.
func (n *nodeView) shownState() string {
	if n.Drain != nil && n.State != "draining" {
		return n.State + ", drained"
	}
	return n.State
}

type shardView struct {
	Shard    int      `json:"shard"`
	Leader   string   `json:"leader"`
	Replicas []string `json:"replicas"`
	Learners []string `json:"learners"`
}

type invariantView struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

type statusCommand struct{}

func (statusCommand) Run(s *session) error {
	if err := s.sayReadiness(); err != nil {
		return err
	}
	var raw json.RawMessage
	if err := s.operate(http.MethodGet, "/admin/v1/cluster", nil, nil, &raw); err != nil {
		return err
	}
	if s.json {
		return s.printJSON(raw)
	}
	var v view
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	return s.showCluster(&v)
}

// showCluster writes what GET /admin/v1/cluster says, for people.
func (s *session) showCluster(v *view) error {
	led, votes, copies := map[string]int{}, map[string]int{}, map[string]int{}
	for _, shard := range v.Shards {
		led[shard.Leader]++
		for _, name := range shard.Replicas {
			votes[name]++
		}
		for _, name := range shard.Learners {
			copies[name]++
		}
	}
	fmt.Fprintf(s.stdout, "cluster %s, %s%s\n", v.ID, v.Durability, v.bearable())
	for _, line := range v.aboutZones() {
		fmt.Fprintln(s.stdout, line)
	}
	for _, i := range v.Invariants {
		if !i.OK {
			fmt.Fprintf(s.stdout, "NOT TRUE: %s: %s\n", i.Name, i.Detail)
		}
	}
	var rows [][]string
	for _, n := range v.Nodes {
		up := "-"
		if !n.Started.IsZero() {
			up = time.Since(n.Started).Round(time.Second).String()
		}
		rows = append(rows, []string{
			n.Name, n.shownState(), strconv.Itoa(led[n.Name]) + " of " + strconv.Itoa(len(v.Shards)),
			strconv.Itoa(votes[n.Name]), strconv.Itoa(copies[n.Name]), cmp.Or(n.Zone, "-"), n.Addresses["http"], n.Version, up,
		})
	}
	return s.table(v, "NODE\tSTATE\tLEADS SHARDS\tVOTES\tLISTENS\tZONE\tHTTP\tVERSION\tUP", rows)
}

// bearable says how many more nodes may be lost.
func (v *view) bearable() string {
	switch {
	case len(v.Nodes) < 2:
		return ""
	case v.SpareNodes < 0:
		return ", TOO FEW NODES for some shards"
	case v.SpareNodes == 0:
		return ", no more node may be lost"
	case v.SpareNodes == 1:
		return ", 1 more node may be lost"
	}
	return fmt.Sprintf(", %d more nodes may be lost", v.SpareNodes)
}

// sayReadiness prints why the node is not ready, and its advice to the operator.
func (s *session) sayReadiness() error {
	request, err := http.NewRequestWithContext(s.ctx, http.MethodGet, s.admin+"/readyz", nil)
	if err != nil {
		return err
	}
	if s.token != "" {
		request.Header.Set("Authorization", "Bearer "+s.token)
	}
	_, answer, err := s.send(request)
	if err != nil {
		return unreachable(s.admin, err)
	}
	var page struct {
		Node       string
		Conditions []struct {
			Condition, Detail string
			OK, Advice        bool
		}
	}
	if json.Unmarshal(answer, &page) != nil {
		return nil // the next call finds out who answers there
	}
	who := "node " + page.Node
	if page.Node == "" { // it has not joined yet
		who = "the node"
	}
	for _, c := range page.Conditions {
		switch {
		case c.OK:
		case c.Advice:
			s.say("%s: %s: %s", who, c.Condition, c.Detail)
		default:
			s.say("%s is NOT READY: %s: %s", who, c.Condition, c.Detail)
		}
	}
	return nil
}

// publicURL is where the public API of the node is.
func (s *session) publicURL() (string, error) {
	if s.http != "" {
		return s.http, nil
	}
	var v view
	if err := s.operate(http.MethodGet, "/admin/v1/cluster", nil, nil, &v); err != nil {
		return "", err
	}
	for _, n := range v.Nodes {
		if n.Self && n.PublicTLS {
			return "https://" + s.reachable(n.Addresses["http"]), nil
		}
		if n.Self {
			return "http://" + s.reachable(n.Addresses["http"]), nil
		}
	}
	return "", fmt.Errorf("the admin API does not say where the public API is; use --http")
}

// reachable is an address of the node as this program reaches it: an unspecified one is
// the host of the admin API.
func (s *session) reachable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	admin, err := url.Parse(s.admin)
	if ip, parseErr := netip.ParseAddr(host); err != nil || host != "" && (parseErr != nil || !ip.IsUnspecified()) {
		return address
	}
	return net.JoinHostPort(admin.Hostname(), port)
}
