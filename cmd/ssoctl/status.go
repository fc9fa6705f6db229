package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// view is the part of GET /admin/v1/cluster that this program reads.
type view struct {
	ID         string `json:"id"`
	Durability string `json:"durability"`
	Nodes      []struct {
		Name      string            `json:"name"`
		Self      bool              `json:"self"`
		State     string            `json:"state"`
		Version   string            `json:"version"`
		Started   time.Time         `json:"started"`
		Addresses map[string]string `json:"addresses"`
		PublicTLS bool              `json:"publicTLS"`
	} `json:"nodes"`
	Shards []struct {
		Leader string `json:"leader"`
	} `json:"shards"`
	Invariants []struct {
		Name   string `json:"name"`
		OK     bool   `json:"ok"`
		Detail string `json:"detail"`
	} `json:"invariants"`
}

type statusCommand struct{}

// Run implements status.
func (statusCommand) Run(s *session) error {
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
	led := map[string]int{}
	for _, shard := range v.Shards {
		led[shard.Leader]++
	}
	fmt.Fprintf(s.stdout, "cluster %s, %s\n", v.ID, v.Durability)
	for _, i := range v.Invariants {
		if !i.OK {
			fmt.Fprintf(s.stdout, "NOT TRUE: %s: %s\n", i.Name, i.Detail)
		}
	}
	var rows [][]string
	for _, n := range v.Nodes {
		rows = append(rows, []string{
			n.Name, n.State, strconv.Itoa(led[n.Name]) + " of " + strconv.Itoa(len(v.Shards)),
			n.Addresses["http"], n.Version, time.Since(n.Started).Round(time.Second).String(),
		})
	}
	return s.table(v, "NODE\tSTATE\tLEADS SHARDS\tHTTP\tVERSION\tUP", rows)
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
			return "https://" + n.Addresses["http"], nil
		}
		if n.Self {
			return "http://" + n.Addresses["http"], nil
		}
	}
	return "", fmt.Errorf("the admin API does not say where the public API is; use --http")
}
