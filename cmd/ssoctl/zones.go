package main

import (
	"fmt"
	"strings"
)

// zoneView is a zone, of nodes that fail together; the name is empty for nodes without
// one.
type zoneView struct {
	Name  string   `json:"name"`
	Nodes []string `json:"nodes"`
	Stops int      `json:"shardsStopped"`
}

// aboutZones says which zones may be lost, and what prevents more; nothing if no node has
// a zone.
func (v *view) aboutZones() (lines []string) {
	var names, stops []string
	for _, z := range v.Zones {
		if z.Name == "" {
			lines = append(lines, fmt.Sprintf("without a zone: %s; replicas move for the sake of zones when every node has one (--zone)", strings.Join(z.Nodes, ", ")))
			continue
		}
		names = append(names, z.Name)
		if z.Stops > 0 {
			stops = append(stops, fmt.Sprintf("without zone %s %d of %d shards stop", z.Name, z.Stops, len(v.Shards)))
		}
	}
	switch {
	case len(names) == 0:
		return nil
	case v.SpareZones > 0:
		return append([]string{fmt.Sprintf("zones %s: any %d of them may be lost", strings.Join(names, ", "), v.SpareZones)}, lines...)
	case len(names) == 1:
		lines = append([]string{"a single zone, " + names[0] + ": nothing survives its loss"}, lines...)
	case len(names) == 2:
		lines = append([]string{"two zones, " + strings.Join(names, " and ") + ": they survive no loss of a zone, since one of the two has the majority of a shard's voters; it takes a third"}, lines...)
	default:
		lines = append([]string{"zones " + strings.Join(names, ", ") + ": none may be lost now"}, lines...)
	}
	return append(lines, stops...)
}
