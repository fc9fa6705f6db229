package main

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// roundTripper is a function that is a transport.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// What is shown is what is sent, and sent as it was: a request without a body gets none,
// which [http.Transport] might send as chunked.
func TestRecorderShowsAndPassesOn(t *testing.T) {
	for _, body := range []string{"", "viewer=ada"} {
		request, err := http.NewRequest(http.MethodPost, "http://node/", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		behind := roundTripper(func(r *http.Request) (*http.Response, error) {
			if none := r.Body == http.NoBody; none != (body == "") {
				t.Errorf("%q is passed on as %T", body, r.Body)
			}
			text, err := io.ReadAll(r.Body)
			if string(text) != body || err != nil {
				t.Errorf("%q is passed on as %q, %v", body, text, err)
			}
			return &http.Response{Status: "200 OK", StatusCode: http.StatusOK, Body: http.NoBody}, nil
		})
		var shown exchange
		answer, err := recorder{behind, func(x exchange) { shown = x }}.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if shown.Body != body {
			t.Errorf("%q is shown as %q", body, shown.Body)
		}
	}
}
