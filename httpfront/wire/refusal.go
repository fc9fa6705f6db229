package wire

import "net/http"

// refusal is an error that ends a connection with an empty answer.
type refusal int

func (r refusal) Error() string { return "request refused: " + http.StatusText(int(r)) }

const (
	errMalformed = refusal(http.StatusBadRequest)
	errTimeout   = refusal(http.StatusRequestTimeout)
	errLine      = refusal(http.StatusRequestURITooLong)
	errHead      = refusal(http.StatusRequestHeaderFieldsTooLarge)
	// errTooLarge is answered like any other mistake of the catalogue, so it
	// never leaves the package.
	errTooLarge = refusal(http.StatusRequestEntityTooLarge)
)
