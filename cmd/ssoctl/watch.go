package main

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

type watchCommand struct {
	Interval time.Duration `default:"1s" placeholder:"DURATION" help:"How often the node is asked, such as 1s (${default})."`
}

// change is one difference.
type change struct {
	Time time.Time `json:"time"`
	What string    `json:"what"` // node, shard, durability, ...
	Name string    `json:"name,omitempty"`
	Was  string    `json:"was"`
	Is   string    `json:"is"`
}

func (c change) String() string {
	subject := strings.TrimSpace(c.What + " " + c.Name)
	return fmt.Sprintf("%s  %s: %s -> %s", c.Time.Format("15:04:05"), subject, orNothing(c.Was), orNothing(c.Is))
}

func orNothing(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// Run implements watch. That a node cannot be reached is a change like others.
func (c *watchCommand) Run(s *session) error {
	if c.Interval <= 0 {
		return errors.New("--interval must be above 0")
	}
	var was view
	if err := s.operate(http.MethodGet, "/admin/v1/cluster", nil, nil, &was); err != nil {
		return err
	}
	if !s.json {
		if err := s.showCluster(&was); err != nil {
			return err
		}
	}
	known := was.facts()
	known[s.answering()] = "yes"
	for s.pause(c.Interval) == nil {
		now := s.observe(known)
		if s.ctx.Err() != nil || unread(s.stdout) {
			break
		}
		if err := s.report(changes(known, now)); err != nil {
			return err
		}
		known = now
	}
	return nil // Ctrl-C is how it ends, or the end of who reads
}

// observe reads the state. While the node does not answer, the last one stays.
func (s *session) observe(known map[fact]string) map[fact]string {
	var v view
	if err := s.operate(http.MethodGet, "/admin/v1/cluster", nil, nil, &v); err != nil {
		now := maps.Clone(known)
		now[s.answering()] = "no: " + err.Error()
		return now
	}
	now := v.facts()
	now[s.answering()] = "yes"
	return now
}

// answering is whether the node that watch asks answers.
func (s *session) answering() fact { return fact{"answers", s.admin} }

// fact is something that can change.
type fact struct{ what, name string }

// facts are the parts of a view that are worth a line when they change.
func (v *view) facts() map[fact]string {
	all := map[fact]string{{what: "durability"}: v.Durability, {what: "nodes that may be lost"}: fmt.Sprint(v.SpareNodes)}
	for _, n := range v.Nodes {
		all[fact{"node", n.Name}] = n.State
	}
	for _, shard := range v.Shards {
		all[fact{"leader of shard", fmt.Sprint(shard.Shard)}] = shard.Leader
	}
	for _, i := range v.Invariants {
		all[fact{"invariant", i.Name}] = "true"
		if !i.OK {
			all[fact{"invariant", i.Name}] = "NOT TRUE: " + i.Detail
		}
	}
	return all
}

// changes are the facts that differ, in order.
func changes(was, is map[fact]string) []change {
	var all []change
	for f, value := range is {
		if was[f] != value {
			all = append(all, change{What: f.what, Name: f.name, Was: was[f], Is: value})
		}
	}
	for f, value := range was {
		if _, ok := is[f]; !ok {
			all = append(all, change{What: f.what, Name: f.name, Was: value})
		}
	}
	slices.SortFunc(all, func(a, b change) int { return strings.Compare(a.What+" "+a.Name, b.What+" "+b.Name) })
	return all
}

// report writes changes, each on a line.
func (s *session) report(all []change) error {
	now := time.Now()
	for _, c := range all {
		c.Time = now
		if err := s.print(c.String(), c); err != nil {
			return err
		}
	}
	return nil
}
