package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ssod/httpfront/client"
)

// issuer is a transport that issues access tokens, each after a second, and counts
// what it is asked for.
type issuer struct {
	tokens, calls atomic.Int64
	fails         atomic.Bool
}

func (i *issuer) RoundTrip(r *http.Request) (*http.Response, error) {
	status, body := 200, `{"keys":[],"requestor":{}}`
	if r.URL.Path == "/o/client/token" {
		select {
		case <-time.After(time.Second):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
		status, body = 201, fmt.Sprintf(`{"access_token":"t%d","expires_in":3600}`, i.tokens.Add(1))
		if i.fails.Load() {
			status, body = 500, `{"error":"server_error"}`
		}
	} else {
		i.calls.Add(1)
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

func (i *issuer) device(t *testing.T) *client.Device {
	t.Helper()
	c, err := client.New(client.Options{
		BaseURL: "http://sso.example", ServiceProvider: "STREAM1", Transport: i,
		Credentials: client.Credentials{ClientID: "id", ClientSecret: "secret"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c.Device(client.DeviceOptions{ID: "tv"})
}

// Of many calls that need a token one fetches it; it is renewed before it expires,
// and is as good as it was when that fails.
func TestOneFetchesTheToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{}
		d := i.device(t)
		crowd := func(want int64) {
			t.Helper()
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() {
					if _, err := d.Configuration(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if got := i.tokens.Load(); got != want {
				t.Errorf("%d tokens were fetched, want %d", got, want)
			}
		}
		crowd(1)
		time.Sleep(58 * time.Minute)
		crowd(1)
		time.Sleep(90 * time.Second) // it lives for half a minute yet
		i.fails.Store(true)
		crowd(2)
		i.fails.Store(false)
		crowd(3)
	})
}

// Who gives up while a token is fetched spoils it for nobody else.
func TestOneGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{}
		d := i.device(t)
		impatient, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := d.Configuration(impatient); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the one that gave up got %v", err)
			}
		})
		synctest.Wait()
		all.Go(func() {
			if _, err := d.Configuration(t.Context()); err != nil {
				t.Errorf("the one that waited got %v", err)
			}
		})
		all.Wait()
	})
}
