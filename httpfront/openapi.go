package httpfront

import (
	"context"
	_ "embed"
	"net/http"

	"ssod/httpfront/api"
)

//go:embed openapi.yaml
var openAPI []byte

// OpenAPI returns the document that describes the public API.
func OpenAPI() []byte { return openAPI }

// serveOpenAPI serves GET /openapi.yaml.
func serveOpenAPI(_ context.Context, r *api.Request) (api.Response, error) {
	return api.Response{Status: http.StatusOK, ContentType: "application/yaml", Body: append(r.Buffer, openAPI...)}, nil
}
