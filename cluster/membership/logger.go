package membership

import (
	"context"
	"log"
	"log/slog"
	"strings"

	"golang.org/x/time/rate"
)

// logger takes memberlist's lines into slog.
func logger(to *slog.Logger) *log.Logger {
	return log.New(&logLines{to: to, pace: rate.NewLimiter(5, 50)}, "", 0)
}

// logLines is a writer of lines like "[WARN] memberlist: text". Packets of
// strangers each make one, so there is a limit.
type logLines struct {
	to   *slog.Logger
	pace *rate.Limiter
}

var levels = map[string]slog.Level{
	"[DEBUG]": slog.LevelDebug, "[INFO]": slog.LevelDebug, "[WARN]": slog.LevelInfo, "[ERR]": slog.LevelWarn,
}

// Write implements [io.Writer]. What memberlist calls information is of no use
// to an operator, and its warnings are hints.
func (l *logLines) Write(b []byte) (int, error) {
	tag, text, _ := strings.Cut(strings.TrimSpace(string(b)), " ")
	level, ok := levels[tag]
	if !ok {
		level, text = slog.LevelInfo, strings.TrimSpace(string(b))
	}
	if l.to.Enabled(context.Background(), level) && l.pace.Allow() {
		l.to.Log(context.Background(), level, strings.TrimPrefix(text, "memberlist: "), "package", "memberlist")
	}
	return len(b), nil
}
