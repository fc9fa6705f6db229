package render

import (
	"encoding/json"
	"strings"

	"gopkg.in/yaml.v3"
)

// encode writes an example as JSON, its members in the order of the document.
// Text stands for itself.
func encode(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!str" {
		return n.Value
	}
	var b strings.Builder
	appendJSON(&b, n, "\n")
	return b.String()
}

// encodeLine is encode without line ends.
func encodeLine(n *yaml.Node) string {
	var b strings.Builder
	appendJSON(&b, n, "")
	return b.String()
}

// appendJSON appends n; line is a line end with the indentation of n, or empty
// for JSON on one line.
func appendJSON(b *strings.Builder, n *yaml.Node, line string) {
	colon := ": "
	if line == "" {
		colon = ":"
	}
	switch n.Kind {
	case yaml.MappingNode:
		appendList(b, "{", "}", line, len(n.Content)/2, func(i int, line string) {
			b.WriteString(quote(n.Content[2*i].Value) + colon)
			appendJSON(b, n.Content[2*i+1], line)
		})
	case yaml.SequenceNode:
		appendList(b, "[", "]", line, len(n.Content), func(i int, line string) { appendJSON(b, n.Content[i], line) })
	case yaml.ScalarNode:
		if n.Tag == "!!str" {
			b.WriteString(quote(n.Value))
			return
		}
		b.WriteString(n.Value)
	}
}

func appendList(b *strings.Builder, open, end, line string, n int, item func(i int, line string)) {
	inner := line
	if line != "" {
		inner += "  "
	}
	b.WriteString(open)
	for i := range n {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString(inner)
		item(i, inner)
	}
	if n > 0 {
		b.WriteString(line)
	}
	b.WriteString(end)
}

func quote(text string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil {
		panic(err) // a string
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// member returns a member of a mapping; nil when there is none.
func member(n *yaml.Node, name string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}
