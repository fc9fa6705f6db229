package mvpd

import (
	"context"
	"net/url"
	"time"
)

// Receiver is a [Connector] whose provider answers a login with a POST that the
// browser sends from the provider's site: response mode form_post (OAuth 2.0 Form
// Post Response Mode, 2), the HTTP-POST binding of SAML (Bindings, 3.5). Such a POST
// comes without the cookie of the login, which is SameSite=Lax, so its answer is judged
// in two steps. Complete of a Receiver is never called with what a browser brought
// itself, only with the values of an [Answer].
type Receiver interface {
	// Receive judges a posted answer without knowing the browser. Complete gets the
	// values of the answer when the browser has shown its cookie. An answer that does
	// not count is a [*LoginError], with its cause; any other error is a fault on the
	// way. The caller checks that the state names a login at this provider.
	Receive(ctx context.Context, form url.Values) (Answer, error)
}

// Answer is a posted answer that waits for its browser.
type Answer struct {
	// State is that of the login which it answers, [Secrets].
	State string
	// Nonce is what the answer says of the [Secrets] of that login, where the protocol lets it
	// say so before Complete; else "". It is to find the login, which Complete compares.
	Nonce string
	// Values are for Complete, at most [MaxAnswer] bytes when encoded.
	Values url.Values
	// Once are the ids in it that count once in the cluster, such as those of
	// assertions; at most [MaxOnce].
	Once []Once
}

// Bounds of an [Answer] and an [End].
const (
	MaxAnswer   = 16 << 10 // bytes
	MaxOnce     = 8
	MaxSessions = 16
)

// Once is an id that a provider uses once. It is taken until Until, when what has the
// id has expired anyway; at most [MaxUntil] from now.
type Once struct {
	ID    string // at most [MaxID] bytes
	Until time.Time
}

// Bounds of a [Once].
const (
	MaxID    = 1 << 10 // bytes
	MaxUntil = 24 * time.Hour
)

// LogoutReceiver is a [Connector] whose provider tells the service itself that logins
// have ended (OpenID Connect Back-Channel Logout 1.0).
type LogoutReceiver interface {
	// LogoutToken judges a logout token (there, 2.6), but for whether it was seen
	// before. A token that does not count is a [*LoginError] of code [InvalidRequest];
	// any other error is a fault on the way.
	LogoutToken(ctx context.Context, token string) (End, error)
}

// End is the word of a provider that logins have ended.
type End struct {
	// Subject is the viewer's, LogoutSubject or else Subject of the [Identity]; "" where
	// only sessions are named.
	Subject string
	// Sessions are those that ended, as [Identity] has them, at most [MaxSessions].
	// None: all of the subject.
	Sessions []string
	// Issued is when the provider said so, by its own clock; zero: now. Logins that it
	// issued later are not meant.
	Issued time.Time
	// Once is the id of the word: jti, the ID of a LogoutRequest.
	Once Once
}
