package placement

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ssod/persistence/level"
)

// raisable is an error if the format level of a cluster cannot become another one: it is
// never lowered, since what was written at it stays, and every member must know it, also
// one that is down or about to leave, because it may come back.
func raisable(from, to int, members []Node) error {
	switch {
	case to == from:
		return nil
	case to < from:
		return fmt.Errorf("%w: the cluster is at format level %d, and a level is never lowered", ErrSetting, from)
	}
	var older []string
	for _, n := range slices.SortedFunc(slices.Values(members), func(a, b Node) int { return cmp.Compare(a.ID, b.ID) }) {
		if n.State != NodeState_REMOVED && !n.Levels.Has(to) {
			older = append(older, fmt.Sprintf("%s (version %s) knows %v", n.Name, cmp.Or(n.Version, "unknown"), n.Levels))
		}
	}
	if len(older) > 0 {
		return fmt.Errorf("%w: level=%d is not known to every member: %s: start a newer version there, or remove the node if it is gone for good",
			ErrSetting, to, strings.Join(older, ", "))
	}
	return nil
}

// ErrLevel: the cluster is at a format level that this version does not know.
var ErrLevel = fmt.Errorf("%w: another version is needed", ErrRefused)

// compatible refuses a node whose version does not know the level of the cluster.
func compatible(at int, n Node) error {
	if n.Levels.Has(at) {
		return nil
	}
	return fmt.Errorf("%w: the cluster is at format level %d, and version %s of node %s knows %v",
		ErrLevel, at, cmp.Or(n.Version, "unknown"), n.Name, n.Levels)
}

// takeLevel reports that the level of the cluster has risen.
func (p *Placement) takeLevel() {
	at := p.registry.Settings().Level
	if at <= p.level || p.tables.Read(settingsTable).Revision() == 0 {
		return
	}
	p.level = at
	p.cfg.Levelled(at, compatible(at, Node{Name: p.cfg.Self.Name, Version: p.cfg.Self.Version, Levels: level.Known()}))
}

// StoredLevel is the format level in a record of a meta table; false if it is another
// record.
func StoredLevel(table, key string, value []byte) (at int, ok bool) {
	if table != settingsTable || key != "level" {
		return 0, false
	}
	at, err := strconv.Atoi(string(value))
	return at, err == nil
}
