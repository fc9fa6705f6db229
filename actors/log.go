package actors

import (
	"context"
	"fmt"
	"log/slog"

	"ssod/cluster"
)

// quiet passes on what the actor library logs about connections, without the messages
// and process ids it adds: commands hold what must not be logged.
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

// report logs a fault of a kind's code in a turn.
func (s *shard) report(k *kind, t *Turn, what string, more ...any) {
	about := []any{"kind", k.Name, "shard", s.id}
	if t.command != nil {
		about = append(about, "trace", trace(t.request), "message", t.command.ProtoReflect().Descriptor().Name())
	}
	s.runtime.log.Error(what, append(about, more...)...)
}

// trace is the request id as clients see it in an error.
func trace(r cluster.RequestID) string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", r[0:4], r[4:6], r[6:8], r[8:10], r[10:16])
}
