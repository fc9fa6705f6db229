package httpfront

import (
	"context"
	_ "embed"
	"net/http"

	"ssod/httpfront/api"
	"ssod/httpfront/api/apidoc"
	"ssod/httpfront/wire"
)

//go:embed openapi.yaml
var openAPI []byte

// OpenAPI returns the document that describes the public API.
func OpenAPI() []byte { return openAPI }

// serveOpenAPI serves GET /openapi.yaml.
func serveOpenAPI(_ context.Context, r *api.Request) (api.Response, error) {
	return api.Response{Status: http.StatusOK, ContentType: "application/yaml", Body: append(r.Buffer, openAPI...)}, nil
}

// serveDocs serves GET /docs and GET /docs/{page}.
func serveDocs(_ context.Context, r *api.Request) (api.Response, error) {
	f := apidoc.Public(r.Parameter)
	if f == nil {
		return api.Response{}, api.ErrNotFound
	}
	return f.Answer(r.Header(wire.AcceptEncoding), r.Header(wire.IfNoneMatch)), nil
}
