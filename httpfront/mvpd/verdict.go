package mvpd

import (
	"context"
	"errors"
	"net"
)

// Verdict is a permit or the reason why there is none.
type Verdict uint8

// The verdicts. All but Permit are told to the client with a code of
// httpfront/docs/errors.md#errors-of-single-decisions.
const (
	Unreadable         Verdict = iota // the answer made no sense, or there was none
	Permit                            //
	Denied                            // the subscription does not cover it
	ParentalControls                  // the household forbids it
	HomeOnly                          // the login was made at home, and the device is not there
	SessionInvalidated                // the provider voids the login: httpfront/docs/flows.md#voided-login
	UnknownIdentity                   // the provider does not know the viewer
	TimedOut                          // the provider did not answer in its time
	OutOfTime                         // the whole request took too long
)

// Code is the verdict in the list of httpfront/docs/errors.md#errors-of-single-decisions;
// "" for a permit.
func (v Verdict) Code(preauthorize bool) string {
	if v == Denied && preauthorize {
		return "preauthorization_denied_by_mvpd"
	}
	return codes[v]
}

var codes = [...]string{
	Unreadable:         "network_received_error",
	Permit:             "",
	Denied:             "authorization_denied_by_mvpd",
	ParentalControls:   "authorization_denied_by_parental_controls",
	HomeOnly:           "authorization_denied_by_hba_policies",
	SessionInvalidated: "authorization_denied_by_session_invalidated",
	UnknownIdentity:    "identity_not_recognized_by_mvpd",
	TimedOut:           "network_connection_timeout",
	OutOfTime:          "maximum_execution_time_exceeded",
}

// ErrTimeout says that the provider did not answer a connector in its time.
var ErrTimeout = errors.New("the TV provider did not answer in time")

// errBusy says that too many questions are with the provider already.
var errBusy = errors.New("too many questions to the TV provider at once")

// ErrNobodyDecides: the configuration names no decision point.
var ErrNobodyDecides = errors.New("no decision point is configured")

// errLength says that an answer does not have one decision for each resource.
var errLength = errors.New("the number of decisions is not that of resources")

// verdictOf is the verdict when a question got no answer.
func verdictOf(err error) Verdict {
	var network net.Error
	switch {
	case errors.Is(err, ErrTimeout):
		return TimedOut
	case errors.Is(err, context.DeadlineExceeded):
		return OutOfTime
	case errors.As(err, &network) && network.Timeout():
		return TimedOut
	default:
		return Unreadable
	}
}
