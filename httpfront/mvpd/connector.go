package mvpd

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"time"
)

// Connector speaks the protocol of one TV provider. It is safe for concurrent
// use, keeps no state between calls, and ends a call soon after its context.
type Connector interface {
	// Begin says where the user agent starts a login.
	Begin(ctx context.Context, l Login) (Step, error)
	// Complete finds out who logged in. The values are those of the callback:
	// its query, or the form of a POST. The caller has compared the state. A
	// login that the provider or the viewer ended is a [*LoginError]; any
	// other error is a fault on the way and may be told as server_error.
	Complete(ctx context.Context, l Login, values url.Values) (Identity, error)
	// Decide answers for each resource, in their order. Call it through
	// [Provider.Decide], which bounds it and turns errors into verdicts.
	Decide(ctx context.Context, q Question) ([]Decision, error)
	// Logout says where the user agent ends its session at the provider; the zero
	// Step when the provider has no such place.
	Logout(ctx context.Context, l Logout) (Step, error)
}

// Login is one login in progress, the same from Begin to Complete.
type Login struct {
	Secrets
	Requester
	// Callback is the absolute URL where the provider sends the user agent. It
	// is the same for all logins at the provider: they are told apart by state.
	Callback string
	// ServiceProvider is the name of the app that the viewer logs in for, as
	// people know it, and ServiceProviderID its id.
	ServiceProvider, ServiceProviderID string
}

// Step is what the user agent does next: it goes to URL, or sends Form.
type Step struct {
	URL  string // absolute; empty when there is a form
	Form *Form
}

// None reports whether there is nothing to do.
func (s Step) None() bool { return s.URL == "" && s.Form == nil }

// Form is what a user agent posts to a provider. The caller makes a page of it, which sends
// itself.
type Form struct {
	To     string // absolute URL
	Fields []Field
}

// Field is a field of a [Form].
type Field struct{ Name, Value string }

// Identity is the viewer who logged in.
type Identity struct {
	// Subject is the viewer's id at the provider, at most [MaxSubject] bytes:
	// attribute userID of the profile.
	Subject string
	// Attributes are what the provider says of the viewer besides the id, together at
	// most [MaxAttributes] bytes.
	Attributes []Attribute
	// Handle is what the connector wants back at decisions and at logout, for
	// instance a session id; at most [MaxHandle] bytes. Others do not read it.
	Handle []byte
	// NotAfter ends the login; zero: the integration's authnTTL does.
	NotAfter time.Time
	// Session is the provider's name of the viewer's session there: sid of OpenID
	// Connect, SessionIndex of SAML. At most [MaxSubject] bytes; "" where it names none.
	Session string
	// LogoutSubject is what the provider calls the viewer when it ends logins, where that is
	// not Subject: a provider's Subject may be a household. At most [MaxSubject] bytes.
	LogoutSubject string
	// Issued is when the provider said so, by its own clock. What the provider ends
	// later, see [End], ends this login. Zero: it never ends logins by itself, and none
	// is looked for.
	Issued time.Time
	// Tokens are what the connector wants kept once for the login and not in each
	// of its copies, such as a refresh token; at most [MaxTokens] bytes. They are
	// sealed at rest.
	Tokens []byte
}

// What is stored of a login is bounded, in bytes.
const (
	MaxSubject    = 256
	MaxAttributes = 2 << 10
	MaxHandle     = 1 << 10
	MaxTokens     = 8 << 10
)

// Attribute is one fact about a viewer; httpfront/docs/entitlement.md#user-metadata.
type Attribute struct {
	Name string
	// Value is any JSON value.
	Value json.RawMessage
	// Encrypted says that Value is for others to open: state enc, not plain.
	Encrypted bool
}

// Question asks whether a viewer may watch.
type Question struct {
	Requester
	// Subject and Handle are those of the login.
	Subject string
	Handle  []byte
	// ServiceProvider is the id of the channel that asks.
	ServiceProvider string
	Resources       []string
	// Languages is the Accept-Language of the request, for [InLanguage].
	Languages string
	// Preauthorize says that the answer is informative: nothing is played yet.
	Preauthorize bool
}

// Decision is the answer for one resource.
type Decision struct {
	Verdict Verdict
	// TTL is how long a permit counts; zero: the integration's authzTTL.
	TTL time.Duration
	// Message says why the viewer is denied, in the provider's own words; apps
	// show it. Empty: the provider says nothing. See [Decision.Details].
	Message string
	// Upgrade is what the viewer can do about it, for instance the address of a
	// page where the subscription is changed. Empty: nothing that is known.
	Upgrade string
}

// Logout is the end of a login at the provider.
type Logout struct {
	// Subject and Handle are those of the login.
	Subject string
	Handle  []byte
	// Return is the absolute URL where the user agent comes back.
	Return string
}

// LoginError says that a login ended without a viewer.
type LoginError struct {
	// Code is what the app is told in the error parameter of its redirect URL:
	// a code of RFC 6749, 4.1.2.1.
	Code string
	// Cause is what operators are told of it; nil where the viewer or the provider
	// chose so and nothing is wrong. It quotes no secret.
	Cause error
}

// Error implements error.
func (e *LoginError) Error() string {
	if e.Cause != nil {
		return fmt.Sprintf("login at the TV provider ended: %s: %v", e.Code, e.Cause)
	}
	return "login at the TV provider ended: " + e.Code
}

// Unwrap returns the cause.
func (e *LoginError) Unwrap() error { return e.Cause }

// Codes of a [LoginError].
const (
	AccessDenied           = "access_denied"           // the viewer gave up or may not
	InvalidRequest         = "invalid_request"         // the callback is not an answer to this login
	ServerError            = "server_error"            // the provider failed
	TemporarilyUnavailable = "temporarily_unavailable" // the provider cannot now
)
