package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// errTicket says that a ticket is not one of ours, is for something else, or
// too old.
var errTicket = errors.New("ticket not valid")

// maxTicket bounds a ticket in bytes: it holds two URLs at most.
const maxTicket = 6 << 10

var b64 = base64.RawURLEncoding.Strict()

// sealer makes and opens tickets of one sandbox.
type sealer struct {
	key []byte
	now func() time.Time
}

// envelope is what the HMAC of a ticket covers.
type envelope struct {
	// Purpose keeps tickets of different kinds apart.
	Purpose string          `json:"p"`
	Expires int64           `json:"e"` // Unix seconds
	Content json.RawMessage `json:"c"`
}

// seal returns a ticket with content, which ends after ttl.
func (s sealer) seal(purpose string, ttl time.Duration, content any) (string, error) {
	inner, err := json.Marshal(content)
	if err != nil {
		return "", fmt.Errorf("seal a ticket for %s: %w", purpose, err)
	}
	whole, err := json.Marshal(envelope{purpose, s.now().Add(ttl).Unix(), inner})
	if err != nil {
		return "", fmt.Errorf("seal a ticket for %s: %w", purpose, err)
	}
	body := b64.EncodeToString(whole)
	return body + "." + b64.EncodeToString(s.mac(body)), nil
}

// open reads a ticket into content.
func (s sealer) open(purpose, ticket string, content any) error {
	body, tag, ok := strings.Cut(ticket, ".")
	if !ok || len(ticket) > maxTicket {
		return errTicket
	}
	mac, err := b64.DecodeString(tag)
	if err != nil || !hmac.Equal(mac, s.mac(body)) {
		return errTicket
	}
	// From here on the text is our own.
	var e envelope
	whole, err := b64.DecodeString(body)
	if err != nil || json.Unmarshal(whole, &e) != nil {
		return errTicket
	}
	if e.Purpose != purpose || s.now().Unix() >= e.Expires || json.Unmarshal(e.Content, content) != nil {
		return errTicket
	}
	return nil
}

func (s sealer) mac(body string) []byte {
	h := hmac.New(sha256.New, s.key)
	h.Write([]byte(body))
	return h.Sum(nil)
}

// derive makes the key of one sandbox from a key of its realm.
func derive(realmKey []byte, mvpd string) []byte {
	h := hmac.New(sha256.New, realmKey)
	h.Write([]byte("sandbox mvpd\x00" + mvpd))
	return h.Sum(nil)
}
