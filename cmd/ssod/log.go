package main

import (
	"bytes"
	"cmp"
	"io"
	"log/slog"
	"os"
	"strings"

	"ssod/cmd/internal/logsink"
)

// handler writes log lines to w in the format that the flags ask for.
func (f *flags) handler(w io.Writer) slog.Handler {
	var level slog.Level
	_ = level.UnmarshalText([]byte(f.LogLevel)) // check reports it
	o := &slog.HandlerOptions{Level: level}
	format := cmp.Or(f.LogFormat, "json")
	if info, err := os.Stderr.Stat(); f.LogFormat == "" && err == nil && info.Mode()&os.ModeCharDevice != 0 {
		format = "text"
	}
	if format == "text" {
		return slog.NewTextHandler(w, o)
	}
	return slog.NewJSONHandler(w, o)
}

// unquoted takes the lines of package log, which libraries write. What they quote a peer has
// sent, and it may be a secret: a line ends there.
type unquoted struct{ log *slog.Logger }

func (u unquoted) Write(line []byte) (int, error) {
	said, _, _ := strings.Cut(string(line), `"`)
	u.log.Info(strings.TrimSpace(said))
	return len(line), nil
}

// sink is where the log goes.
func (f *flags) sink(stderr io.Writer) *logsink.Sink {
	return logsink.New(logsink.Options{Out: stderr, Missing: func(lines uint64) []byte {
		var line bytes.Buffer
		slog.New(f.handler(&line)).Error("log lines were dropped: the reader is gone or too slow", "lines", lines)
		return line.Bytes()
	}})
}
