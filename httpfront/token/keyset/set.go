package keyset

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ssod/httpfront/strictjson"
	"ssod/httpfront/token/jose"
)

// maxKeys is how many keys of one set are used: a token without a kid is tried
// with each.
const maxKeys = 32

// Wanted says which keys are of use.
type Wanted struct {
	Algorithms []string
	// Published says that anybody can read the set, so that nothing in it is
	// secret.
	Published bool
}

// Set is what a key set holds.
type Set struct {
	Keys   []jose.Key // at least one, or there is no set
	Unused Unused
}

// errNoSet hides what the parser says, which may quote a secret.
var errNoSet = errors.New("not a JWK set")

// Parse reads a key set. It fails when there is no key of use in it.
func Parse(document []byte, w Wanted) (Set, error) {
	var members map[string]json.RawMessage
	var list []json.RawMessage
	document = bytes.TrimPrefix(document, []byte("\uFEFF"))
	if json.Unmarshal(document, &members) != nil || json.Unmarshal(members["keys"], &list) != nil {
		return Set{}, errNoSet
	}
	var s Set
	for i, raw := range list {
		s.take(i+1, raw, &w)
	}
	if len(s.Keys) == 0 {
		return Set{}, s.empty(&w)
	}
	return s, nil
}

// take adds a key, or the reason why it is left out.
func (s *Set) take(number int, raw []byte, w *Wanted) {
	object, err := strictjson.Parse(raw)
	if err != nil || object.Kind() != strictjson.Object {
		s.Unused.add(number, "", "malformed")
		return
	}
	k := jwk{object}
	if !k.signs() {
		return
	}
	key, err := k.key(w)
	switch {
	case err != nil:
		s.Unused.add(number, k.text("kid"), err.Error())
	case len(s.Keys) == maxKeys:
		s.Unused.add(number, key.ID, fmt.Sprintf("more than %d keys", maxKeys))
	default:
		s.Keys = append(s.Keys, key)
	}
}

func (s *Set) empty(w *Wanted) error {
	wanted := strings.Join(w.Algorithms, ", ")
	if reasons := s.Unused.String(); reasons != "" {
		return fmt.Errorf("no key for signatures of %s: %s", wanted, reasons)
	}
	return fmt.Errorf("no key for signatures of %s", wanted)
}

// Unused are the keys of a set that are left out, with the reasons.
type Unused struct {
	n     int
	first []string
}

// maxReasons is how many of them are named.
const maxReasons = 5

func (u *Unused) add(number int, kid, reason string) {
	if u.n++; len(u.first) == maxReasons {
		return
	}
	name := fmt.Sprintf("key %d", number)
	if kid != "" {
		name = fmt.Sprintf("%s (%.40q)", name, kid)
	}
	u.first = append(u.first, name+": "+reason)
}

// Warning is what a configuration says about the keys that are left out; empty
// when all are used.
func (u Unused) Warning() string {
	if u.n == 0 {
		return ""
	}
	return "not all keys are used: " + u.String()
}

// String names the keys in one line; it is empty when all are used. No key's
// material is in it.
func (u Unused) String() string {
	told := slices.Clone(u.first)
	if more := u.n - len(told); more > 0 {
		told = append(told, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(told, "; ")
}
