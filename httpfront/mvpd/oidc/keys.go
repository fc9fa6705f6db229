package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// keysTimeout is how long fetching keys may take. go-oidc fetches them for all who wait,
// so no single caller ends it.
const keysTimeout = 8 * time.Second

// logoutKeysEvery is the least time between two fetches of keys for logout tokens.
const logoutKeysEvery = 2 * time.Second

// errKeysLately: the keys were fetched a moment ago, and the token is signed by none.
var errKeysLately = errors.New("the keys were fetched a moment ago")

// remoteKeys are the keys at an address, fetched when a token has one that is not known.
func remoteKeys(client *http.Client, url string) oidc.KeySet {
	patient := *client
	patient.Timeout = keysTimeout
	return oidc.NewRemoteKeySet(oidc.ClientContext(context.Background(), &patient), url)
}

// logoutKeysOf are the same for logout tokens. Anybody can send those to this service, so
// they must not have it call the provider as often as they come.
func logoutKeysOf(client *http.Client, url string, now func() time.Time) oidc.KeySet {
	spare := *client
	spare.Transport = &sparing{RoundTripper: client.Transport, now: now}
	return remoteKeys(&spare, url)
}

// sparing lets a request through every logoutKeysEvery.
type sparing struct {
	http.RoundTripper
	now  func() time.Time
	mu   sync.Mutex
	next time.Time
}

func (s *sparing) RoundTrip(r *http.Request) (*http.Response, error) {
	if !s.turn() {
		return nil, errKeysLately
	}
	response, err := s.RoundTripper.RoundTrip(r)
	if err == nil && response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, fmt.Errorf("answered %d", response.StatusCode) // go-oidc would not let callers tell that
	}
	return response, err
}

func (s *sparing) turn() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if now.Before(s.next) {
		return false
	}
	s.next = now.Add(logoutKeysEvery)
	return true
}
