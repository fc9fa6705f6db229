package core

import (
	"fmt"
	"runtime"
)

// BrokenError says that a replica cannot go on: what it has contradicts what it
// is told, or itself. The process must end; started again on the same data it
// would end again.
type BrokenError struct {
	// Known says that the shard is known.
	Known bool
	Shard ShardID
	// Text is what is wrong, in raft's words or those of this package.
	Text string
}

func (e *BrokenError) Error() string {
	if !e.Known {
		return "a replica cannot go on: " + e.Text
	}
	return fmt.Sprintf("the replica of shard %d cannot go on: %s", e.Shard, e.Text)
}

// broken ends what a group is at.
func broken(shard ShardID, format string, v ...any) {
	panic(&BrokenError{Known: true, Shard: shard, Text: fmt.Sprintf(format, v...)})
}

// Broken makes an error of what was recovered from a panic of a [Core] or of
// raft. A mistake of the program, as the runtime finds it, panics again: what is
// wanted of that is where it was.
func Broken(recovered any) error {
	switch r := recovered.(type) {
	case *BrokenError:
		return r
	case runtime.Error:
		panic(r)
	}
	return &BrokenError{Text: fmt.Sprint(recovered)}
}
