package actors_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
)

// recorder keeps what was logged, as text.
type recorder struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *recorder) logger() *slog.Logger { return slog.New(slog.NewTextHandler(r, nil)) }

// count is the number of lines that contain all parts.
func (r *recorder) count(parts ...string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
lines:
	for line := range strings.Lines(r.text.String()) {
		for _, part := range parts {
			if !strings.Contains(line, part) {
				continue lines
			}
		}
		n++
	}
	return n
}
