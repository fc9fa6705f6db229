package actors

import (
	"context"
	"fmt"
	"log/slog"

	"ssod/cluster"
)

// quiet lets pass what the actor library says about connections, without the
// messages and process ids it adds: commands hold what must not be logged.
type quiet struct{ to slog.Handler }

func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelError && q.to.Enabled(ctx, slog.LevelWarn)
}

func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	kept := slog.NewRecord(r.Time, slog.LevelWarn, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "address" || a.Key == "error" {
			kept.AddAttrs(a)
		}
		return true
	})
	return q.to.Handle(ctx, kept)
}

func (q quiet) WithAttrs([]slog.Attr) slog.Handler { return q }
func (q quiet) WithGroup(string) slog.Handler      { return q }

// trace is the request id as clients see it in an error.
func trace(r cluster.RequestID) string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", r[0:4], r[4:6], r[6:8], r[8:10], r[10:16])
}
