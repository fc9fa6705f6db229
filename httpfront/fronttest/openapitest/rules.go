package openapitest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// isRefusal recognises the answer to a request that was not understood beyond
// doubt, or too large or slow.
func isRefusal(r *http.Response, answer []byte) bool {
	switch r.StatusCode {
	case http.StatusBadRequest, http.StatusRequestTimeout, http.StatusRequestURITooLong, http.StatusRequestHeaderFieldsTooLarge:
		return len(answer) == 0 && r.Close
	}
	return false
}

// options checks the answer to OPTIONS.
func options(r *http.Response, answer []byte) error {
	if r.StatusCode != http.StatusNoContent || len(answer) > 0 || r.Header.Get("Allow") == "" {
		return fmt.Errorf("OPTIONS: got %d, %d bytes, Allow %q", r.StatusCode, len(answer), r.Header.Get("Allow"))
	}
	return nil
}

// unknownPath checks the answer for a path that names nothing: 404 in the shape
// of its family.
func unknownPath(doc *openapi3.T, request *http.Request, r *http.Response, answer []byte) error {
	if r.StatusCode != http.StatusNotFound {
		return fmt.Errorf("undocumented path %s: got %d, want 404", request.URL.Path, r.StatusCode)
	}
	if request.Method == http.MethodHead {
		return nil
	}
	for _, pages := range []string{"/sandbox/", "/activate/", "/api/v2/authenticate/", "/api/v2/logout-agent/"} {
		if strings.HasPrefix(request.URL.Path+"/", pages) {
			return aPage(r, answer)
		}
	}
	schema := "Error"
	switch path := request.URL.Path + "/"; {
	case strings.HasPrefix(path, "/api/v2/"):
		schema = "FlatError"
	case strings.HasPrefix(path, "/o/"):
		schema = "OAuthError"
	}
	var value any
	if err := json.Unmarshal(answer, &value); err != nil {
		return fmt.Errorf("404 without JSON: %w", err)
	}
	if err := doc.Components.Schemas[schema].Value.VisitJSON(value, openapi3.EnableJSONSchema2020()); err != nil {
		return fmt.Errorf("404 is no %s: %w", schema, err)
	}
	return nil
}

// aPage checks that an answer is an HTML document that loads nothing.
func aPage(r *http.Response, answer []byte) error {
	if r.Header.Get("Content-Type") != "text/html; charset=utf-8" || !strings.HasPrefix(string(answer), "<!doctype html>") ||
		!strings.HasPrefix(r.Header.Get("Content-Security-Policy"), "default-src 'none';") {
		return fmt.Errorf("%d is no page: %s, policy %q", r.StatusCode, r.Header.Get("Content-Type"), r.Header.Get("Content-Security-Policy"))
	}
	return nil
}
