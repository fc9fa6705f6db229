package admin

import (
	_ "embed"
	"net/http"

	"ssod/httpfront/apidoc"
	"ssod/httpfront/page"
)

// document makes the page of the public API.
func (s *Server) document(openapi []byte) (err error) {
	if openapi == nil {
		return nil
	}
	s.openapi = openapi
	s.docs, err = apidoc.Render(openapi)
	return err
}

//go:embed openapi.yaml
var openAPI []byte

// OpenAPI returns the document that describes the admin listener.
func OpenAPI() []byte { return openAPI }

// documents serves the descriptions of this API and of the public one, to people and
// programs.
func (s *Server) documents(r routes) {
	r.add("GET /admin/openapi.yaml", serveYAML(openAPI))
	if s.openapi == nil {
		return
	}
	r.add("GET /docs", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", page.ContentType)
		w.Header().Set("Content-Security-Policy", page.Policy)
		_, _ = w.Write(s.docs) // the client may be gone
	})
	r.add("GET /openapi.yaml", serveYAML(s.openapi))
}

func serveYAML(openapi []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/yaml")
		_, _ = w.Write(openapi) // the client may be gone
	}
}
