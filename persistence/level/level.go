// Package level says which format levels of a cluster this version of the program
// knows.
//
// A level is what all members of a cluster may write: to their disks, into the logs that
// they share, to each other. A version reads what every level from [Oldest] to [Newest]
// writes, and writes what the level of its cluster allows. That is a setting of the
// cluster, and rises when an operator says so and every member knows the new one. Until
// then each member can go back to the version before.
//
// Whatever can be written in more than one form asks for the level of the cluster:
// there is a file for each level, with what is new in it.
package level

import "fmt"

const (
	// First is the level that clusters were founded with at first.
	First = 1
	// Oldest is the oldest level that this version knows.
	Oldest = First
)

// Range are the levels that a version knows.
type Range struct{ Oldest, Newest int }

// Known are the levels that this version knows.
func Known() Range { return Range{Oldest, Newest} }

// Has reports whether a level is one of them.
func (r Range) Has(level int) bool { return r.Oldest <= level && level <= r.Newest }

func (r Range) String() string {
	if r.Oldest == r.Newest {
		return fmt.Sprintf("format level %d", r.Oldest)
	}
	return fmt.Sprintf("format levels %d to %d", r.Oldest, r.Newest)
}
