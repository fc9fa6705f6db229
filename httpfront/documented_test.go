package httpfront

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"ssod/httpfront/api"
)

// TestEveryOperationIsDocumented, and each path and method of the document is an
// operation.
func TestEveryOperationIsDocumented(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(openAPI)
	if err != nil {
		t.Fatal(err)
	}
	var h Handlers
	fill(reflect.ValueOf(&h).Elem())
	registry := prometheus.NewRegistry()
	rs := newRoutes(h, newMetrics(registry))
	found := map[string]bool{}
	for template, item := range doc.Paths.Map() {
		p, _ := splitPath([]byte(regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(template, "x")))
		resource := rs.find(&p).resource
		for method := range item.Operations() {
			if resource == nil || resource.operation([]byte(method)) == nil {
				t.Errorf("%s %s is documented and no operation", method, template)
				continue
			}
			found[resource.operation([]byte(method)).name] = true
		}
	}
	if diff := cmp.Diff(endpoints(t, registry), slices.Sorted(maps.Keys(found))); diff != "" {
		t.Errorf("-operations +documented\n%s", diff)
	}
}

// fill sets every handler.
func fill(v reflect.Value) {
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.Struct {
			fill(f)
		} else {
			f.Set(reflect.ValueOf(api.Handler(echo)))
		}
	}
}

// endpoints are the names of all operations, which have a meter each.
func endpoints(t *testing.T, registry *prometheus.Registry) []string {
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			for _, label := range m.GetLabel() {
				if label.GetName() == "endpoint" {
					names[label.GetValue()] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}
