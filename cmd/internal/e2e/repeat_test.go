package e2e

import (
	"time"

	"ssod/cmd/internal/e2e/examples"
)

// checkRepeated sends the request of a case several times and compares the
// statuses.
func (w *world) checkRepeated(c examples.Case, request examples.Request) {
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
	for i, at := range times {
		<-time.After(time.Until(begin.Add(time.Duration(at * float64(time.Second)))))
		answer, err := w.send(request)
		must(w, err)
		if answer.Status != statuses[i] {
			w.Errorf("%s: call %d, %.1f s after the first: got %d, want %d", c.Title, i+1, time.Since(begin).Seconds(), answer.Status, statuses[i])
		}
	}
	if took := time.Since(begin); repeat.WithinMS > 0 && took > time.Duration(repeat.WithinMS)*time.Millisecond {
		w.Logf("the calls took %v, the case allows %d ms", took, repeat.WithinMS)
	}
}
