package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"ssod/secretfile"
)

const (
	// minToken is how long a token is at least, so that nobody guesses it.
	minToken = 16
	// maxTokens is how many there are at most; two are in use during a change.
	maxTokens = 8
)

// errTokens says what a file of tokens looks like.
var errTokens = errors.New("want one to 8 tokens, each a word of 16 or more characters on a line of its own")

// ReadTokens reads a file of admin tokens, one per line, all of which are accepted.
// Empty lines and those that begin with # do not count. The file must not be
// accessible to others; errors never quote it.
func ReadTokens(path string) ([]string, error) {
	text, err := secretfile.Read(path)
	if err != nil {
		return nil, err
	}
	tokens := secretfile.Lines(text)
	wrong := func(token string) bool { return len(token) < minToken || strings.ContainsAny(token, " \t\r") }
	if len(tokens) == 0 || len(tokens) > maxTokens || slices.ContainsFunc(tokens, wrong) {
		return nil, fmt.Errorf("%s: %w", path, errTokens)
	}
	return tokens, nil
}

// Tokens are the bearer tokens that the admin listener accepts. They can be changed
// while it runs.
type Tokens struct {
	digests atomic.Pointer[[][sha256.Size]byte]
}

// NewTokens makes a set of tokens.
func NewTokens(tokens ...string) *Tokens {
	t := &Tokens{}
	t.Set(tokens...)
	return t
}

// Set changes which tokens are accepted. Without any, none is.
func (t *Tokens) Set(tokens ...string) {
	digests := make([][sha256.Size]byte, len(tokens))
	for i, token := range tokens {
		digests[i] = sha256.Sum256([]byte(token))
	}
	t.digests.Store(&digests)
}

// accept compares digests, so that neither time nor length tells anything.
func (t *Tokens) accept(token string) bool {
	digest := sha256.Sum256([]byte(token))
	found := 0
	for _, d := range *t.digests.Load() {
		found |= subtle.ConstantTimeCompare(digest[:], d[:])
	}
	return found == 1
}
