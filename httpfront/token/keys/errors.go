package keys

import (
	"errors"

	"ssod/httpfront/token/keys/sealing"
)

// What can be wrong with a service token, one error per row of the step table
// (httpfront/docs/headers.md#token-checks), in the order in which the steps are taken.
var (
	// ErrParse: not a token that any configured key could have signed, or an
	// external one where only our own will do. "Error validating JWT signature".
	ErrParse = errors.New("token not verifiable")
	// ErrSignature: well-formed, but not signed by its issuer.
	ErrSignature = errors.New("token signature does not match")
	// ErrSubjectMissing: sub is absent, null, empty or blank.
	ErrSubjectMissing = errors.New("token subject missing or empty")
	// ErrSubject: the payload is no JSON object, or sub is no usable string.
	ErrSubject = errors.New("token subject not readable")
	// ErrExpired: exp has passed, on refresh also the window after it.
	ErrExpired = errors.New("token expired")
	// ErrUnacceptable: not valid yet, made for another audience, or without a
	// claim that it must have.
	ErrUnacceptable = errors.New("token unacceptable")
)

// What can be wrong with an access token
// (httpfront/docs/registration.md#use-an-access-token).
var (
	// ErrAccess: not one of our access tokens.
	ErrAccess = errors.New("access token bad")
	// ErrAccessExpired: one of ours, but its time is over, or that of its key.
	ErrAccessExpired = errors.New("access token expired")
)

// ErrStatement says that a software statement was not signed here.
var ErrStatement = errors.New("software statement not valid")

// What an operator can do wrong with keys.
var (
	// ErrUnknownKey: no key has this id.
	ErrUnknownKey = errors.New("unknown key")
	// ErrFixed: a link-code key cannot be rotated, because a code is good under one
	// key only: whenever another one took over, codes would die.
	ErrFixed = errors.New("link-code keys are not rotated; revoke one to replace it at once, with the codes that were made under it")
	// ErrTooManyKeys: a use has all the keys that it may have, as [MaxKeys] and
	// [MaxLasting] say; wait until retired ones are over, or revoke some.
	ErrTooManyKeys = errors.New("too many keys")
	// ErrRotating: too many rotations are running.
	ErrRotating = errors.New("too many rotations go on")
	// ErrSealed: a stored key cannot be opened, because the sealing key is
	// another or the record was changed.
	ErrSealed = sealing.ErrSealed
)

// ErrNotYet says that a realm's key is still being made, and that the request should
// come again.
var ErrNotYet = errors.New("the key is being made")

// ErrUnknownRealm says that no realm of that name is configured.
var ErrUnknownRealm = errors.New("unknown realm")

// errNoKey says that nothing can be signed for a realm: it has no key.
var errNoKey = errors.New("no signing key")
