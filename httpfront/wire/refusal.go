package wire

import "net/http"

// Refusal ends a connection with an empty answer; the zero value refuses nothing.
type Refusal struct {
	Status int
	// Reason is for the log. It has nothing of what the client sent.
	Reason string
}

// Error implements error.
func (r Refusal) Error() string { return "request refused: " + r.Reason }

func malformed(reason string) Refusal { return Refusal{http.StatusBadRequest, reason} }

var (
	errRequestLine = malformed("the first line is none of HTTP/1 with a path")
	errLineFeed    = malformed("a line feed without a carriage return")
	errBlankLines  = malformed("too many empty lines before the request")
	errHeaderLine  = malformed("a header line that is malformed or folded")
	errHost        = malformed("no host, more than one, or a malformed one")
	errLength      = malformed("a malformed length, or more than one")
	errCoding      = malformed("a transfer coding other than one \"chunked\", beside a length, in HTTP/1.0, or on GET or HEAD")
	errChunk       = malformed("a malformed chunk, an extension of one, or a trailer")
	errTimeout     = Refusal{http.StatusRequestTimeout, "it did not arrive in time"}
	errLine        = Refusal{http.StatusRequestURITooLong, "the first line is too long"}
	errHead        = Refusal{http.StatusRequestHeaderFieldsTooLarge, "the head is too large"}
	// errTooLarge is answered like any other mistake of the catalogue, so it
	// never leaves the package.
	errTooLarge = Refusal{http.StatusRequestEntityTooLarge, "the body is too large"}
)
