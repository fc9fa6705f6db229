package answer

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"ssod/actors"
	"ssod/cluster"
)

// ErrGone: there is no such answer for this browser: it is of another login, another
// browser took it, it is too old, or never was.
var ErrGone = errors.New("the answer of the TV provider is not there")

// TTL is how long an answer waits for its browser, which is sent for it at once.
const TTL = 5 * time.Minute

// KindName is the name of the kind in addresses and keys.
const KindName = "answer"

// ID names an answer.
type ID struct {
	ServiceProvider string
	Secret          string // unguessable
}

// Address is where the answer's actor is asked.
func (id ID) Address() actors.Address {
	return actors.Address{Kind: KindName, Identity: actors.Identity{id.ServiceProvider, id.Secret}}
}

// Client asks answers, wherever they live. Its methods fail with the errors of
// [actors.Asker], with an [actors.LevelError] below format level 2.
type Client struct {
	Asker actors.Asker
}

// Steps number the asks that one request sends to an answer.
const (
	stepStore = 0
	stepTake  = 0
)

// Store keeps the values, an encoded form, for the login with a state parameter.
func (c Client) Store(ctx context.Context, request cluster.RequestID, id ID, state, values string) error {
	m := &Store{State: digest(state), Values: values, TtlMs: TTL.Milliseconds()}
	_, err := actors.Ask[*StoreReply](ctx, c.Asker, id.Address(), request, stepStore, m)
	return err
}

// Take returns the values for a browser, which is known by the digest of its cookie. Fails
// with [ErrGone].
func (c Client) Take(ctx context.Context, request cluster.RequestID, id ID, state string, browser []byte) (values string, err error) {
	m := &Take{State: digest(state), Browser: browser}
	reply, err := actors.Ask[*TakeReply](ctx, c.Asker, id.Address(), request, stepTake, m)
	if err == nil && reply.GetRefused() {
		return "", ErrGone
	}
	return reply.GetValues(), err
}

func digest(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}
