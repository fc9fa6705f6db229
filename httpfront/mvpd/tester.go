package mvpd

import (
	"context"
	"fmt"
	"time"
)

// Tester is a [Connector] that can say what is wrong with its provider.
type Tester interface {
	// Test plays what a login needs, as far as that goes without a viewer, and adds a
	// line for each thing. It changes nothing, here or there.
	Test(ctx context.Context, r *Report, l Login)
}

// Result is how a line of a [Report] is meant.
type Result string

// The results.
const (
	OK   Result = "ok"
	Warn Result = "warn" // works now, or works in part
	Fail Result = "fail" // viewers cannot log in or watch
)

// Line is one thing that was tested.
type Line struct {
	Check  string `json:"check"` // a short name
	Result Result `json:"result"`
	// Detail is what was found, Advice what to do about it; empty if nothing.
	Detail string `json:"detail"`
	Advice string `json:"advice,omitempty"`
}

// Report is what a test of a provider found. Texts of strangers are cut and made one
// line. It is not safe for concurrent use.
type Report struct {
	Lines []Line
	// Now is the time that the provider's clock and certificates are compared with.
	Now   time.Time
	hosts map[string]bool // that [Report.Visit] has judged
}

// OK adds a line about something that is well.
func (r *Report) OK(check, detail string, args ...any) { r.add(check, OK, detail, args, "") }

// Warn adds a line about something that will not do for long, with what to do.
func (r *Report) Warn(check, advice, detail string, args ...any) {
	r.add(check, Warn, detail, args, advice)
}

// Fail adds a line about something that does not work, with what to do.
func (r *Report) Fail(check, advice, detail string, args ...any) {
	r.add(check, Fail, detail, args, advice)
}

// maxLine bounds what a line says, in bytes: a login URL must fit.
const maxLine = 4 << 10

func (r *Report) add(check string, result Result, detail string, args []any, advice string) {
	if len(args) > 0 {
		detail = fmt.Sprintf(detail, args...)
	}
	r.Lines = append(r.Lines, Line{check, result, cut(line(detail), maxLine), advice})
}

// Failed reports whether something does not work.
func (r *Report) Failed() bool {
	for _, l := range r.Lines {
		if l.Result == Fail {
			return true
		}
	}
	return false
}

// warnDays is how many days a certificate must be good for.
const warnDays = 30

// Certificate adds a line about the end of a certificate; expired is what it means that it
// has ended, Warn where its key still counts.
func (r *Report) Certificate(check, whose string, notBefore, notAfter time.Time, expired Result) {
	const day = 24 * time.Hour
	left := notAfter.Sub(r.Now)
	switch {
	case left <= 0:
		r.add(check, expired, "the certificate of %s expired on %s", []any{whose, notAfter.UTC().Format(time.DateOnly)}, "it must be renewed")
	case r.Now.Before(notBefore):
		r.add(check, expired, "the certificate of %s is not good before %s", []any{whose, notBefore.UTC().Format(time.RFC3339)}, "compare the clocks")
	case left < warnDays*day:
		r.Warn(check, "it must be renewed soon", "the certificate of %s expires on %s, in %d days", whose, notAfter.UTC().Format(time.DateOnly), left/day)
	default:
		r.OK(check, "the certificate of %s is good for %d days", whose, left/day)
	}
}
