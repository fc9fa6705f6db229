package admin

import (
	_ "embed"
	"net/http"

	"ssod/httpfront/api/apidoc"
)

//go:embed openapi.yaml
var openAPI []byte

// OpenAPI returns the document that describes the admin listener.
func OpenAPI() []byte { return openAPI }

// documents serves the descriptions of this API and of the public one, to people and
// programs.
func (s *Server) documents(r routes) {
	r.add("GET /admin/openapi.yaml", serveYAML(openAPI))
	if s.openapi != nil {
		r.add("GET /openapi.yaml", serveYAML(s.openapi))
	}
	r.add("GET "+apidoc.Prefix, servePage)
	r.add("GET "+apidoc.Prefix+"/{page}", servePage)
}

func serveYAML(openapi []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/yaml")
		_, _ = w.Write(openapi) // the client may be gone
	}
}

// servePage serves GET /docs and GET /docs/{page}.
func servePage(w http.ResponseWriter, r *http.Request) {
	f := apidoc.Admin(r.PathValue("page"))
	if f == nil {
		http.NotFound(w, r)
		return
	}
	answer := f.Answer([]byte(r.Header.Get("Accept-Encoding")), []byte(r.Header.Get("If-None-Match")))
	for _, field := range answer.Fields {
		w.Header().Set(field.Name, field.Value)
	}
	w.Header().Set("Content-Type", answer.ContentType)
	w.Header().Set("Cache-Control", answer.CacheControl)
	w.WriteHeader(answer.Status)
	_, _ = w.Write(answer.Body) // the client may be gone
}
