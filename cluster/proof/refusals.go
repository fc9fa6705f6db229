package proof

import (
	"errors"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// Reason is why connections to a port are ended, with the errors that say so.
type Reason struct {
	Name   string
	Errors []error
}

// Evicted is the reason that many connections came at once.
const Evicted = "evicted"

// Refusals counts ended connections by reason. It is a [prometheus.Collector].
type Refusals struct {
	*prometheus.CounterVec
	reasons []Reason
}

// NewRefusals returns a counter. The first reason that has an error counts.
func NewRefusals(name, help string, reasons []Reason) Refusals {
	r := Refusals{prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{"reason"}), reasons}
	for _, reason := range append(reasons[:len(reasons):len(reasons)], Reason{Name: Evicted}, Reason{Name: "other"}) {
		r.WithLabelValues(reason.Name)
	}
	return r
}

// Of names the reason of an error.
func (r Refusals) Of(err error) string {
	for _, reason := range r.reasons {
		if slices.ContainsFunc(reason.Errors, func(e error) bool { return errors.Is(err, e) }) {
			return reason.Name
		}
	}
	return "other"
}

// Count counts a connection that was ended because of an error.
func (r Refusals) Count(err error) { r.WithLabelValues(r.Of(err)).Inc() }
