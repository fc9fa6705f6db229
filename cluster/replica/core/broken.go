package core

import (
	"fmt"
	"runtime"
)

// BrokenError says that a replica cannot go on: its data contradicts itself or what its
// leader sent. The process must end, and a restart on the same data ends again.
type BrokenError struct {
	// Known: Shard is the shard of the replica.
	Known bool
	Shard ShardID
	Text  string
}

func (e *BrokenError) Error() string {
	if !e.Known {
		return "a replica cannot go on: " + e.Text
	}
	return fmt.Sprintf("the replica of shard %d cannot go on: %s", e.Shard, e.Text)
}

func broken(shard ShardID, format string, v ...any) {
	panic(&BrokenError{Known: true, Shard: shard, Text: fmt.Sprintf(format, v...)})
}

// Broken makes an error of what was recovered from a panic of a [Core] or of raft. A
// [runtime.Error] panics again.
func Broken(recovered any) error {
	switch r := recovered.(type) {
	case *BrokenError:
		return r
	case runtime.Error:
		panic(r)
	}
	return &BrokenError{Text: fmt.Sprint(recovered)}
}
