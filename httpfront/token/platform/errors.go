package platform

import "errors"

// What can be wrong with a subject token. Clients do not see it: the request goes on as if
// there was none.
var (
	// ErrToken: not a token that a platform of the realm could have made.
	ErrToken = errors.New("subject token not acceptable")
	// ErrSignature: well-formed, but its signature or encryption does not fit.
	ErrSignature = errors.New("subject token not authentic")
	// ErrClaims: authentic, but for another audience, or without a usable claim.
	ErrClaims = errors.New("subject token has unacceptable claims")
	// ErrExpired: exp has passed.
	ErrExpired = errors.New("subject token expired")
)

// unacceptable reports whether an error is a verdict on the token.
func unacceptable(err error) bool {
	return errors.Is(err, ErrToken) || errors.Is(err, ErrSignature) || errors.Is(err, ErrClaims) || errors.Is(err, ErrExpired)
}
