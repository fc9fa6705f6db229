// Package logsink hands log lines to a reader that may be slow, stuck or gone,
// and never waits for it.
//
// Standard error is a pipe to journald, to a container's supervisor or to a log
// shipper as a rule. When nobody empties it, a write to it does not return; when
// the reader ends, a write fails, and by default the signal SIGPIPE ends a Go
// program. Neither may stop a service that others depend on, nor keep it from
// being stopped.
//
// So a line is put into a buffer of bounded size, which one goroutine writes out.
// A line that finds no room, or that cannot be written, is dropped and counted;
// when lines get through again, one of them says how many are missing. Whoever
// ends the process calls [Sink.Flush], which is bounded too.
//
// Messages of the Go runtime itself, as of a panic, do not come this way.
package logsink
