package render

import (
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"
)

// spec is an OpenAPI document as it is written.
type spec struct {
	Info struct {
		Title, Version, Description string
	}
	Tags       []struct{ Name, Description string }
	Security   *[]yaml.Node
	Paths      ordered[pathItem]
	Components struct {
		Parameters ordered[parameter]
		Headers    ordered[header]
		Responses  ordered[response]
		Schemas    ordered[schema]
		Examples   ordered[example]
		Bodies     ordered[body] `yaml:"requestBodies"`
	}
}

type pathItem struct {
	Parameters []parameter
	Operations ordered[operation] // by method, in the order in which they are written
}

// UnmarshalYAML implements [yaml.Unmarshaler].
func (p *pathItem) UnmarshalYAML(n *yaml.Node) error {
	var members ordered[yaml.Node]
	if err := n.Decode(&members); err != nil {
		return err
	}
	for _, m := range members {
		switch m.Name {
		case "parameters":
			if err := m.Value.Decode(&p.Parameters); err != nil {
				return err
			}
		case "get", "head", "post", "put", "patch", "delete":
			e := entry[operation]{Name: strings.ToUpper(m.Name)}
			if err := m.Value.Decode(&e.Value); err != nil {
				return fmt.Errorf("%s: %w", m.Name, err)
			}
			p.Operations = append(p.Operations, e)
		}
	}
	return nil
}

type operation struct {
	Tags        []string
	ID          string `yaml:"operationId"`
	Summary     string
	Description string
	Deprecated  bool
	Security    *[]yaml.Node
	Parameters  []parameter
	RequestBody *body `yaml:"requestBody"`
	Responses   ordered[response]
	// Polling is the least number of seconds between two calls; 0: it is not polled.
	Polling int `yaml:"x-polling-interval-seconds"`
}

type body struct {
	Ref         string `yaml:"$ref"`
	Description string
	Required    bool
	Content     ordered[media]
}

type parameter struct {
	Ref         string `yaml:"$ref"`
	Name, In    string
	Required    bool
	Description string
	Schema      schema
	Example     yaml.Node
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
	Example  yaml.Node
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
	Known       []string `yaml:"x-extensible-enum"` // others may be added
	Default     yaml.Node
	Required    []string
	Properties  ordered[schema]
	Items       *schema
	OneOf       []schema  `yaml:"oneOf"`
	AnyOf       []schema  `yaml:"anyOf"`
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

// needsToken reports whether an operation needs a bearer token.
func (s *spec) needsToken(op *operation) bool {
	security := op.Security
	if security == nil {
		security = s.Security
	}
	return security != nil && len(*security) > 0
}
