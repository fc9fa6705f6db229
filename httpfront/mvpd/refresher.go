package mvpd

import (
	"context"
	"errors"
)

// Refresher is a [Connector] that keeps tokens, [Identity.Tokens], with which it asks the
// provider later what it says of the viewer.
type Refresher interface {
	// Refresh uses the tokens. The caller sees to it that no two calls use the same ones:
	// providers take a second use for theft. What became of them:
	//
	//	Refreshed.Tokens are set  they are good from now on, also with an error, which
	//	                          then says why nothing is known of the viewer
	//	ErrTokensUnused           the old ones are good still: try again later
	//	any other error           they are worth nothing, or nobody knows: the login ends
	Refresh(ctx context.Context, tokens []byte) (Refreshed, error)
	// KeepsTokens reports whether the provider is asked for tokens at logins.
	KeepsTokens() bool
}

// Refreshed is what a provider says of a viewer at a later time.
type Refreshed struct {
	// Tokens take the place of those that were used; at most [MaxTokens] bytes.
	Tokens []byte
	// Attributes are all of them, as in [Identity].
	Attributes []Attribute
}

// ErrTokensUnused says that tokens were certainly not used, and are good still.
var ErrTokensUnused = errors.New("the tokens of the login were not used")
