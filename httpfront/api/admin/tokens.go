package admin

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"ssod/cluster/secretfile"
)

const (
	// minToken is the least length of a token, so that it cannot be guessed.
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
	accepted atomic.Pointer[[]fingerprinted]
}

// fingerprinted is a token that is accepted, without the token.
type fingerprinted struct {
	digest [sha256.Size]byte
	name   string
}

// Fingerprint names a token in logs: 8 hexadecimal digits. Making it takes some ten
// milliseconds, so that a log does not help to guess a weak token.
func Fingerprint(token string) string {
	const rounds = 100_000
	name, err := pbkdf2.Key(sha256.New, token, []byte("ssod admin token"), rounds, 16)
	if err != nil {
		panic(err) // no parameter is one that is refused, also in FIPS 140 mode
	}
	return hex.EncodeToString(name[:4])
}

// NewTokens makes a set of tokens.
func NewTokens(tokens ...string) *Tokens {
	t := &Tokens{}
	t.Set(tokens...)
	return t
}

// Set changes which tokens are accepted. Without any, none is.
func (t *Tokens) Set(tokens ...string) {
	all := make([]fingerprinted, len(tokens))
	for i, token := range tokens {
		all[i] = fingerprinted{sha256.Sum256([]byte(token)), Fingerprint(token)}
	}
	t.accepted.Store(&all)
}

// Fingerprints names the tokens that are accepted, in the order of their file.
func (t *Tokens) Fingerprints() (names []string) {
	for _, a := range *t.accepted.Load() {
		names = append(names, a.name)
	}
	return names
}

// accept returns the fingerprint of an accepted token. It compares digests, so that the
// time reveals nothing.
func (t *Tokens) accept(token string) (name string, ok bool) {
	digest := sha256.Sum256([]byte(token))
	for _, a := range *t.accepted.Load() {
		if subtle.ConstantTimeCompare(digest[:], a.digest[:]) == 1 {
			name, ok = a.name, true
		}
	}
	return name, ok
}
