package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// figure is a number of a report. One that was not measured is NaN: it is printed
// as a dash, it is null in JSON, and it reaches no mark.
type figure float64

var unmeasured = figure(math.NaN())

func (f figure) measured() bool { return !math.IsNaN(float64(f)) }

// atMost and atLeast compare with a mark.
func (f figure) atMost(mark float64) bool  { return float64(f) <= mark }
func (f figure) atLeast(mark float64) bool { return float64(f) >= mark }

// text is the figure in a format of package fmt.
func (f figure) text(format string) string {
	if !f.measured() {
		return "-"
	}
	return fmt.Sprintf(format, float64(f))
}

// unlessZero is the text of a figure that is 0 where it has no meaning.
func (f figure) unlessZero(format string) string {
	if f == 0 {
		return ""
	}
	return f.text(format)
}

func (f figure) MarshalJSON() ([]byte, error) {
	if !f.measured() {
		return []byte("null"), nil
	}
	return json.Marshal(float64(f))
}

func (f *figure) UnmarshalJSON(raw []byte) error {
	if bytes.Equal(raw, []byte("null")) {
		*f = unmeasured
		return nil
	}
	return json.Unmarshal(raw, (*float64)(f))
}

// verdict says whether a figure reached its mark; nothing without a mark.
func verdict(mark string, f figure, passed bool) string {
	switch {
	case mark == "":
		return ""
	case !f.measured():
		return "not measured"
	case passed:
		return "PASS"
	}
	return "FAIL"
}

// median is the median of the measured figures.
func median[T any](all []T, value func(T) figure) figure {
	var values []float64
	for _, v := range all {
		if f := value(v); f.measured() {
			values = append(values, float64(f))
		}
	}
	if len(values) == 0 {
		return unmeasured
	}
	slices.Sort(values)
	return figure(values[len(values)/2]+values[(len(values)-1)/2]) / 2
}

// itself is the value of a figure.
func itself(f figure) figure { return f }

// quantile is that of a distribution of durations, in milliseconds.
func quantile(latency *hdrhistogram.Histogram, percent float64) figure {
	if latency.TotalCount() == 0 {
		return unmeasured
	}
	return figure(latency.ValueAtQuantile(percent)) / figure(time.Millisecond)
}

func micros(d time.Duration) figure { return figure(d) / figure(time.Microsecond) }
