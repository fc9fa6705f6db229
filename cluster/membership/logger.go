package membership

import (
	"context"
	"log/slog"
	"strings"
	"sync"

	"golang.org/x/time/rate"
)

// logLines logs memberlist's lines, like "[WARN] memberlist: text", with slog. They are
// limited, because each packet of a stranger makes one.
type logLines struct {
	to   *slog.Logger
	pace *rate.Limiter

	mu     sync.Mutex // held while a line is written
	closed bool
}

func newLogLines(to *slog.Logger) *logLines {
	return &logLines{to: to, pace: rate.NewLimiter(5, 50)}
}

// close returns when nothing is written any more. Memberlist does not wait for its own
// goroutines.
func (l *logLines) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
}

var levels = map[string]slog.Level{
	"[DEBUG]": slog.LevelDebug, "[INFO]": slog.LevelDebug, "[WARN]": slog.LevelInfo, "[ERR]": slog.LevelWarn, "[ERROR]": slog.LevelWarn,
}

// unproved reports whether memberlist complains of a sender without the secret.
func unproved(text string) bool {
	text = strings.ToLower(text)
	for _, words := range []string{"no installed keys could decrypt", "remote state is not encrypted", "remote state is encrypted"} {
		if strings.Contains(text, words) {
			return true
		}
	}
	return false
}

// Write implements [io.Writer], at lower levels than memberlist's.
func (l *logLines) Write(b []byte) (int, error) {
	tag, text, _ := strings.Cut(strings.TrimSpace(string(b)), " ")
	level, ok := levels[tag]
	if !ok {
		level, text = slog.LevelInfo, strings.TrimSpace(string(b))
	}
	text = strings.TrimPrefix(text, "memberlist: ")
	attrs := []any{"package", "memberlist"}
	if unproved(text) {
		level, text, attrs = slog.LevelWarn, "refused a sender that does not have the secret of this cluster", append(attrs, "said", text)
	}
	if strings.HasPrefix(text, "Got ping for unexpected node") {
		level = slog.LevelDebug // many a second while others still know a node that had this address
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed && l.to.Enabled(context.Background(), level) && l.pace.Allow() {
		l.to.Log(context.Background(), level, text, attrs...)
	}
	return len(b), nil
}
