package fronttest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"ssod/httpfront/api/registration"
	"ssod/httpfront/client"
	"ssod/httpfront/fronttest/openapitest"
)

// Call is a request in the making. A header that is blank is not sent.
type Call struct {
	Method, Path string
	Header       map[string]string
	Body         string
}

// With returns a copy of the call with more headers, given as name, value,
// name, value.
func (c Call) With(header ...string) Call {
	more := make(map[string]string, len(c.Header)+len(header)/2)
	for name, value := range c.Header {
		more[name] = value
	}
	for i := 0; i < len(header); i += 2 {
		more[header[i]] = header[i+1]
	}
	c.Header = more
	return c
}

// Answer is a response that was read.
type Answer struct {
	*http.Response
	Raw []byte
	// JSON is the body of a JSON answer.
	JSON map[string]any
}

// Do sends the call. Request and answer must be as the OpenAPI document says.
func (n *Node) Do(t testing.TB, c Call) Answer {
	t.Helper()
	request, err := http.NewRequest(c.Method, "http://"+n.Address().String()+c.Path, strings.NewReader(c.Body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range c.Header {
		if value != "" {
			request.Header.Set(name, value)
		}
	}
	response, err := openapitest.Transport{TB: t, Behind: transport}.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	a := Answer{Response: response}
	if a.Raw, err = io.ReadAll(response.Body); err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(response.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(a.Raw, &a.JSON); err != nil {
			t.Fatalf("%s %s answered %q: %v", c.Method, c.Path, a.Raw, err)
		}
	}
	return a
}

var transport = &http.Transport{DisableKeepAlives: true}

// Client is a client of the node, whose calls must be as the OpenAPI document says.
// It repeats nothing, and its time is the node's.
func (n *Node) Client(t testing.TB, serviceProvider string) *client.Client {
	t.Helper()
	c, err := client.New(client.Options{
		BaseURL: "http://" + n.Address().String(), ServiceProvider: serviceProvider,
		Transport: openapitest.Transport{TB: t, Behind: transport}, Attempts: 1, Now: n.Now,
		Sleep: func(ctx context.Context, d time.Duration) error { n.Sleep(d); return ctx.Err() },
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Text returns a member of the answer, or of its error, as text.
func (a Answer) Text(name string) string {
	if nested, ok := a.JSON["error"].(map[string]any); ok {
		s, _ := nested[name].(string)
		return s
	}
	s, _ := a.JSON[name].(string)
	return s
}

// AccessToken registers a client for service providers and returns its token.
func (n *Node) AccessToken(t testing.TB, serviceProviders ...string) string {
	t.Helper()
	return n.AccessTokenBy(t, registration.StatementRequest{ClientName: "test", ServiceProviders: serviceProviders})
}

// AccessTokenBy is AccessToken with a statement that says more.
func (n *Node) AccessTokenBy(t testing.TB, r registration.StatementRequest) string {
	t.Helper()
	statement, err := n.Registration.CreateStatement(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	c := n.Client(t, "")
	registered, err := c.Register(t.Context(), statement.SoftwareStatement, "")
	if err != nil {
		t.Fatal(err)
	}
	token, err := c.WithCredentials(registered.Credentials).AccessToken(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// Device is an AP-Device-Identifier.
func Device(id string) string {
	return "fingerprint " + base64.StdEncoding.EncodeToString([]byte(id))
}
