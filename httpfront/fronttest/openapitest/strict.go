package openapitest

import "github.com/getkin/kin-openapi/openapi3"

// extensible lists the values that an open enumeration has today.
const extensible = "x-extensible-enum"

// strict makes a document exact. What it promises to clients is open, so that theirs
// survive what comes: values that they do not know, and fields. What the server answers
// today is no more than the document has.
func strict(doc *openapi3.T) {
	s := stricter{}
	for _, response := range responses(doc) {
		for _, h := range response.Headers {
			s.schema(h.Value.Schema)
		}
		for _, content := range response.Content {
			s.schema(content.Schema)
		}
	}
}

// responses are those of all operations. One that several have is there several times.
func responses(doc *openapi3.T) (all []*openapi3.Response) {
	for _, item := range doc.Paths.Map() {
		for _, operation := range item.Operations() {
			for _, response := range operation.Responses.Map() {
				all = append(all, response.Value)
			}
		}
	}
	return all
}

// stricter remembers which schemas are exact already.
type stricter map[*openapi3.Schema]bool

func (s stricter) schema(ref *openapi3.SchemaRef) {
	if ref == nil || ref.Value == nil || s[ref.Value] {
		return
	}
	v := ref.Value
	s[v] = true
	if values, ok := v.Extensions[extensible].([]any); ok {
		if v.Enum = values; v.Type.Includes(openapi3.TypeNull) {
			v.Enum = append(v.Enum, nil)
		}
	}
	s.schema(v.Items)
	s.schema(v.AdditionalProperties.Schema)
	for _, property := range v.Properties {
		s.schema(property)
	}
	if a := &v.AdditionalProperties; len(v.Properties) > 0 && a.Schema == nil && a.Has == nil {
		closed := false
		a.Has = &closed
	}
}
