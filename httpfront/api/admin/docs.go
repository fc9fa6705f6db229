package admin

import (
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

// documents serves the description of the public API, to people and programs.
func (s *Server) documents(mux *http.ServeMux) {
	if s.openapi == nil {
		return
	}
	mux.HandleFunc("GET /docs", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", page.ContentType)
		w.Header().Set("Content-Security-Policy", page.Policy)
		_, _ = w.Write(s.docs) // the client may be gone
	})
	mux.HandleFunc("GET /openapi.yaml", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/yaml")
		_, _ = w.Write(s.openapi)
	})
}
