package admin

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// operations are the paths of the API and what their methods do.
var operations = map[string]map[string]handler{
	"cluster":                              {http.MethodGet: showCluster},
	initPath:                               {http.MethodPost: initCluster},
	"cluster/settings":                     {http.MethodPost: setCluster},
	"nodes/{name}":                         {http.MethodDelete: forNode(ErrNoNode, false, Members.Remove)},
	"nodes/{name}/drain":                   {http.MethodPost: forNode(errAlone, true, Members.Drain)},
	"nodes/{name}/undrain":                 {http.MethodPost: forNode(errAlone, true, Members.Undrain)},
	"nodes/{name}/readmit":                 {http.MethodPost: forNode(ErrNoNode, false, Members.Readmit)},
	"software-statements":                  {http.MethodPost: createStatement},
	"software-statements/{id}":             {http.MethodDelete: ended("id", "statement", (*call).revokeStatement)},
	"clients/{clientId}":                   {http.MethodDelete: ended("clientId", "client", (*call).revokeClient)},
	"keys":                                 {http.MethodGet: listKeys},
	"keys/rotate":                          {http.MethodPost: rotateKeys},
	"keys/{kid}":                           {http.MethodDelete: ended("kid", "kid", (*call).revokeKey)},
	"clock/accept":                         {http.MethodPost: acceptClock},
	"clock/reset":                          {http.MethodPost: resetClock},
	"degradation":                          {http.MethodGet: listRules},
	"degradation/{serviceProvider}/{mvpd}": {http.MethodGet: showRule, http.MethodPut: setRule, http.MethodDelete: endRule},
	"providers/{realm}/{mvpd}/test":        {http.MethodPost: testProvider},
	"events":                               {http.MethodGet: listEvents},
	"events/replay":                        {http.MethodPost: replayEvents},
	"reload":                               {http.MethodPost: reload},
	"backup":                               {http.MethodPost: makeBackup},
	"profile":                              {http.MethodGet: showProfile, http.MethodDelete: eraseProfile},
	"device":                               {http.MethodDelete: eraseDevice},
	"trials":                               {http.MethodDelete: resetTrials},
}

// routes are handlers by pattern of [http.ServeMux].
type routes map[string]http.Handler

func (r routes) add(pattern string, h http.HandlerFunc) { r[pattern] = h }

func (r routes) mux() *http.ServeMux {
	mux := http.NewServeMux()
	for pattern, h := range r {
		mux.Handle(pattern, h)
	}
	return mux
}

// pages is everything that the admin listener has.
func (s *Server) pages() routes {
	r := routes{}
	s.health(r)
	s.profiles(r)
	for path, methods := range operations {
		r.add(apiPrefix+path, s.byMethod(methods))
	}
	r.add(apiPrefix, s.adapt(notFound))
	r.add("GET /{$}", index)
	s.documents(r)
	return r
}

// byMethod answers other methods than the path has with 405.
func (s *Server) byMethod(methods map[string]handler) http.HandlerFunc {
	allow := strings.Join(slices.Sorted(maps.Keys(methods)), ", ")
	adapted := make(map[string]http.HandlerFunc, len(methods))
	for method, h := range methods {
		adapted[method] = s.adapt(h)
	}
	return func(w http.ResponseWriter, r *http.Request) {
		if h, ok := adapted[r.Method]; ok {
			h(w, r)
			return
		}
		w.Header().Set("Allow", allow)
		s.refuse(w, r, http.StatusMethodNotAllowed, "method_not_allowed", "The path takes "+allow)
	}
}

// index links to what there is.
func index(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'")
	fmt.Fprint(w, "<!doctype html><html lang=en><title>ssod</title><h1>ssod</h1><ul>")
	for _, link := range []string{"/livez", "/readyz", "/metrics", "/docs", "/docs/admin", "/openapi.yaml", "/admin/openapi.yaml", "/admin/v1/cluster", "/admin/v1/keys"} {
		fmt.Fprintf(w, "<li><a href=%q>%s</a>", link, link)
	}
	fmt.Fprint(w, "</ul>\n")
}
