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

// The types. [DecisionDenied] and [LinkCodeAttack] are not stated yet.
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

// Types are all of them.
func Types() []Type {
	return []Type{
		DeviceJoined, DeviceLinked, DeviceUnlinked, LoginCompleted, LoginEnded,
		DecisionDenied, DegradationSet, DegradationEnded, LinkCodeAttack, EventsDropped,
	}
}

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
	// Rule and Until are of a degradation.
	Rule  string
	Until time.Time
}

// Account is a viewer's account at a TV provider.
type Account struct{ MVPD, UserID string }

// Teller states the facts of a decision. It is called when somebody wants to know.
type Teller func() []Fact
