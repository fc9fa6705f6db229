package admin

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	"ssod/httpfront/fronttest/openapitest"
)

func document(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapitest.Parse(OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestEveryRouteIsDocumented, and every operation of the document is a route.
func TestEveryRouteIsDocumented(t *testing.T) {
	documented := map[string]bool{}
	doc := document(t)
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			documented[method+" "+path] = true
		}
	}
	s := &Server{openapi: []byte("there is one"), tokens: NewTokens()}
	routed := map[string]bool{}
	for pattern := range s.pages() {
		for _, route := range expand(t, doc, pattern) {
			routed[route] = true
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(documented)), slices.Sorted(maps.Keys(routed))); diff != "" {
		t.Errorf("-documented +routed\n%s", diff)
	}
}

// expand returns the operations behind a pattern of the listener.
func expand(t *testing.T, doc *openapi3.T, pattern string) (all []string) {
	method, path, found := strings.Cut(pattern, " ")
	name, profile := strings.CutPrefix(path, "/debug/pprof/")
	switch {
	case !found:
		for method := range operations[strings.TrimPrefix(pattern, apiPrefix)] {
			all = append(all, method+" "+pattern)
		}
	case profile && name == "": // also those of runtime/pprof
		all = []string{pattern, pattern + "{profile}"}
	case profile:
		if known := doc.Components.Parameters["RuntimeProfile"].Value.Schema.Value.Extensions["x-extensible-enum"].([]any); !slices.Contains(known, any(name)) {
			t.Errorf("the profile %s is not documented", name)
		}
	default:
		all = []string{method + " " + strings.TrimSuffix(path, "{$}")}
	}
	return all
}

// TestEveryErrorIsDocumented: each status and code, and no other.
func TestEveryErrorIsDocumented(t *testing.T) {
	type kind struct {
		status int
		code   string
	}
	can := map[kind]bool{{401, "unauthorized"}: true, {403, "forbidden"}: true, {405, "method_not_allowed"}: true, {500, "internal_error"}: true}
	for _, f := range failures {
		can[kind{f.status, f.code}] = true
	}
	documented, codes := map[kind]bool{}, map[any]bool{}
	doc := document(t)
	for name, response := range doc.Components.Responses {
		content := response.Value.Content.Get("application/json")
		if content == nil {
			continue // text
		}
		for code, example := range content.Examples {
			v := example.Value.Value.(map[string]any)
			documented[kind{int(v["status"].(float64)), code}] = true
			if v["code"] != code {
				t.Errorf("%s: the example %s has the code %v", name, code, v["code"])
			}
		}
	}
	if diff := cmp.Diff(can, documented, cmp.AllowUnexported(kind{})); diff != "" {
		t.Errorf("-can happen +documented\n%s", diff)
	}
	for k := range can {
		codes[k.code] = true
	}
	listed := map[any]bool{}
	for _, code := range doc.Components.Schemas["Failure"].Value.Properties["code"].Value.Enum {
		listed[code] = true
	}
	if diff := cmp.Diff(codes, listed); diff != "" {
		t.Errorf("-can happen +listed\n%s", diff)
	}
}
