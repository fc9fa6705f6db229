// Package level says which format levels of a cluster this version of the program
// knows.
//
// A level is what all members of a cluster may write: to their disks, into the logs that
// they share, to each other. A version reads what every level from [Oldest] to [Newest]
// writes, and writes what the level of its cluster allows. That is a setting of the
// cluster, which an operator raises when every member knows the new level. Until then
// each member can go back to the previous version.
//
// Code that can write more than one form asks for the level of the cluster; what is new
// in a level has a file of its own.
package level

import "fmt"

const (
	// First is the level of the first version.
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
