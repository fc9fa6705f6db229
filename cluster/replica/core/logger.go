package core

import "fmt"

// quiet is raft's logger. Raft says a line for every election and vote, which
// metrics tell better; only what it cannot go on from is heard, as a panic with a
// [BrokenError]: a broken invariant stops the process (fail-stop).
type quiet struct{ shard ShardID }

func (quiet) Debug(...any)            {}
func (quiet) Debugf(string, ...any)   {}
func (quiet) Info(...any)             {}
func (quiet) Infof(string, ...any)    {}
func (quiet) Warning(...any)          {}
func (quiet) Warningf(string, ...any) {}
func (quiet) Error(...any)            {}
func (quiet) Errorf(string, ...any)   {}

func (q quiet) Fatal(v ...any)                 { q.Panic(v...) }
func (q quiet) Fatalf(format string, v ...any) { q.Panicf(format, v...) }
func (q quiet) Panic(v ...any)                 { q.Panicf("%s", fmt.Sprint(v...)) }
func (q quiet) Panicf(format string, v ...any) {
	broken(q.shard, format, v...)
}
