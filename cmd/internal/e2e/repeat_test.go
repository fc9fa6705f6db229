package e2e

import (
	"fmt"
	"maps"
	"time"

	"ssod/cmd/internal/e2e/examples"
)

// punctual is how late a call of a timeline may be answered for the case to say
// anything: its calls are 100 ms apart at least.
const punctual = 90 * time.Millisecond

// checkRepeated sends the request of a case several times and compares the
// statuses. Where the machine has not let the calls be made in time, all of them
// are made again, from an address that the service has not seen.
func (w *world) checkRepeated(c examples.Case, request examples.Request) {
	w.Helper()
	attempt := 0
	until(w, "the calls of the case are made in time", func() bool {
		if attempt++; attempt > 1 {
			request.Headers = maps.Clone(request.Headers)
			request.Headers["X-Forwarded-For"] = fmt.Sprintf("198.51.100.%d", attempt)
		}
		differences, inTime := w.repeated(c, request)
		if !inTime {
			return false
		}
		for _, difference := range differences {
			w.Errorf("%s: %s", c.Title, difference)
		}
		return true
	})
}

// repeated makes the calls and says what was answered wrongly, and whether they
// were made in time.
func (w *world) repeated(c examples.Case, request examples.Request) (differences []string, inTime bool) {
	w.Helper()
	repeat := request.Repeat
	statuses, times := repeat.Statuses, repeat.AtSeconds
	for i := range repeat.Times {
		status := c.Expect.Status
		if i < repeat.FirstCount {
			status = repeat.FirstExpectStatus
		}
		statuses, times = append(statuses, status), append(times, 0)
	}
	begin := time.Now()
	inTime = true
	for i, at := range times {
		due := time.Duration(at * float64(time.Second))
		<-time.After(due - time.Since(begin))
		answer, err := w.send(request)
		must(w, err)
		took := time.Since(begin)
		if answer.Status != statuses[i] {
			differences = append(differences, fmt.Sprintf("call %d, %.1f s after the first: got %d, want %d", i+1, took.Seconds(), answer.Status, statuses[i]))
		}
		inTime = inTime && (repeat.WithinMS > 0 || took-due <= punctual)
	}
	if repeat.WithinMS > 0 {
		inTime = time.Since(begin) <= time.Duration(repeat.WithinMS)*time.Millisecond
	}
	return differences, inTime
}
