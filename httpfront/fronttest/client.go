package fronttest

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"ssod/httpfront/api/registration"
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

var transport = &http.Transport{DisableKeepAlives: true}

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
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	a := Answer{Response: response}
	if a.Raw, err = io.ReadAll(response.Body); err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(response.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(a.Raw, &a.JSON); err != nil {
			t.Fatalf("%s %s answered %q: %v", c.Method, c.Path, a.Raw, err)
		}
	}
	if err := openapitest.Validate(request, []byte(c.Body), response, a.Raw); err != nil {
		t.Errorf("%s %s answered %d, not as documented: %v", c.Method, c.Path, response.StatusCode, err)
	}
	return a
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
	body, _ := json.Marshal(map[string]string{"software_statement": statement.SoftwareStatement})
	client := n.Do(t, Call{"POST", "/o/client/register", map[string]string{"Content-Type": "application/json"}, string(body)})
	token := n.Do(t, Call{
		"POST", "/o/client/token",
		map[string]string{"Content-Type": "application/x-www-form-urlencoded"},
		"grant_type=client_credentials&client_id=" + client.Text("client_id") + "&client_secret=" + client.Text("client_secret"),
	})
	if token.StatusCode != http.StatusCreated {
		t.Fatalf("token: %d %s", token.StatusCode, token.Raw)
	}
	return token.Text("access_token")
}

// Device is an AP-Device-Identifier.
func Device(id string) string {
	return "fingerprint " + base64.StdEncoding.EncodeToString([]byte(id))
}
