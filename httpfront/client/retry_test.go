package client_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"ssod/httpfront/client"
)

// script is a transport that answers what it is told, one answer after another, and
// the last one for ever.
type script struct {
	answers []step
	made    []*http.Request
	bodies  []string
}

// step is an answer: an error, or a status with a body and headers in turn.
type step struct {
	err     error
	status  int
	body    string
	headers []string
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	s.made, s.bodies = append(s.made, r), append(s.bodies, string(body))
	next := s.answers[min(len(s.made), len(s.answers))-1]
	if next.err != nil {
		return nil, next.err
	}
	a := &http.Response{StatusCode: next.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(next.body))}
	for i := 0; i < len(next.headers); i += 2 {
		a.Header.Set(next.headers[i], next.headers[i+1])
	}
	return a, nil
}

// scripted is a client with a script for a transport and a clock that goes on when
// somebody sleeps.
func scripted(t *testing.T, o client.Options, answers ...step) (c *client.Client, s *script, slept *[]time.Duration) {
	t.Helper()
	s, slept = &script{answers: answers}, &[]time.Duration{}
	now := time.Date(2026, 1, 2, 20, 0, 0, 0, time.UTC)
	o.BaseURL, o.ServiceProvider, o.Transport = "http://sso.example", "STREAM1", s
	o.Now = func() time.Time { return now }
	o.Sleep = func(ctx context.Context, d time.Duration) error {
		*slept, now = append(*slept, d), now.Add(d)
		return ctx.Err()
	}
	c, err := client.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c, s, slept
}

const (
	unavailable = `{"status":"SERVICE_UNAVAILABLE","error":{"status":503,"code":"service_unavailable","message":"m","action":"retry"}}`
	inDoubt     = `{"status":"SERVICE_UNAVAILABLE","error":{"status":503,"code":"service_unavailable","message":"m","action":"retry","details":"the outcome is unknown; repeat the request"}}`
	flatDoubt   = `{"status":503,"code":"service_unavailable","message":"m","action":"retry","details":"the outcome is unknown; repeat the request"}`
	throttled   = `<!doctype html><h1>Too many requests</h1>`
)

var (
	errReset   = &net.OpError{Op: "read", Err: errors.New("connection reset by peer")}
	errRefused = &net.OpError{Op: "dial", Err: errors.New("connection refused")}
)

// Each kind of failure is repeated as often as is safe, and is told apart.
func TestRetries(t *testing.T) {
	link := func(d *client.Device) error { _, err := d.Link(t.Context()); return err }
	unlink := func(d *client.Device) error { _, err := d.Unlink(t.Context(), "a"); return err }
	logout := func(d *client.Device) error { _, err := d.Logout(t.Context(), "cable", ""); return err }
	for _, tt := range []struct {
		name    string
		call    func(*client.Device) error
		answer  step
		made    int
		unknown bool
	}{
		{"throttled", link, step{status: 429, body: throttled}, 3, false},
		{"throttled, unsafe", unlink, step{status: 429, body: throttled}, 3, false},
		{"not for long enough", link, step{status: 429, body: throttled, headers: []string{"Retry-After", "900"}}, 1, false},
		{"nothing was done", link, step{status: 503, body: unavailable, headers: []string{"Retry-After", "1"}}, 3, false},
		{"nothing was done, unsafe", unlink, step{status: 503, body: unavailable}, 3, false},
		{"too slow, unsafe", logout, step{status: 408}, 3, false},
		{"in doubt", link, step{status: 503, body: inDoubt}, 3, true},
		{"in doubt, unsafe", unlink, step{status: 503, body: inDoubt}, 1, true},
		{"in doubt, a logout", logout, step{status: 503, body: flatDoubt}, 1, true},
		{"a proxy says so", link, step{status: 503, body: throttled}, 3, true},
		{"a proxy says so, unsafe", unlink, step{status: 503, body: throttled}, 1, true},
		{"a proxy is in doubt", link, step{status: 504}, 3, true},
		{"a proxy is in doubt, unsafe", logout, step{status: 502}, 1, true},
		{"the connection broke", link, step{err: errReset}, 3, true},
		{"the connection broke, unsafe", unlink, step{err: errReset}, 1, true},
		{"no connection", link, step{err: errRefused}, 3, false},
		{"no connection, unsafe", unlink, step{err: errRefused}, 3, false},
		{"an answer that is cut off", link, step{status: 201, body: `{"code":`}, 3, true},
		{"an answer that is cut off, unsafe", unlink, step{status: 200, body: `{"unl`}, 1, true},
		{"a fault of the service", link, step{status: 500, body: `{"error":{"code":"internal_error","action":"none"}}`}, 1, true},
		{"refused", link, step{status: 400, body: `{"error":{"code":"token_invalid","action":"get_new_token"}}`}, 1, false},
		{"to be confirmed", link, step{status: 403, body: `{"error":{"code":"link_confirmation_pending","action":"retry"}}`}, 1, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, s, slept := scripted(t, client.Options{AccessToken: "a"}, tt.answer)
			d := c.Device(client.DeviceOptions{ID: "tv"})
			d.Restore(client.ServiceToken{Token: "s"})
			err := tt.call(d)
			if err == nil || len(s.made) != tt.made || client.Unknown(err) != tt.unknown {
				t.Errorf("made %d times, want %d; %v, unknown %v, want %v", len(s.made), tt.made, err, client.Unknown(err), tt.unknown)
			}
			for i, d := range *slept {
				if least := 125 * time.Millisecond << i; d < least {
					t.Errorf("pause %d is %v, want %v at least", i, d, least)
				}
				if tt.answer.status == 429 && d < time.Second {
					t.Errorf("pause %d after a 429 is %v", i, d)
				}
			}
		})
	}
}

// An access token that the service does not accept any more is fetched again, once,
// and the call repeated; but nobody registers again.
func TestAccessTokenIsFetchedAgain(t *testing.T) {
	issued := step{status: 201, body: `{"access_token":"t","expires_in":21600}`}
	expired := step{status: 401, body: `{"error":{"code":"token_expired"}}`, headers: []string{"WWW-Authenticate", "Bearer"}}
	revoked := step{status: 401, body: `{"error":{"code":"invalid_access_token_client_application"}}`, headers: []string{"WWW-Authenticate", "Bearer"}}
	k := client.Options{Credentials: client.Credentials{ClientID: "id", ClientSecret: "secret"}}
	for _, tt := range []struct {
		name    string
		answers []step
		made    int
		code    string
	}{
		{"expired", []step{issued, expired, issued, {status: 200, body: `{"devices":{}}`}}, 4, ""},
		{"expired for good", []step{issued, expired, issued, expired}, 4, "token_expired"},
		{"revoked", []step{issued, revoked}, 2, client.CodeClientApplication},
	} {
		c, s, _ := scripted(t, k, tt.answers...)
		d := c.Device(client.DeviceOptions{ID: "tv"})
		d.Restore(client.ServiceToken{Token: "s"})
		_, err := d.List(t.Context())
		e, _ := errors.AsType[*client.Error](err)
		if len(s.made) != tt.made || (tt.code == "") != (err == nil) || e != nil && e.Code != tt.code {
			t.Errorf("%s: %d requests, %v", tt.name, len(s.made), err)
		}
	}
}

// A service token that has expired, although the clock of the device says otherwise,
// is renewed and the call repeated.
func TestServiceTokenExpiresByTheServersClock(t *testing.T) {
	token := func(text string) step {
		return step{status: 200, body: `{"serviceToken":"` + text + `","notBefore":1000,"notAfter":3601000}`}
	}
	c, s, _ := scripted(t, client.Options{AccessToken: "a"},
		token("old"), step{status: 401, body: `{"error":{"code":"token_expired"}}`}, token("new"), step{status: 200, body: `{"devices":{}}`})
	d := c.Device(client.DeviceOptions{ID: "tv"})
	if _, err := d.Mint(t.Context(), "viewer"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.List(t.Context()); err != nil {
		t.Fatal(err)
	}
	var sent []string
	for _, r := range s.made {
		sent = append(sent, r.Method+" "+r.Header.Get("AD-Service-Token"))
	}
	if want := []string{"POST ", "GET old", "GET old", "GET new"}; !slices.Equal(sent, want) {
		t.Errorf("sent %q, want %q", sent, want)
	}
}

// Waiting keeps its pace, goes slower when it is told to, and goes on while the
// service is not there.
func TestWaitingSlowsDown(t *testing.T) {
	none := step{status: 200, body: `{"profiles":{}}`}
	c, s, slept := scripted(t, client.Options{AccessToken: "a"}, none, step{status: 429, body: throttled, headers: []string{"Retry-After", "1"}}, none,
		step{err: errReset}, step{status: 503, body: flatDoubt}, step{status: 200, body: `{"profiles":{"cable":{"type":"regular","notAfter":1}}}`})
	p, err := c.Device(client.DeviceOptions{ID: "tv"}).AwaitProfile(t.Context(), client.Session{Code: "8ER64HM"})
	if err != nil || p.Type != "regular" || len(s.made) != 6 {
		t.Errorf("found %+v, %v after %d calls", p, err, len(s.made))
	}
	for i, least := range []time.Duration{5 * time.Second, 10 * time.Second, 10 * time.Second, 10 * time.Second, 10 * time.Second} {
		if got := (*slept)[i]; got < least || got > least*6/5 {
			t.Errorf("pause %d is %v, want %v and a fifth more at most", i, got, least)
		}
	}
}

// A device that waits for confirmation asks as often as it is told.
func TestWaitingForConfirmation(t *testing.T) {
	pending := step{status: 403, body: `{"error":{"code":"link_confirmation_pending","action":"retry"}}`, headers: []string{"Retry-After", "3"}}
	c, s, slept := scripted(t, client.Options{AccessToken: "a"}, pending, pending, step{status: 201, body: `{"serviceToken":"s","notBefore":0,"notAfter":3600000}`})
	token, err := c.Device(client.DeviceOptions{ID: "tv"}).AwaitRedeem(t.Context(), "228128")
	if err != nil || token.Token != "s" || len(s.made) != 3 {
		t.Fatalf("%+v, %v after %d calls", token, err, len(s.made))
	}
	for _, d := range *slept {
		if d < 3*time.Second || d > 4*time.Second {
			t.Errorf("slept %v, want 3 s and a fifth more at most", d)
		}
	}
}

// Waiting ends when the service says that there is nothing to wait for.
func TestWaitingEnds(t *testing.T) {
	c, s, _ := scripted(t, client.Options{AccessToken: "a"}, step{status: 400, body: `{"status":400,"code":"invalid_authentication_session"}`})
	_, err := c.Device(client.DeviceOptions{ID: "tv"}).AwaitProfile(t.Context(), client.Session{Code: "8ER64HM"})
	if !errors.Is(err, &client.Error{Code: client.CodeAuthenticationSession}) || len(s.made) != 1 {
		t.Errorf("%v after %d calls", err, len(s.made))
	}
}

// What calls carry does not come back in their errors.
func TestErrorsHaveNoSecrets(t *testing.T) {
	c, _, _ := scripted(t, client.Options{AccessToken: "access-secret"}, step{err: errReset})
	d := c.Device(client.DeviceOptions{ID: "tv"})
	d.Restore(client.ServiceToken{Token: "service-secret"})
	_, err := d.ReadLink(t.Context(), "228128")
	if err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "228128") {
		t.Errorf("the error says %v", err)
	}
}

func TestBaseURL(t *testing.T) {
	for _, bad := range []string{"", "sso.example", "ftp://sso.example", "https://", ":"} {
		if _, err := client.New(client.Options{BaseURL: bad}); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}
