package render

import (
	"cmp"
	"html/template"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// reference is what the page of an OpenAPI document shows.
type reference struct {
	Title, Version string
	Document       string // where the document itself is served
	Text           template.HTML
	Setup          []command
	Tags           []tagView
	Schemas        []schemaView
}

type tagView struct {
	Name, ID   string
	Text       template.HTML
	Operations []operationView
}

type operationView struct {
	ID, Method, Path, Summary string
	Text                      template.HTML
	Token, Deprecated         bool
	Polling                   int
	Parameters                []row
	BodyRequired              bool
	Bodies                    []bodyView
	Curls                     []command
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
	Rows     []row // of a schema that has no name
	Errors   []errorView
	Examples []command
}

// errorView is an example that is an error: its code says enough.
type errorView struct{ Code, When, Action string }

type answerView struct {
	Status  string
	Good    bool // 2xx or 3xx
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
	shell
	markdown *markdown
	err      error
}

// resolve follows a reference and remembers when that fails.
func resolve[T any](v *viewer, in ordered[T], kind, ref string, value T) T {
	found, err := find(in, kind, ref, value)
	if err != nil && v.err == nil {
		v.err = err
	}
	return found
}

// text renders the Markdown of a description.
func (v *viewer) text(source string) template.HTML {
	html, err := v.markdown.description(source)
	if err != nil && v.err == nil {
		v.err = err
	}
	return html
}

func (v *viewer) view(document string) reference {
	r := reference{Title: v.Info.Title, Version: v.Info.Version, Document: document, Text: v.text(v.Info.Description)}
	for _, t := range v.Tags {
		if operations := v.operations(t.Name); operations != nil {
			r.Tags = append(r.Tags, tagView{t.Name, "tag-" + slug(t.Name), v.text(t.Description), operations})
		}
	}
	for _, s := range v.Components.Schemas {
		r.Schemas = append(r.Schemas, v.schema(s.Name, s.Value))
	}
	return r
}

// operations are those with a tag, in the order of the document.
func (v *viewer) operations(tag string) (list []operationView) {
	for _, p := range v.Paths {
		for _, m := range p.Value.Operations {
			if slices.Contains(m.Value.Tags, tag) {
				list = append(list, v.operation(m.Name, p.Name, &m.Value, p.Value.Parameters))
			}
		}
	}
	return list
}

func (v *viewer) operation(method, path string, op *operation, common []parameter) operationView {
	o := operationView{
		ID: op.ID, Method: method, Path: path, Summary: op.Summary, Text: v.text(op.Description),
		Token: v.needsToken(op), Deprecated: op.Deprecated, Polling: op.Polling,
	}
	var parameters []parameter
	for _, p := range append(slices.Clone(common), op.Parameters...) {
		p = resolve(v, v.Components.Parameters, "parameters", p.Ref, p)
		parameters = append(parameters, p)
		o.Parameters = append(o.Parameters, row{p.Name, p.In, v.typeOf(p.Schema), p.Required, v.text(p.Description)})
	}
	var content ordered[media]
	if op.RequestBody != nil {
		b := resolve(v, v.Components.Bodies, "requestBodies", op.RequestBody.Ref, *op.RequestBody)
		content = v.resolved(b.Content)
		o.Bodies, o.BodyRequired = v.bodies(content), b.Required
	}
	o.Curls = v.curls(method, path, parameters, o.Token, content)
	for _, r := range op.Responses {
		o.Answers = append(o.Answers, v.answer(r.Name, r.Value))
	}
	return o
}

func (v *viewer) answer(status string, r response) answerView {
	r = resolve(v, v.Components.Responses, "responses", r.Ref, r)
	a := answerView{
		Status: status, Good: status[0] == '2' || status[0] == '3',
		Text: v.text(r.Description), Bodies: v.bodies(v.resolved(r.Content)),
	}
	for _, h := range r.Headers {
		if slices.Contains(everywhere, h.Value.Ref) {
			continue
		}
		found := resolve(v, v.Components.Headers, "headers", h.Value.Ref, h.Value)
		a.Headers = append(a.Headers, row{Name: h.Name, Text: v.text(found.Description)})
	}
	return a
}

// everywhere are the headers of which the description says once that answers have them.
var everywhere = []string{"#/components/headers/RequestId", "#/components/headers/NoStore"}

// resolved is content whose examples are no references.
func (v *viewer) resolved(content ordered[media]) (list ordered[media]) {
	for _, m := range content {
		var examples ordered[example]
		if m.Value.Example.Kind != 0 {
			examples = append(examples, entry[example]{"example", example{Value: m.Value.Example}})
		}
		for _, e := range m.Value.Examples {
			found := resolve(v, v.Components.Examples, "examples", e.Value.Ref, e.Value)
			examples = append(examples, entry[example]{e.Name, found})
		}
		m.Value.Examples = examples
		list = append(list, m)
	}
	return list
}

func (v *viewer) bodies(content ordered[media]) (list []bodyView) {
	for _, m := range content {
		b := bodyView{Media: m.Name}
		if m.Value.Schema != nil {
			b.Type, b.Rows = v.typeOf(*m.Value.Schema), v.rows(*m.Value.Schema)
		}
		for _, e := range m.Value.Examples {
			if fault, ok := faultOf(&e.Value.Value); ok {
				fault.When = e.Value.Summary
				b.Errors = append(b.Errors, fault)
				continue
			}
			b.Examples = append(b.Examples, command{cmp.Or(e.Value.Summary, e.Name), encode(&e.Value.Value)})
		}
		list = append(list, b)
	}
	return list
}

// faultOf reads the error that an example is, whatever its shape; see
// httpfront/docs/errors.md#shapes.
func faultOf(n *yaml.Node) (errorView, bool) {
	if nested := member(n, "error"); nested != nil {
		if nested.Kind == yaml.ScalarNode {
			return errorView{Code: nested.Value}, true
		}
		n = nested
	}
	code, action := member(n, "code"), member(n, "action")
	if code == nil || action == nil {
		return errorView{}, false
	}
	return errorView{Code: code.Value, Action: action.Value}, true
}

func (v *viewer) schema(name string, s schema) schemaView {
	return schemaView{Name: name, Type: v.typeOf(s), Text: v.text(s.Description), Rows: v.rows(s)}
}

func (v *viewer) rows(s schema) (list []row) {
	for _, p := range s.Properties {
		list = append(list, row{
			p.Name, "", v.typeOf(p.Value), slices.Contains(s.Required, p.Name), v.text(p.Value.Description),
		})
	}
	return list
}

// typeOf names the type of a schema in a few words, with links.
func (v *viewer) typeOf(s schema) template.HTML {
	switch {
	case s.Ref != "":
		resolve(v, v.Components.Schemas, "schemas", s.Ref, s)
		name := template.HTMLEscapeString(s.Ref[strings.LastIndex(s.Ref, "/")+1:])
		return template.HTML(`<a href="#schema-` + name + `">` + name + `</a>`)
	case len(s.OneOf) > 0:
		return v.either(s.OneOf)
	case len(s.AnyOf) > 0:
		return v.either(s.AnyOf)
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
		text += template.HTML(": " + template.HTMLEscapeString(strings.Join(s.Known, ", ")) + " and others to come")
	case s.Pattern != "" && len(s.Pattern) < 40: // a longer one says less than the description
		text += template.HTML(" like <code>" + template.HTMLEscapeString(s.Pattern) + "</code>")
	}
	if s.Default.Kind == yaml.ScalarNode {
		text += template.HTML(", default <code>" + template.HTMLEscapeString(s.Default.Value) + "</code>")
	}
	return text
}

func (v *viewer) either(of []schema) template.HTML {
	var list []string
	for _, s := range of {
		list = append(list, string(v.typeOf(s)))
	}
	return template.HTML(strings.Join(list, " or "))
}

// typeName joins the types of a schema.
func (s *schema) typeName() string {
	var names []string
	for _, n := range s.Type.Content {
		names = append(names, n.Value)
	}
	return cmp.Or(s.Type.Value, strings.Join(names, " or "), "any") + strings.TrimSuffix(" "+s.Format, " ")
}
