package apidoc

import (
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"
)

// spec is the document as it is written.
type spec struct {
	Info struct {
		Title, Version, Description string
	}
	Tags       []struct{ Name, Description string }
	Paths      ordered[pathItem]
	Components struct {
		Parameters ordered[parameter]
		Headers    ordered[header]
		Responses  ordered[response]
		Schemas    ordered[schema]
		Examples   ordered[example]
	}
}

type pathItem struct {
	Parameters                   []parameter
	Get, Head, Post, Put, Delete *operation
}

type operation struct {
	Tags        []string
	ID          string `yaml:"operationId"`
	Summary     string
	Description string
	Security    *[]yaml.Node
	Parameters  []parameter
	RequestBody *struct {
		Description string
		Content     ordered[media]
	} `yaml:"requestBody"`
	Responses ordered[response]
}

type parameter struct {
	Ref         string `yaml:"$ref"`
	Name, In    string
	Required    bool
	Description string
	Schema      schema
}

type header struct {
	Ref         string `yaml:"$ref"`
	Description string
}

type response struct {
	Ref         string `yaml:"$ref"`
	Description string
	Headers     ordered[header]
	Content     ordered[media]
}

type media struct {
	Schema   *schema
	Examples ordered[example]
}

type example struct {
	Ref     string `yaml:"$ref"`
	Summary string
	Value   yaml.Node
}

type schema struct {
	Ref         string `yaml:"$ref"`
	Type        yaml.Node
	Description string
	Format      string
	Pattern     string
	Enum        []string
	Known       []string `yaml:"x-extensible-enum"` // there may be others
	Required    []string
	Properties  ordered[schema]
	Items       *schema
	Additional  yaml.Node `yaml:"additionalProperties"`
}

// ordered is a mapping in the order in which it is written.
type ordered[T any] []entry[T]

type entry[T any] struct {
	Name  string
	Value T
}

// UnmarshalYAML implements [yaml.Unmarshaler].
func (o *ordered[T]) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: not a mapping", n.Line)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		e := entry[T]{Name: n.Content[i].Value}
		if err := n.Content[i+1].Decode(&e.Value); err != nil {
			return fmt.Errorf("%s: %w", e.Name, err)
		}
		*o = append(*o, e)
	}
	return nil
}

// find returns what a reference to one of the components names; v itself where
// there is no reference.
func find[T any](in ordered[T], kind, ref string, v T) (T, error) {
	if ref == "" {
		return v, nil
	}
	name, ok := strings.CutPrefix(ref, "#/components/"+kind+"/")
	for _, e := range in {
		if ok && e.Name == name {
			return e.Value, nil
		}
	}
	return v, fmt.Errorf("the reference %s leads nowhere", ref)
}
