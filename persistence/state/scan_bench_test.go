package state

import (
	"fmt"
	"testing"
	"time"

	"ssod/persistence/data"
)

// BenchmarkEntities measures what it takes to go through the stored entities of one
// kind, per entity that a shard has of any kind: as many profiles as a shard of 64 has
// of a million, a session for each tenth, and a directory.
func BenchmarkEntities(b *testing.B) {
	const profiles = 15_000
	s := open(b, options{})
	at := s.Applied(1).Position
	c := data.Change{Shard: 1, Time: uint64(time.Now().UnixMilli())}
	add := func(kind string, n int) {
		for i := 0; ; i++ {
			e := data.Entity{Kind: kind, Identity: fmt.Sprint(n, "-", i)}
			if e.Slot() < data.Slots/64 {
				c.Commits = append(c.Commits, data.Commit{Entity: e, State: make([]byte, 250)})
				return
			}
		}
	}
	for i := range profiles {
		add("profile", i)
		if i%10 == 0 {
			add("session", i)
		}
	}
	add("directory", 0)
	at.Index++
	c.Position = at
	if _, err := s.Apply([]data.Change{c}); err != nil {
		b.Fatal(err)
	}
	flushAll(b, s)
	for _, kind := range []string{"profile", "session", "directory", "none"} {
		b.Run(kind, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := s.Entities(1, kind, "", func(string, data.Head) bool { return true }); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(c.Commits)), "ns/stored")
		})
	}
}
