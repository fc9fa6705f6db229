package placement

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"ssod/cluster/meta"
	"ssod/cluster/plan"
	"ssod/persistence/level"
)

// settingsTable has what must be the same on all nodes, as text under its name.
const settingsTable = "settings"

// ErrSetting: a change names an unknown setting or an illegal value. Nothing has changed.
var ErrSetting = errors.New("nothing was changed")

// Settings are what must be the same on all nodes. A cluster is founded with those of its
// first node; from then on they are in a table of the meta shard.
type Settings struct {
	// Replicas is how many copies each shard should have: 1, 3 or 5.
	Replicas int
	// DeadAfter is how long a node may be unreachable before its replicas are replaced.
	// With less every long restart moves data.
	DeadAfter time.Duration
	// Level is the format level that all members write. It only rises, to one that every
	// member's version knows.
	Level int
}

// DefaultSettings are those of a cluster whose founder sets none.
func DefaultSettings() Settings {
	return Settings{Replicas: 3, DeadAfter: 5 * time.Minute, Level: level.First}
}

// leastDeadAfter is the shortest time after which a node may count as dead.
const leastDeadAfter = time.Second

// setting is how one of the settings is written, read and checked, and a description of
// legal values for operators.
type setting struct {
	text  func(Settings) string
	parse func(s *Settings, value string) error
	legal func(Settings) bool
	want  string
}

// settings are all settings by name.
var settings = map[string]setting{
	"replicas": {
		text: func(s Settings) string { return strconv.Itoa(s.Replicas) },
		parse: func(s *Settings, value string) (err error) {
			s.Replicas, err = strconv.Atoi(value)
			return err
		},
		legal: func(s Settings) bool { return slices.Contains([]int{1, 3, 5}, s.Replicas) },
		want:  "1, 3 or 5",
	},
	"dead-after": {
		text: func(s Settings) string { return s.DeadAfter.String() },
		parse: func(s *Settings, value string) (err error) {
			s.DeadAfter, err = time.ParseDuration(value)
			return err
		},
		legal: func(s Settings) bool { return s.DeadAfter >= leastDeadAfter },
		want:  "a duration of 1s or more, such as 5m",
	},
	"level": {
		text: func(s Settings) string { return strconv.Itoa(max(level.First, s.Level)) },
		parse: func(s *Settings, value string) (err error) {
			s.Level, err = strconv.Atoi(value)
			return err
		},
		legal: func(s Settings) bool { return s.Level >= level.First },
		want:  "a format level",
	},
}

// Text are the settings by name.
func (s Settings) Text() map[string]string {
	text := make(map[string]string, len(settings))
	for name, one := range settings {
		text[name] = one.text(s)
	}
	return text
}

// With are the settings after a change of some, by name. Its error, an [ErrSetting], has
// every mistake.
func (s Settings) With(changes map[string]string) (Settings, error) {
	var mistakes []string
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		one, known := settings[name]
		if !known {
			mistakes = append(mistakes, fmt.Sprintf("there is no setting %q, only %s", name, strings.Join(slices.Sorted(maps.Keys(settings)), ", ")))
		} else if err := one.parse(&s, changes[name]); err != nil || !one.legal(s) {
			mistakes = append(mistakes, fmt.Sprintf("%s=%q is not %s", name, changes[name], one.want))
		}
	}
	if len(mistakes) > 0 {
		return s, fmt.Errorf("%w: %s", ErrSetting, strings.Join(mistakes, "; "))
	}
	return s, nil
}

// SettingsOf are the settings in the tables of a cluster: the default where one is missing,
// and without those that only newer versions know.
func SettingsOf(tables *meta.Store) (Settings, error) { return settingsIn(tables.Read(settingsTable)) }

func settingsIn(t meta.Table) (Settings, error) {
	s := DefaultSettings()
	for name, value := range t.All() {
		if one, ok := settings[name]; !ok {
			continue
		} else if err := one.parse(&s, string(value)); err != nil {
			return s, fmt.Errorf("setting %s of the cluster: %w", name, err)
		}
	}
	return s, nil
}

// FoundSettings puts the settings into the tables of a cluster that has none yet.
func FoundSettings(ctx context.Context, tables *meta.Store, s Settings) error {
	if tables.Read(settingsTable).Revision() > 0 {
		return nil
	}
	err := tables.Update(ctx, settingsTable, 0, records(s.Text()), nil)
	if errors.Is(err, meta.ErrChanged) {
		return nil // another node was faster
	}
	return err
}

func records(text map[string]string) map[string][]byte {
	puts := make(map[string][]byte, len(text))
	for name, value := range text {
		puts[name] = []byte(value)
	}
	return puts
}

// SetAlone changes settings of a single node.
func SetAlone(ctx context.Context, tables *meta.Store, self Node, changes map[string]string) error {
	for {
		t := tables.Read(settingsTable)
		puts, err := changed(t, []Node{self}, changes)
		if err == nil && len(puts) > 0 {
			err = tables.Update(ctx, settingsTable, t.Revision(), puts, nil)
		}
		if !errors.Is(err, meta.ErrChanged) {
			return err
		}
	}
}

// changed are the records that a change makes in a cluster of members.
func changed(t meta.Table, members []Node, changes map[string]string) (map[string][]byte, error) {
	s, err := settingsIn(t)
	if err != nil {
		return nil, err
	}
	next, err := s.With(changes)
	if err == nil {
		err = raisable(s.Level, next.Level, members)
	}
	if err != nil {
		return nil, err
	}
	puts := map[string][]byte{}
	for name, value := range next.Text() {
		if old, ok := t.Get(name); !ok || string(old) != value {
			puts[name] = []byte(value)
		}
	}
	return puts, nil
}

// Settings are the settings of the cluster as this node knows them.
func (p *Placement) Settings() Settings { return p.registry.Settings() }

// Set changes settings of the cluster, by name: all or nothing. The leader of the meta
// shard decides, on the settings as they are then. It fails with [ErrSetting].
func (p *Placement) Set(ctx context.Context, changes map[string]string) error {
	if err := p.request(ctx, "", &Request{Set: &SetRequest{Changes: changes}}); err != nil {
		return fmt.Errorf("change the settings of the cluster: %w", err)
	}
	p.seeDecision(ctx)
	return nil
}

// set changes settings on the leader of the meta shard.
func (p *Placement) set(ctx context.Context, changes map[string]string) error {
	return p.decideUntil(ctx, func(ctx context.Context, s *session) error {
		table := p.tables.Read(settingsTable)
		puts, err := changed(table, slices.Collect(maps.Values(s.contents.nodes)), changes)
		if err != nil || len(puts) == 0 {
			return err
		}
		if err := s.change(ctx, settingsTable, table.Revision(), puts); err != nil {
			return err
		}
		p.cfg.Log.Info("the settings of the cluster were changed", "changes", changes)
		return nil
	})
}

// Unplaced counts the shards that do not have as many copies yet as set.
func (p *Placement) Unplaced() int {
	contents := p.registry.contents.Load()
	return plan.Unplaced(contents.planned(), contents.all(p.engine.Count()), p.rules(contents))
}
