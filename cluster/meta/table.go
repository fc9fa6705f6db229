package meta

import (
	"bytes"
	"fmt"
	"iter"
	"maps"
	"slices"

	"ssod/cluster"
)

// Kind is the kind of the entities that tables are.
const Kind = kind

const (
	kind   = "meta"
	schema = 1
)

// table is one version of a table. It never changes.
type table struct {
	rev     uint64
	records map[string][]byte
}

// Table is one version of a table, as [Store.Read] found it.
type Table struct{ t *table }

// Revision counts the changes of the table; 0: it does not exist.
func (t Table) Revision() uint64 { return t.t.rev }

// Get returns the value of a key. It must not be changed.
func (t Table) Get(key string) ([]byte, bool) {
	value, ok := t.t.records[key]
	return value, ok
}

// All yields keys and values in order of key. They must not be changed.
func (t Table) All() iter.Seq2[string, []byte] { return t.t.all }

func entity(name string) cluster.Entity {
	return cluster.Entity{Kind: kind, Identity: name}
}

// load reads a table; one that does not exist is empty.
func load(r cluster.Reader, name string) (*table, error) {
	h, ok, err := r.Head(entity(name))
	if err != nil {
		return nil, fmt.Errorf("load table %s: %w", name, err)
	}
	t := &table{records: map[string][]byte{}}
	if !ok {
		return t, nil
	}
	t.rev = h.Rev
	err = r.Records(entity(name), func(part, value []byte) bool {
		t.records[string(part)] = bytes.Clone(value)
		return true
	})
	if err != nil {
		return nil, fmt.Errorf("load table %s: %w", name, err)
	}
	return t, nil
}

// Stored is a table as a node has it stored, whether it runs or not.
func Stored(r cluster.Reader, name string) (Table, error) {
	t, err := load(r, name)
	return Table{t}, err
}

// refresh returns known if it is still what is stored, else reads the table.
func refresh(r cluster.Reader, name string, known *table) (*table, error) {
	h, _, err := r.Head(entity(name))
	if err != nil {
		return nil, fmt.Errorf("load table %s: %w", name, err)
	}
	if h.Rev == known.rev {
		return known, nil
	}
	return load(r, name)
}

// loadAll reads all tables that exist.
func loadAll(r cluster.Reader) (map[string]*table, error) {
	var names []string
	err := r.Entities(kind, "", func(name string, _ cluster.Head) bool {
		names = append(names, name)
		return true
	})
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	tables := map[string]*table{}
	for _, name := range names {
		if tables[name], err = load(r, name); err != nil {
			return nil, err
		}
	}
	return tables, nil
}

// change is what a caller wants of a table.
type change struct {
	puts    map[string][]byte
	deletes []string
	// conditional: only if the table's revision is base.
	conditional bool
	base        uint64
}

// commit is the change made on this version of the table.
func (t *table) commit(name string, ch change, r cluster.RequestID) cluster.Commit {
	c := cluster.Commit{
		Entity: entity(name), BaseRev: t.rev, Schema: schema,
		Deletes:  ch.deletes,
		Outcomes: []cluster.Outcome{{Request: r}},
	}
	for _, key := range slices.Sorted(maps.Keys(ch.puts)) {
		c.Puts = append(c.Puts, cluster.Record{Part: key, Value: ch.puts[key]})
	}
	return c
}

// changed is the version of the table after the change.
func (t *table) changed(ch change) *table {
	next := &table{rev: t.rev + 1, records: maps.Clone(t.records)}
	for key, value := range ch.puts {
		next.records[key] = bytes.Clone(value)
	}
	for _, key := range ch.deletes {
		delete(next.records, key)
	}
	return next
}

// all yields the records in order of key.
func (t *table) all(yield func(string, []byte) bool) {
	for _, key := range slices.Sorted(maps.Keys(t.records)) {
		if !yield(key, t.records[key]) {
			return
		}
	}
}
