package mvpd

import (
	"sync"
	"time"
)

// Bounds of [Provider.Warn].
const (
	warnings    = 10 // lines of the log in a period
	warningsFor = time.Minute
)

// warner counts the lines of the log in the period that began last.
type warner struct {
	mu       sync.Mutex
	began    time.Time
	lines    int
	unlogged int
}

// Warn logs what went wrong with the provider, as [slog.Logger.Warn] does. It is for what
// anybody can cause, so nobody can fill the log with it: ten lines a minute and provider are
// written, and the next one says how many were not (unlogged).
func (p *Provider) Warn(text string, arguments ...any) {
	unlogged, ok := p.warner.next(time.Now())
	if !ok {
		return
	}
	arguments = append([]any{"mvpd", p.Config.ID}, arguments...)
	if unlogged > 0 {
		arguments = append(arguments, "unlogged", unlogged)
	}
	p.log.Warn(text, arguments...)
}

// next reports whether one more line may be written, and how many were not before it.
func (w *warner) next(now time.Time) (unlogged int, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now.Sub(w.began) >= warningsFor {
		w.began, w.lines = now, 0
	}
	if w.lines == warnings {
		w.unlogged++
		return 0, false
	}
	w.lines++
	unlogged, w.unlogged = w.unlogged, 0
	return unlogged, true
}
