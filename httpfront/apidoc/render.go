package apidoc

import (
	_ "embed"
	"fmt"

	"gopkg.in/yaml.v3"

	"ssod/httpfront/page"
)

//go:embed page.html
var pageText string

var pageTemplate = page.MustParse(pageText).ForReading()

// Render makes the page of a document. It fails when the document is no
// OpenAPI, or when a reference in it leads nowhere.
func Render(openapi []byte) ([]byte, error) {
	var s spec
	if err := yaml.Unmarshal(openapi, &s); err != nil {
		return nil, fmt.Errorf("read the OpenAPI document: %w", err)
	}
	v := viewer{spec: &s}
	whole := v.view()
	if v.err != nil {
		return nil, fmt.Errorf("read the OpenAPI document: %w", v.err)
	}
	return pageTemplate.Render(s.Info.Title, whole)
}
