// Package event says what the service tells others of: facts, which decisions state and
// commits carry, so that they are told if and only if they happened.
//
// An entity does not know who wants to know what. Its [Fact] has what is known of the
// matter; what of it a receiver may see is decided where receivers are configured
// (httpfront/docs/events.md#types).
package event

import "time"

// Type is what has happened; httpfront/docs/events.md#types.
type Type string

// Level is the format level of the cluster from which on commits can carry events.
const Level = 2

// The types.
const (
	DeviceJoined     Type = "device.joined"
	DeviceLinked     Type = "device.linked"
	DeviceUnlinked   Type = "device.unlinked"
	LoginCompleted   Type = "login.completed"
	LoginEnded       Type = "login.ended"
	DegradationSet   Type = "degradation.set"
	DegradationEnded Type = "degradation.ended"
	DecisionDenied   Type = "decision.denied"
	LinkCodeAttack   Type = "linkcode.attack"
	EventsDropped    Type = "events.dropped"
)

// Reasons of [DeviceUnlinked] and [LoginEnded].
const (
	ByApp      = "app"      // the app unlinked it; the viewer logged out
	ByProvider = "provider" // the TV provider ended or voided it
	Expired    = "expired"  // not seen for too long, or the oldest when there was no room
)

// Fact is something that happened. What is not known or does not apply is empty.
type Fact struct {
	Type            Type
	Realm           string // empty: that of the service provider
	ServiceProvider string
	// Issuer and SSOID name the viewer's profile; no issuer: an app asserted the id.
	Issuer, SSOID string
	// Device is the decoded AP-Device-Identifier.
	Device []byte
	// MVPD is the TV provider that the fact is about.
	MVPD string
	// Accounts are the viewer's at TV providers, for those who are told of their own viewers.
	Accounts []Account
	// Login is the id of a login, and NotAfter when it expires.
	Login    []byte
	NotAfter time.Time
	Reason   string
	// Count and Since are of what sums up.
	Count int
	Since time.Time
	// Rule is of a degradation, and Until of that and of what sums up a window.
	Rule  string
	Until time.Time
	// Denials are those of a [DecisionDenied], the most frequent first.
	Denials []Denial
	// Attack is that of a [LinkCodeAttack].
	Attack Attack
}

// Denial sums up decisions that denied resources.
type Denial struct {
	ServiceProvider, MVPD string
	Call                  string // authorize or preauthorize
	Code                  string // of the error that the app got
	Count                 int
}

// Attack sums up how link codes of a realm were guessed.
type Attack struct {
	// Own and Other are wrong guesses from networks that have codes themselves, and from
	// others.
	Own, Other int
	// Refused are guesses that were not looked up among all codes, because those of the
	// length are closed.
	Refused int
	// Closed are the lengths that were closed in the end.
	Closed []int
	// Meter is where the risk meter was in the end, as a part of what the realm accepts.
	Meter float64
}

// Account is a viewer's account at a TV provider.
type Account struct{ MVPD, UserID string }

// Teller states the facts of a decision. It is called when somebody wants to know.
type Teller func() []Fact
