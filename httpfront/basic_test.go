package httpfront

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"ssod/httpfront/api/registration"
)

// refusing is a registrar that knows nobody.
type refusing struct{ err error }

func (r refusing) Register(registration.Request) (registration.Registered, error) {
	return registration.Registered{}, r.err
}

func (r refusing) Token(registration.Request) (registration.Issued, error) {
	return registration.Issued{}, r.err
}

// TestChallengeOfTheTokenEndpoint: a client that used Basic is told to, by 401
// (RFC 6749, 5.2); one that used the form gets the 400 that it has always got.
func TestChallengeOfTheTokenEndpoint(t *testing.T) {
	for err, want := range map[error]struct {
		status    int
		challenge string
		body      string
	}{
		registration.ErrBasic: {
			401, `Basic realm="client credentials", charset="UTF-8"`,
			`{"error":"invalid_client","error_description":"Client authentication failed"}`,
		},
		registration.ErrInvalidClient: {400, "", `{"error":"invalid_client"}`},
	} {
		s := startTest(t, func(o *Options) { o.Handlers.Token = issueToken(refusing{err}) })
		a := ask(t, s, "POST", "/o/client/token", "Authorization", "Basic eDp5")
		if a.status != want.status || a.body != want.body || a.header.Get("WWW-Authenticate") != want.challenge {
			t.Errorf("%v: %d %s, challenge %q; want %v", err, a.status, a.body, a.header.Get("WWW-Authenticate"), want)
		}
	}
}

// asked keeps the query of a token request.
type asked struct {
	refusing
	query chan string
}

func (a asked) Token(r registration.Request) (registration.Issued, error) {
	a.query <- r.Query
	return a.refusing.Token(r)
}

// TestQueryOfTheTokenEndpoint: it reaches the registrar as it was sent, and no log.
func TestQueryOfTheTokenEndpoint(t *testing.T) {
	var log bytes.Buffer
	to := asked{refusing{registration.ErrInvalidClient}, make(chan string, 1)}
	s := startTest(t, func(o *Options) {
		o.Handlers.Token = issueToken(to)
		o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	const query = "client_id=marked&client_secret=marked%20too"
	if a := ask(t, s, "POST", "/o/client/token?"+query); a.status != 400 {
		t.Errorf("got %d %s", a.status, a.body)
	}
	if got := <-to.query; got != query {
		t.Errorf("got %q, want %q", got, query)
	}
	if text := log.String(); !strings.Contains(text, "endpoint=token") || strings.Contains(text, "marked") {
		t.Errorf("log: %s", text)
	}
}
