package config

import (
	"fmt"
	"slices"
	"strings"
)

// Mistake is one thing that is wrong in a configuration file, or, among the
// warnings, unwise.
type Mistake struct {
	File string // as it was named by the operator; empty for text that is no file
	Line int    // 0 when the mistake concerns the file as a whole
	Key  string // where in the file, as in realms[0].linkCode.length
	Text string
}

// String gives the mistake in one line that editors can jump to.
func (m Mistake) String() string {
	var b strings.Builder
	if m.File != "" {
		b.WriteString(m.File + ":")
	}
	if m.Line > 0 {
		fmt.Fprintf(&b, "%d:", m.Line)
	}
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	if m.Key != "" {
		b.WriteString(m.Key + ": ")
	}
	return b.String() + m.Text
}

// Mistakes is the error of [Parse] and [Load]: everything that is wrong with a
// file, in the order of its lines.
type Mistakes []Mistake

// Error gives one mistake per line.
func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i, mistake := range m {
		lines[i] = mistake.String()
	}
	return strings.Join(lines, "\n")
}

// report collects mistakes and warnings while a file is read.
type report struct {
	file     string
	lines    map[string]int // key to the line where it stands
	mistakes Mistakes
	warnings Mistakes
}

// mistake reports a mistake at a key, unless its form or that of a parent is wrong already:
// one slip, one message.
func (r *report) mistake(key, format string, args ...any) {
	for _, m := range r.mistakes {
		if within(key, m.Key) {
			return
		}
	}
	r.found(r.line(key), key, fmt.Sprintf(format, args...))
}

// maxMistakes bounds a report: a file with more is not the file that was meant.
const maxMistakes = 1000

// found reports what is wrong in a line.
func (r *report) found(line int, key, text string) {
	if len(r.mistakes) >= maxMistakes {
		return
	}
	r.mistakes = append(r.mistakes, Mistake{r.file, line, key, text})
}

// within reports whether key is outer or lies in it.
func within(key, outer string) bool {
	rest, ok := strings.CutPrefix(key, outer)
	return ok && (rest == "" || outer == "" || rest[0] == '.' || rest[0] == '[')
}

func (r *report) warn(key, format string, args ...any) {
	r.warnings = append(r.warnings, Mistake{r.file, r.line(key), key, fmt.Sprintf(format, args...)})
}

// line is where a key stands, or else the nearest key around it.
func (r *report) line(key string) int {
	for key != "" {
		if line, ok := r.lines[key]; ok {
			return line
		}
		key = key[:max(strings.LastIndexAny(key, ".["), 0)]
	}
	return r.lines[""]
}

func (m Mistakes) sort() {
	slices.SortStableFunc(m, func(a, b Mistake) int { return a.Line - b.Line })
}
