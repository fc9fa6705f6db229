package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"ssod/httpfront/client"
)

// header are headers in the order in which they are shown.
type header [][2]string

// exchange is one call and its answer.
type exchange struct {
	Method  string `json:"method"`
	URL     string `json:"url"`
	Headers header `json:"headers"`
	Body    string `json:"body,omitempty"`
	Status  int    `json:"status"`
	// Location is where a browser is sent.
	Location string `json:"location,omitempty"`
	Answer   string `json:"answer"`
	Wait     string `json:"wait,omitempty"` // before the call is repeated
}

// longestWait bounds the waits that a 429 asks for.
const longestWait = time.Minute

// app is a client of the public API whose calls are shown, from an address; empty:
// that of this machine.
func (s *session) app(public, provider, address string, show func(exchange)) (*client.Client, error) {
	return client.New(client.Options{
		BaseURL: public, ServiceProvider: provider, Header: forwarded(address), Transport: recorder{s.web.Transport, show},
		Timeout: s.web.Timeout, MaxWait: longestWait,
	})
}

func forwarded(address string) http.Header {
	if address == "" {
		return nil
	}
	return http.Header{"X-Forwarded-For": {address}}
}

// recorder is a transport that shows requests and answers.
type recorder struct {
	behind http.RoundTripper // nil: the default
	show   func(exchange)
}

func (r recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	x := exchange{Method: request.Method, URL: request.URL.String(), Headers: shown(request.Header)}
	if request.GetBody != nil { // all that ssoctl sends has it
		body, err := request.GetBody()
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(body)
		if err != nil {
			return nil, err
		}
		x.Body = string(text)
	}
	behind := r.behind
	if behind == nil {
		behind = http.DefaultTransport
	}
	answer, err := behind.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	answer.Body = io.NopCloser(bytes.NewReader(text))
	x.hear(answer, strings.TrimSpace(string(text)))
	r.show(x)
	return answer, err
}

// hear notes the answer; of a page only the heading.
func (x *exchange) hear(answer *http.Response, text string) {
	x.Status, x.Answer = answer.StatusCode, text
	if x.Status == http.StatusTooManyRequests {
		x.Wait = waitOf(answer).String()
	}
	if target, err := answer.Location(); err == nil {
		x.Location = target.String()
	}
	if heading := heading.FindStringSubmatch(text); heading != nil {
		x.Answer = "the page: " + heading[1]
	}
}

var heading = regexp.MustCompile(`<h1>([^<]*)</h1>`)

// shownHeaders are those that are shown, as the API's documents write them.
var shownHeaders = []string{
	"Authorization", "AP-Device-Identifier", "X-Device-Info", "X-SSO-ID", "X-SSO-LINK", "AD-Service-Token", "Content-Type", "X-Forwarded-For",
}

func shown(all http.Header) (h header) {
	for _, name := range shownHeaders {
		if value := all.Get(name); value != "" {
			h = append(h, [2]string{name, value})
		}
	}
	return h
}

// waitOf is how long a 429 asks to wait, at least a second.
func waitOf(answer *http.Response) time.Duration {
	seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
	return time.Duration(max(seconds, 1)) * time.Second
}

// pause waits, unless the user interrupts.
func (s *session) pause(d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-s.ctx.Done():
		return s.ctx.Err()
	}
}

// register makes an app a client of the statement and gets its token.
func register(ctx context.Context, app *client.Client, made statement) (*client.Client, credentials, error) {
	r, err := app.Register(ctx, made.SoftwareStatement, "")
	if err != nil {
		return nil, credentials{}, reached(err)
	}
	app = app.WithCredentials(r.Credentials)
	token, err := app.FetchAccessToken(ctx)
	return app, credentials{made.ID, r.ClientID, r.ClientSecret, token.Token, token.ExpiresIn}, reached(err)
}

// reached explains a call without an answer.
func reached(err error) error {
	if e, ok := errors.AsType[*client.UnansweredError](err); ok {
		return fmt.Errorf("the public API cannot be reached: %w", plain(e.Err))
	}
	return err
}
