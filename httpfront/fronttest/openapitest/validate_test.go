package openapitest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ssod/httpfront/api"
	"ssod/httpfront/fronttest/openapitest"
)

func TestDocumentIsValid(t *testing.T) {
	doc, err := openapitest.Document()
	if err != nil {
		t.Fatal(err)
	}
	if doc.OpenAPI != "3.1.0" {
		t.Errorf("OpenAPI %s", doc.OpenAPI)
	}
}

// TestErrorsOfTheDocument compares the examples of all errors, which every
// operation lists, with the catalogue.
func TestErrorsOfTheDocument(t *testing.T) {
	doc, err := openapitest.Document()
	if err != nil {
		t.Fatal(err)
	}
	documented, used := map[string]bool{}, map[string]bool{}
	for _, item := range doc.Paths.Map() {
		for _, operation := range item.Operations() {
			for _, response := range operation.Responses.Map() {
				for _, content := range response.Value.Content {
					for name, example := range content.Examples {
						used[name] = true
						if line := describe(example.Value.Value); line != "" {
							documented[line] = true
						}
					}
				}
			}
		}
	}
	for name, example := range doc.Components.Examples {
		// A path that names nothing has no operation to list it.
		if name == "notFound" || used[name] {
			documented[describe(example.Value.Value)] = true
		} else {
			t.Errorf("example %s is used by no operation", name)
		}
	}
	if diff := cmp.Diff(catalogue(), sorted(documented)); diff != "" {
		t.Errorf("-catalogue +document\n%s", diff)
	}
}

func catalogue() []string {
	lines := map[string]bool{"oauth server_error": true, "oauth temporarily_unavailable": true, "oauth method_not_allowed": true, "oauth not_found": true}
	for _, e := range api.Catalogue() {
		if e.Action == "" { // occurs below /o/ only
			lines["oauth "+e.Code] = true
		} else {
			lines[strings.Join([]string{http.StatusText(e.Status), e.Code, e.Message, string(e.Action), e.Details}, "|")] = true
		}
	}
	return sorted(lines)
}

// describe writes an error of any shape as catalogue does; "" for others.
func describe(example any) string {
	body, ok := example.(map[string]any)
	if !ok {
		return ""
	}
	if code, ok := body["error"].(string); ok {
		return "oauth " + code
	}
	e, ok := body["error"].(map[string]any)
	if _, flat := body["code"].(string); flat && !ok {
		e, ok = body, body["action"] != nil
	}
	if !ok {
		return ""
	}
	status, _ := e["status"].(float64)
	details, _ := e["details"].(string)
	return strings.Join([]string{http.StatusText(int(status)), e["code"].(string), e["message"].(string), e["action"].(string), details}, "|")
}

func sorted(set map[string]bool) []string {
	list := make([]string, 0, len(set))
	for s := range set {
		list = append(list, s)
	}
	sort.Strings(list)
	return list
}

const id = "0b7c5a3e-52f4-4d55-8c3f-3b1f4a8d2c11"

// TestValidate shows that the check would find what it is there to find.
func TestValidate(t *testing.T) {
	const (
		token  = "aa.bb.cc"
		minted = `{"status":"CREATED","serviceToken":"a.b.c","jws":"a.b.c","notBefore":1,"notAfter":2}`
		failed = `{"status":"BAD_REQUEST","error":{"status":400,"code":"token_invalid","message":"m","action":"none","helpUrl":"https://h","trace":"` + id + `"}}`
	)
	mint := []string{"Authorization", "Bearer " + token, "AP-Device-Identifier", "fingerprint YQ==", "X-SSO-ID", "v"}
	tests := []struct {
		name, method, path string
		header             []string
		body               string
		status             int
		answerHeader       []string
		answer             string
		wrong              string // part of the error; empty: none
	}{
		{"success", "POST", "/api/tv/serviceToken", mint, "", 201, nil, minted, ""},
		{"slash at the end", "POST", "/api/tv/serviceToken/", mint, "", 201, nil, minted, ""},
		{"success without a device", "POST", "/api/tv/serviceToken", mint[:2], "", 201, nil, minted, "AP-Device-Identifier"},
		{"success without an access token", "POST", "/api/tv/serviceToken", mint[2:], "", 201, nil, minted, "bearer"},
		{"wrong request, documented error", "POST", "/api/tv/serviceToken", nil, "", 400, nil, failed, ""},
		{"undocumented status", "POST", "/api/tv/serviceToken", mint, "", 202, nil, minted, "status"},
		{"field missing", "POST", "/api/tv/serviceToken", mint, "", 201, nil, strings.Replace(minted, "jws", "jwt", 1), "jw"},
		{"field too many", "POST", "/api/tv/serviceToken", mint, "", 201, nil, strings.Replace(minted, "{", `{"error":1,`, 1), "error"},
		{"no trace", "POST", "/api/tv/serviceToken", mint, "", 400, nil, strings.Replace(failed, id, "", 1), "trace"},
		{"unknown code", "POST", "/api/tv/serviceToken", mint, "", 400, nil, strings.Replace(failed, "token_invalid", "token_odd", 1), "code"},
		{"unknown status of a body", "POST", "/api/tv/serviceToken", mint, "", 201, nil, strings.Replace(minted, "CREATED", "MADE", 1), "status"},
		{"no X-Request-Id", "POST", "/api/tv/serviceToken", mint, "", 201, []string{"X-Request-Id", ""}, minted, "X-Request-Id"},
		{"cached", "POST", "/api/tv/serviceToken", mint, "", 201, []string{"Cache-Control", "public"}, minted, "Cache-Control"},
		{"another content type", "POST", "/api/tv/serviceToken", mint, "", 201, []string{"Content-Type", "text/plain"}, minted, "Content-Type"},
		{"method", "PUT", "/api/tv/serviceToken", nil, "", 200, nil, "{}", "status"},
		{"unknown path", "GET", "/api/tv/nothing", nil, "", 404, nil, strings.Replace(failed, "400", "404", 1), ""},
		{"unknown path, another shape", "GET", "/api/v2/tv/x", nil, "", 404, nil, failed, "FlatError"},
		{"unknown path that answers", "GET", "/nothing", nil, "", 200, nil, "{}", "undocumented path"},
		{"unlink body", "POST", "/api/tv/unlink", append(mint, "AD-Service-Token", token, "Content-Type", "application/json"), `{"devices":[]}`, 200, nil, `{"status":"OK","unlinkedDevices":[]}`, "devices"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			request := httptest.NewRequest(tt.method, tt.path, strings.NewReader(tt.body))
			set(request.Header, tt.header)
			response := &http.Response{StatusCode: tt.status, Header: http.Header{}}
			set(response.Header, []string{"X-Request-Id", id, "Cache-Control", "no-store", "Content-Type", "application/json"})
			set(response.Header, tt.answerHeader)
			err := openapitest.Validate(request, []byte(tt.body), response, []byte(tt.answer))
			switch {
			case tt.wrong == "" && err != nil:
				t.Errorf("got %v, want no error", err)
			case tt.wrong != "" && (err == nil || !strings.Contains(err.Error(), tt.wrong)):
				t.Errorf("got %v, want something about %q", err, tt.wrong)
			}
		})
	}
}

func set(h http.Header, pairs []string) {
	for i := 0; i < len(pairs); i += 2 {
		if h.Set(pairs[i], pairs[i+1]); pairs[i+1] == "" {
			h.Del(pairs[i])
		}
	}
}

// roundTripper is a function that is a transport.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// The transport passes a request on as it is: with its body, and without one if it has
// none, of which [http.Transport] would make a chunked one on a busy machine.
func TestTransportPassesRequestsOn(t *testing.T) {
	for _, body := range []string{"", "{}"} {
		request, err := http.NewRequest(http.MethodPost, "http://node/", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		given := request.Body
		behind := roundTripper(func(r *http.Request) (*http.Response, error) {
			if none := r.Body == http.NoBody; none != (body == "") || r.ContentLength != int64(len(body)) {
				t.Errorf("%q is passed on as %T of %d bytes", body, r.Body, r.ContentLength)
			}
			text, err := io.ReadAll(r.Body)
			if string(text) != body || err != nil {
				t.Errorf("%q is passed on as %q, %v", body, text, err)
			}
			return &http.Response{Body: http.NoBody}, nil
		})
		transport := openapitest.Transport{TB: t, Behind: behind, Picks: func(*http.Response) bool { return false }}
		if _, err := transport.RoundTrip(request); err != nil || request.Body != given {
			t.Errorf("%q: %v, the caller's request has another body: %v", body, err, request.Body != given)
		}
	}
}
