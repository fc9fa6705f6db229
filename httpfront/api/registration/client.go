package registration

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"strings"
)

// ids are made of lower-case letters and digits, so that they are no trouble
// in paths and on command lines.
var ids = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// idLength is that of 128 bits.
const idLength = 26

// newID draws an unguessable name.
func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return ids.EncodeToString(b[:])
}

// clientID is a client id taken apart. Clients are not stored: the id names
// the statement that it was registered with and the version of the key that
// its secret is derived from; the rest is random.
type clientID struct {
	statement, version string
}

func newClientID(statement, version string) string {
	return statement + "." + version + "." + newID()
}

func parseClientID(text string) (clientID, bool) {
	statement, rest, ok1 := strings.Cut(text, ".")
	version, random, ok2 := strings.Cut(rest, ".")
	return clientID{statement, version}, ok1 && ok2 && len(statement) == idLength && len(random) == idLength
}

// authenticate returns the statement of a client that knows its secret.
func (s *Service) authenticate(client, secret string) (*Statement, error) {
	id, ok := parseClientID(client)
	if !ok {
		return nil, ErrInvalidClient
	}
	want, known := s.keys.ClientSecret(id.version, client)
	if right := subtle.ConstantTimeCompare([]byte(want), []byte(secret)) == 1; !known || !right {
		return nil, ErrInvalidClient
	}
	v, err := s.viewOf(id.statement)
	if err != nil {
		return nil, err
	}
	statement := v.statements[id.statement]
	if v.clients[client] || statement == nil {
		return nil, ErrInvalidClient
	}
	return statement, nil
}
