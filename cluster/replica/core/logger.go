package core

import "fmt"

// quiet is raft's logger. It drops raft's lines about elections and votes, which metrics
// count, and panics with a [BrokenError] where raft cannot go on (fail-stop).
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
