package apidoc

import (
	"cmp"
	"html/template"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// view is what the page shows.
type view struct {
	Version string
	Text    template.HTML
	Tags    []tagView
	Schemas []schemaView
}

type tagView struct {
	Name       string
	Text       template.HTML
	Operations []operationView
}

type operationView struct {
	ID, Method, Path, Summary string
	Text                      template.HTML
	Token                     bool // an access token is needed
	Parameters                []row
	Bodies                    []bodyView
	Answers                   []answerView
}

// row is a parameter, a header or a property of a schema.
type row struct {
	Name, Where string
	Type        template.HTML
	Required    bool
	Text        template.HTML
}

type bodyView struct {
	Media    string
	Type     template.HTML
	Examples []exampleView
}

type exampleView struct{ Name, JSON string }

type answerView struct {
	Status  string
	Text    template.HTML
	Headers []row
	Bodies  []bodyView
}

type schemaView struct {
	Name string
	Type template.HTML
	Text template.HTML
	Rows []row
}

// viewer makes views of parts of a document. It remembers the first mistake.
type viewer struct {
	*spec
	err error
}

// resolve follows a reference and remembers when that fails.
func resolve[T any](v *viewer, in ordered[T], kind, ref string, value T) T {
	found, err := find(in, kind, ref, value)
	if err != nil && v.err == nil {
		v.err = err
	}
	return found
}

func (v *viewer) view() view {
	whole := view{Version: v.Info.Version, Text: markdown(v.Info.Description)}
	for _, t := range v.Tags {
		whole.Tags = append(whole.Tags, tagView{t.Name, markdown(t.Description), v.operations(t.Name)})
	}
	for _, s := range v.Components.Schemas {
		whole.Schemas = append(whole.Schemas, v.schema(s.Name, s.Value))
	}
	return whole
}

// operations are those with a tag, in the order of the paths.
func (v *viewer) operations(tag string) (list []operationView) {
	for _, p := range v.Paths {
		for _, m := range []struct {
			name string
			op   *operation
		}{{"GET", p.Value.Get}, {"HEAD", p.Value.Head}, {"POST", p.Value.Post}, {"PUT", p.Value.Put}, {"DELETE", p.Value.Delete}} {
			if m.op != nil && slices.Contains(m.op.Tags, tag) {
				list = append(list, v.operation(m.name, p.Name, m.op, p.Value.Parameters))
			}
		}
	}
	return list
}

func (v *viewer) operation(method, path string, op *operation, common []parameter) operationView {
	o := operationView{
		ID: op.ID, Method: method, Path: path, Summary: op.Summary, Text: markdown(op.Description),
		Token: op.Security == nil || len(*op.Security) > 0,
	}
	for _, p := range append(slices.Clone(common), op.Parameters...) {
		p = resolve(v, v.Components.Parameters, "parameters", p.Ref, p)
		o.Parameters = append(o.Parameters, row{p.Name, p.In, v.typeOf(p.Schema), p.Required, markdown(p.Description)})
	}
	if op.RequestBody != nil {
		o.Bodies = v.bodies(op.RequestBody.Content)
	}
	for _, r := range op.Responses {
		o.Answers = append(o.Answers, v.answer(r.Name, r.Value))
	}
	return o
}

func (v *viewer) answer(status string, r response) answerView {
	r = resolve(v, v.Components.Responses, "responses", r.Ref, r)
	a := answerView{Status: status, Text: markdown(r.Description), Bodies: v.bodies(r.Content)}
	for _, h := range r.Headers {
		found := resolve(v, v.Components.Headers, "headers", h.Value.Ref, h.Value)
		a.Headers = append(a.Headers, row{Name: h.Name, Text: markdown(found.Description)})
	}
	return a
}

func (v *viewer) bodies(content ordered[media]) (list []bodyView) {
	for _, m := range content {
		b := bodyView{Media: m.Name}
		if m.Value.Schema != nil {
			b.Type = v.typeOf(*m.Value.Schema)
		}
		for _, e := range m.Value.Examples {
			found := resolve(v, v.Components.Examples, "examples", e.Value.Ref, e.Value)
			b.Examples = append(b.Examples, exampleView{cmp.Or(found.Summary, e.Name), encode(&found.Value)})
		}
		list = append(list, b)
	}
	return list
}

func (v *viewer) schema(name string, s schema) schemaView {
	view := schemaView{Name: name, Type: v.typeOf(s), Text: markdown(s.Description)}
	for _, p := range s.Properties {
		view.Rows = append(view.Rows, row{
			p.Name, "", v.typeOf(p.Value), slices.Contains(s.Required, p.Name), markdown(p.Value.Description),
		})
	}
	return view
}

// typeOf names the type of a schema in a few words, with links.
func (v *viewer) typeOf(s schema) template.HTML {
	if s.Ref != "" {
		resolve(v, v.Components.Schemas, "schemas", s.Ref, s)
		name := template.HTMLEscapeString(s.Ref[strings.LastIndex(s.Ref, "/")+1:])
		return template.HTML(`<a href="#schema-` + name + `">` + name + `</a>`)
	}
	text := template.HTML(template.HTMLEscapeString(s.typeName()))
	switch {
	case s.Items != nil:
		text += " of " + v.typeOf(*s.Items)
	case s.Additional.Kind == yaml.MappingNode:
		var of schema
		if err := s.Additional.Decode(&of); err == nil {
			text += " with values " + v.typeOf(of)
		}
	case len(s.Enum) > 0:
		text += template.HTML(": " + template.HTMLEscapeString(strings.Join(s.Enum, ", ")))
	case len(s.Known) > 0:
		text += template.HTML(", today one of " + template.HTMLEscapeString(strings.Join(s.Known, ", ")))
	case s.Pattern != "":
		text += template.HTML(" like <code>" + template.HTMLEscapeString(s.Pattern) + "</code>")
	}
	return text
}

// typeName joins the types of a schema.
func (s *schema) typeName() string {
	var names []string
	for _, n := range s.Type.Content {
		names = append(names, n.Value)
	}
	return cmp.Or(s.Type.Value, strings.Join(names, " or "), "any") + strings.TrimSuffix(" "+s.Format, " ")
}
