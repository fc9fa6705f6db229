// Package logsink hands log lines to a reader that may be slow, stuck or gone,
// and never waits for it.
//
// Standard error is usually a pipe to journald, to a container's supervisor or to a log
// shipper. When the reader hangs, a write does not return; when it ends, a write fails,
// and by default SIGPIPE ends a Go program. Neither may stop the service, nor keep it from
// being stopped.
//
// So a line is put into a buffer of bounded size, which one goroutine writes out. A line
// without room, or that cannot be written, is dropped and counted; when lines get through
// again, one of them says how many are missing. Before the process ends [Sink.Flush]
// waits for the rest, for a bounded time too.
//
// Messages of the Go runtime itself, like those of a panic, bypass the sink.
package logsink
