package membership

import (
	"context"
	"log/slog"
	"strings"
	"sync"

	"golang.org/x/time/rate"
)

// logLines takes memberlist's lines, like "[WARN] memberlist: text", into slog.
// Packets of strangers each make one, so there is a limit.
type logLines struct {
	to   *slog.Logger
	pace *rate.Limiter

	mu     sync.Mutex // held while a line is written
	closed bool
}

func newLogLines(to *slog.Logger) *logLines {
	return &logLines{to: to, pace: rate.NewLimiter(5, 50)}
}

// close returns when nothing is written any more. Memberlist does not wait for its
// own goroutines, which go on for a probe or so after its end.
func (l *logLines) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
}

var levels = map[string]slog.Level{
	"[DEBUG]": slog.LevelDebug, "[INFO]": slog.LevelDebug, "[WARN]": slog.LevelInfo, "[ERR]": slog.LevelWarn, "[ERROR]": slog.LevelWarn,
}

// unproved reports whether memberlist says of somebody that the secret was not proved.
func unproved(text string) bool {
	text = strings.ToLower(text)
	for _, words := range []string{"no installed keys could decrypt", "remote state is not encrypted", "remote state is encrypted"} {
		if strings.Contains(text, words) {
			return true
		}
	}
	return false
}

// Write implements [io.Writer]. What memberlist calls information is of no use
// to an operator, and its warnings are hints.
func (l *logLines) Write(b []byte) (int, error) {
	tag, text, _ := strings.Cut(strings.TrimSpace(string(b)), " ")
	level, ok := levels[tag]
	if !ok {
		level, text = slog.LevelInfo, strings.TrimSpace(string(b))
	}
	text = strings.TrimPrefix(text, "memberlist: ")
	attrs := []any{"package", "memberlist"}
	if unproved(text) {
		level, text, attrs = slog.LevelWarn, "refused somebody who does not have the secret of this cluster", append(attrs, "said", text)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed && l.to.Enabled(context.Background(), level) && l.pace.Allow() {
		l.to.Log(context.Background(), level, text, attrs...)
	}
	return len(b), nil
}
