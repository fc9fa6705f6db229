package openapitest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"ssod/httpfront"
)

// Document returns the document of the public API, as [Parse] does.
var Document = sync.OnceValues(func() (*openapi3.T, error) { return Parse(httpfront.OpenAPI()) })

// Pages and documents are texts.
func init() {
	text := openapi3filter.RegisteredBodyDecoder("text/plain")
	for _, kind := range []string{"text/html", "application/yaml", "application/samlmetadata+xml"} {
		openapi3filter.RegisterBodyDecoder(kind, text)
	}
}

// Parse reads a document and makes it exact: what is an open enumeration for clients
// is closed, and so are objects. It must not be changed.
func Parse(document []byte) (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		return nil, fmt.Errorf("load the OpenAPI document: %w", err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		return nil, fmt.Errorf("check the OpenAPI document: %w", err)
	}
	strict(doc)
	return doc, nil
}

// Validate reports what is wrong with a request to the public API and its response,
// whose bodies were read already. It may be called from many goroutines.
func Validate(request *http.Request, body []byte, response *http.Response, answer []byte) error {
	doc, err := Document()
	if err != nil {
		return err
	}
	if isRefusal(response, answer) {
		return nil
	}
	item, parameters := find(doc, request.URL.Path)
	if item == nil {
		return unknownPath(doc, request, response, answer)
	}
	if request.Method == http.MethodOptions {
		return options(response, answer)
	}
	operation := item.GetOperation(request.Method)
	if operation == nil {
		operation = methodNotAllowed(item)
	}
	route := &routers.Route{Spec: doc, PathItem: item, Operation: operation, Method: request.Method}
	return check(route, parameters, withBody(request, body), response, answer)
}

// ErrNoOperation: a document has no operation for the path and the method.
var ErrNoOperation = errors.New("no operation")

// Check is [Validate] for an operation of another document. It fails with
// [ErrNoOperation].
func Check(doc *openapi3.T, request *http.Request, body []byte, response *http.Response, answer []byte) error {
	item, parameters := find(doc, request.URL.Path)
	if item == nil || item.GetOperation(request.Method) == nil {
		return fmt.Errorf("%w: %s %s", ErrNoOperation, request.Method, request.URL.Path)
	}
	route := &routers.Route{Spec: doc, PathItem: item, Operation: item.GetOperation(request.Method), Method: request.Method}
	return check(route, parameters, withBody(request, body), response, answer)
}

func check(route *routers.Route, parameters map[string]string, request *http.Request, response *http.Response, answer []byte) error {
	input := &openapi3filter.RequestValidationInput{
		Request:    request,
		PathParams: parameters,
		Route:      route,
		Options:    &openapi3filter.Options{AuthenticationFunc: authenticate, IncludeResponseStatus: true},
	}
	if response.StatusCode < 300 {
		if err := openapi3filter.ValidateRequest(context.Background(), input); err != nil {
			return fmt.Errorf("request: %w", err)
		}
	}
	return openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input,
		Status:                 response.StatusCode,
		Header:                 response.Header,
		Body:                   io.NopCloser(bytes.NewReader(answer)),
		Options:                input.Options,
	})
}

// withBody is the request with its body unread. No body stays none: of one that might
// have something [http.Transport] waits 200 ms for the first byte, and when a busy
// machine lets none come, a GET is sent with a transfer coding, which is refused.
func withBody(r *http.Request, body []byte) *http.Request {
	r = r.Clone(r.Context())
	r.Body = http.NoBody
	if len(body) > 0 {
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	return r
}

// authenticate wants a bearer token where the document does.
func authenticate(_ context.Context, in *openapi3filter.AuthenticationInput) error {
	header := in.RequestValidationInput.Request.Header.Get("Authorization")
	if len(header) < len("Bearer x") || !strings.EqualFold(header[:len("Bearer ")], "Bearer ") {
		return fmt.Errorf("no bearer token for %s", in.SecuritySchemeName)
	}
	return nil
}

// find returns the path item of a path and the values of its parameters. One
// slash at the end does not matter.
func find(doc *openapi3.T, path string) (*openapi3.PathItem, map[string]string) {
	got := strings.Split(strings.TrimSuffix(path, "/"), "/")
	var best *openapi3.PathItem
	var parameters map[string]string
	for template, item := range doc.Paths.Map() {
		// Of two templates that match, the one with more words is meant.
		if p, ok := match(strings.Split(strings.TrimSuffix(template, "/"), "/"), got); ok && (best == nil || len(p) < len(parameters)) {
			best, parameters = item, p
		}
	}
	return best, parameters
}

func match(template, got []string) (map[string]string, bool) {
	if len(template) != len(got) {
		return nil, false
	}
	parameters := make(map[string]string)
	for i, segment := range template {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			if name = strings.TrimSuffix(name, "}"); name == "serviceProvider" && reserved(got[i]) {
				return nil, false
			}
			parameters[name] = got[i]
		} else if segment != got[i] {
			return nil, false
		}
	}
	return parameters, true
}

// reserved reports whether a segment is a word that the API needs itself where
// service providers are.
func reserved(segment string) bool {
	switch segment {
	case "v1", "v2", "authenticate", "sessions", "logout", "logout-agent":
		return true
	}
	return false
}

// methodNotAllowed stands for the methods that a path does not have.
func methodNotAllowed(item *openapi3.PathItem) *openapi3.Operation {
	for _, operation := range item.Operations() {
		only := openapi3.WithStatus(http.StatusMethodNotAllowed, operation.Responses.Status(http.StatusMethodNotAllowed))
		return &openapi3.Operation{Responses: openapi3.NewResponses(only), Security: openapi3.NewSecurityRequirements()}
	}
	return nil
}

// OperationID is the id of the operation that a request is for; empty: none.
func OperationID(request *http.Request) string {
	doc, err := Document()
	if err != nil {
		return ""
	}
	item, _ := find(doc, request.URL.Path)
	if item == nil || item.GetOperation(request.Method) == nil {
		return ""
	}
	return item.GetOperation(request.Method).OperationID
}
