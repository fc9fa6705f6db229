package main

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

type clusterGroup struct {
	Set setCluster `cmd:"" help:"Change settings of the cluster: replicas=1, 3 or 5 (copies of each shard), dead-after=5m (a node unreachable for so long is replaced), level=N (the format level, when every member has been upgraded: versions that do not know it cannot come back)."`
}

type setCluster struct {
	Settings []string `arg:"" name:"KEY=VALUE" help:"What to change, all or nothing."`
	NoWait   bool     `help:"Return before every shard has as many copies as the settings ask for."`
}

// settingsView is what the admin API says of the settings.
type settingsView struct {
	Settings map[string]string `json:"settings"`
	Unplaced int               `json:"unplacedShards"`
}

// Validate makes a mistake in the settings one in the command line.
func (c *setCluster) Validate() error {
	_, err := c.changes()
	return err
}

// changes are the settings by key.
func (c *setCluster) changes() (map[string]string, error) {
	changes := map[string]string{}
	for _, text := range c.Settings {
		key, value, ok := strings.Cut(text, "=")
		if _, twice := changes[key]; !ok || key == "" || twice {
			return nil, fmt.Errorf("%q: want KEY=VALUE, each key once", text)
		}
		changes[key] = value
	}
	return changes, nil
}

// Run implements cluster set.
func (c *setCluster) Run(s *session) error {
	changes, err := c.changes()
	if err != nil {
		return err
	}
	var now settingsView
	if err := s.operate(http.MethodPost, "/admin/v1/cluster/settings", nil, changes, &now); err != nil {
		return err
	}
	if changes["replicas"] == "1" {
		if err := s.warnOfOneCopy(); err != nil {
			return err
		}
	}
	if _, ok := changes["replicas"]; ok && !c.NoWait {
		if err := s.awaitPlaced(&now); err != nil {
			return err
		}
	}
	var rows [][]string
	for _, name := range slices.Sorted(maps.Keys(now.Settings)) {
		rows = append(rows, []string{name, now.Settings[name]})
	}
	return s.table(now, "SETTING\tVALUE", rows)
}

// warnOfOneCopy warns where several nodes have one copy of each shard between them.
func (s *session) warnOfOneCopy() error {
	var v view
	if err := s.operate(http.MethodGet, "/admin/v1/cluster", nil, nil, &v); err != nil {
		return err
	}
	if len(v.Nodes) > 1 {
		s.say("warning: replicas=1 leaves one copy of each shard on %d nodes: any node that is away stops its shards, and a disk that is lost loses them; "+
			"ssoctl cluster set replicas=3 keeps three copies", len(v.Nodes))
	}
	return nil
}

// progressPace is how often the progress of a change is read.
const progressPace = 500 * time.Millisecond

// awaitPlaced waits until every shard has as many replicas as the settings ask for, and
// shows the progress.
func (s *session) awaitPlaced(now *settingsView) error {
	told := 0
	for now.Unplaced > 0 {
		if now.Unplaced != told {
			s.say("replicas=%s is set; %d shards have not changed yet", now.Settings["replicas"], now.Unplaced)
			told = now.Unplaced
		}
		if err := s.pause(progressPace); err != nil {
			return err
		}
		if err := s.operate(http.MethodGet, "/admin/v1/cluster", nil, nil, now); err != nil {
			return err
		}
	}
	return nil
}
