package page

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
)

var (
	//go:embed layout.html
	layoutText string
	//go:embed layout.css
	style string
	//go:embed arrows.js
	script string

	layout = template.Must(template.New("layout").Parse(layoutText))
)

// ContentType is that of every page.
const ContentType = "text/html; charset=utf-8"

// Policy is the Content-Security-Policy of every page. It has no form-action,
// because browsers apply that to the redirects after a form as well, and those
// of a login end at an app, wherever it is.
var Policy = policy(hash(script))

// PolicyWith is the policy of a page whose content has a script of its own, by its text.
func PolicyWith(own string) string { return policy(hash(script) + "' '" + hash(own)) }

func policy(scripts string) string {
	return fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; base-uri 'none'; frame-ancestors 'none'", hash(style), scripts)
}

// hash is how a policy names an element (CSP 3, 2.3.1).
func hash(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// Template is the content of a page under its heading.
type Template struct{ content *template.Template }

// MustParse reads the text of a template, which is part of the program.
func MustParse(text string) *Template {
	return &Template{template.Must(template.New("content").Parse(text))}
}

// document is what the layout shows.
type document struct {
	Title  string
	Style  template.CSS
	Script template.JS
	Body   template.HTML
}

// Render makes the page; it fails only where the template does not fit data.
func (t *Template) Render(title string, data any) ([]byte, error) {
	var content, whole bytes.Buffer
	if err := t.content.Execute(&content, data); err != nil {
		return nil, fmt.Errorf("render page %q: %w", title, err)
	}
	// Our own texts, and what html/template escaped.
	d := document{title, template.CSS(style), template.JS(script), template.HTML(content.String())}
	if err := layout.Execute(&whole, d); err != nil {
		return nil, fmt.Errorf("render page %q: %w", title, err)
	}
	return whole.Bytes(), nil
}
