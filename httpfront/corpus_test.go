package httpfront

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"ssod/httpfront/api"
	"ssod/httpfront/config"
	"ssod/httpfront/fronttest/ambiguous"
)

// echo answers what it understood of a request.
func echo(_ context.Context, r *api.Request) (api.Response, error) {
	return api.Response{Status: 200, Body: fmt.Appendf(r.Buffer, "%s|%s", r.Parameter, r.Body)}, nil
}

// testConfig has the throttle off and one service provider in one realm.
func testConfig() *config.Config {
	return &config.Config{
		HelpURL: "https://help.example/errors",
		Realms: []*config.Realm{{
			ID:               "acme",
			ServiceProviders: []config.ServiceProvider{{ID: "tv"}},
			CORS:             config.CORS{Origins: []string{"https://tv.acme.example"}},
		}},
	}
}

// startTest serves echo for all operations.
func startTest(t *testing.T, change ...func(*Options)) *Server {
	t.Helper()
	cfg := testConfig()
	o := Options{
		Address:  "127.0.0.1:0",
		Settings: func() *config.Config { return cfg },
		Handlers: Handlers{Mint: echo, Refresh: echo, Link: echo, ReadLink: echo, ConfirmLink: echo, Unlink: echo, List: echo, Register: echo, Token: echo, JWKS: echo},
	}
	for _, f := range change {
		f(&o)
	}
	s, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
	})
	return s
}

// answer is what came back on a raw connection.
type answer struct {
	status int
	body   string
	header http.Header
	last   bool // Connection: close
}

// talk sends raw bytes and reads answers until the server closes the connection or
// is quiet: only for what must end with the connection, since a busy server may be
// quiet for long.
func talk(t *testing.T, s *Server, raw string, quiet time.Duration) (answers []answer, closed bool) {
	t.Helper()
	return converse(t, s, raw, func(int) time.Duration { return quiet })
}

// dialogue sends raw bytes and reads so many answers, however long they take, and
// those that nobody wants if they come soon.
func dialogue(t *testing.T, s *Server, raw string, want int) (answers []answer, closed bool) {
	t.Helper()
	return converse(t, s, raw, func(got int) time.Duration {
		if got < want {
			return time.Minute
		}
		return 100 * time.Millisecond
	})
}

// converse waits for each answer as long as patience says, given how many came.
func converse(t *testing.T, s *Server, raw string, patience func(got int) time.Duration) (answers []answer, closed bool) {
	t.Helper()
	c, err := net.Dial("tcp", s.Address().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	go io.WriteString(c, raw)
	in := bufio.NewReader(c)
	for {
		c.SetReadDeadline(time.Now().Add(patience(len(answers))))
		r, err := http.ReadResponse(in, nil)
		if err != nil {
			return answers, !isTimeout(err)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatalf("body: %v", err)
		}
		answers = append(answers, answer{r.StatusCode, string(body), r.Header, r.Close})
	}
}

func isTimeout(err error) bool {
	n, ok := err.(net.Error)
	return ok && n.Timeout()
}

// follow is a request that must not be answered after a refused one.
const follow = "GET /api/tv/list HTTP/1.1\r\nHost: a\r\n\r\n"

// TestAmbiguousRequestsAreRefused follows each ambiguous request by an honest
// one on the same connection, which may be part of the trick: one request in,
// one reply out.
func TestAmbiguousRequestsAreRefused(t *testing.T) {
	s := startTest(t)
	for _, tt := range ambiguous.Requests() {
		t.Run(tt.Name, func(t *testing.T) {
			t.Parallel()
			answers, closed := talk(t, s, tt.Raw+follow, time.Minute)
			if len(answers) != 1 || !closed {
				t.Fatalf("got %d answers, closed %v; want 1 and true: %v", len(answers), closed, answers)
			}
			if a := answers[0]; a.status != 400 || a.body != "" || !a.last {
				t.Fatalf("got %+v, want 400, no body, connection closed", a)
			}
		})
	}
}
