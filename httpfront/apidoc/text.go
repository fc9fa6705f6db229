package apidoc

import (
	"encoding/json"
	"html/template"
	"strings"

	"gopkg.in/yaml.v3"
)

// markdown renders the little Markdown that descriptions have: paragraphs,
// lists whose items begin with an asterisk, and code between back quotes.
func markdown(text string) template.HTML {
	var b strings.Builder
	for block := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		block = strings.TrimSpace(block)
		switch {
		case block == "":
		case strings.HasPrefix(block, "* "):
			b.WriteString("<ul>")
			for item := range strings.SplitSeq("\n"+block, "\n* ") {
				if item != "" {
					b.WriteString("<li>" + inline(item) + "</li>")
				}
			}
			b.WriteString("</ul>")
		default:
			b.WriteString("<p>" + inline(block) + "</p>")
		}
	}
	return template.HTML(b.String())
}

// inline escapes a text; every second part between back quotes is code.
func inline(text string) string {
	parts := strings.Split(text, "`")
	for i, part := range parts {
		parts[i] = template.HTMLEscapeString(part)
		if i%2 == 1 && i < len(parts)-1 {
			parts[i] = "<code>" + parts[i] + "</code>"
		}
	}
	return strings.Join(parts, "")
}

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

// appendJSON appends n; line is a line end with the indentation of n.
func appendJSON(b *strings.Builder, n *yaml.Node, line string) {
	switch n.Kind {
	case yaml.MappingNode:
		appendList(b, "{", "}", line, len(n.Content)/2, func(i int, line string) {
			b.WriteString(quote(n.Content[2*i].Value) + ": ")
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
	b.WriteString(open)
	for i := range n {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString(line + "  ")
		item(i, line+"  ")
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
