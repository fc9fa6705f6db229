package openapitest

import (
	"bytes"
	"io"
	"net/http"
	"testing"
)

// Transport is a transport that fails the test when a request or its answer is not
// as the document says. What it returns can be read without the network.
type Transport struct {
	testing.TB
	Behind http.RoundTripper
	// Picks chooses the answers that are looked at; nil: all.
	Picks func(*http.Response) bool
}

// RoundTrip implements http.RoundTripper.
func (t Transport) RoundTrip(request *http.Request) (*http.Response, error) {
	var body []byte
	if request.Body != nil {
		var err error
		if body, err = io.ReadAll(request.Body); err != nil {
			return nil, err
		}
		request = withBody(request, body)
	}
	response, err := t.Behind.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(response.Body)
	response.Body.Close()
	response.Body = io.NopCloser(bytes.NewReader(answer))
	if err != nil {
		return nil, err
	}
	if t.Picks == nil || t.Picks(response) {
		if err := Validate(request, body, response, answer); err != nil {
			t.Errorf("%s %s was answered %s: %v", request.Method, request.URL.RequestURI(), response.Status, err)
		}
	}
	return response, nil
}
