package page

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strings"
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

// Policy is the Content-Security-Policy of a page without colours or pictures of a brand, and
// without a script of its own.
var Policy = policy(style, "", nil)

// policy allows a style, our script and one of a page's own, and pictures of some origins. It has no form-action,
// because browsers apply that to the redirects after a form as well, and those of a login
// end at an app, wherever it is.
func policy(style, own string, origins []string) string {
	scripts := "'" + hash(script) + "'"
	if own != "" {
		scripts += " '" + hash(own) + "'"
	}
	p := fmt.Sprintf("default-src 'none'; style-src '%s'; script-src %s; base-uri 'none'; frame-ancestors 'none'", hash(style), scripts)
	if len(origins) > 0 {
		p += "; img-src " + strings.Join(origins, " ")
	}
	return p
}

// hash is how a policy names an element (CSP 3, 2.3.1).
func hash(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// Page is what stands around the content of a page.
type Page struct {
	Lang  string // BCP 47; empty means English
	Title string
	Mark  Mark
	Brand Brand
	// Images are the addresses of the pictures in the content. A browser loads those of
	// their hosts and no others.
	Images []string
	// OwnScript is the text of the script in the content; empty: none.
	OwnScript string
}

// Mark is the sign above the heading of a page that says how something ended; empty: none.
type Mark string

// The marks.
const (
	Done Mark = "done"
	Note Mark = "note"
	Stop Mark = "stop"
)

// Document is a page as a browser gets it.
type Document struct {
	HTML   []byte
	Policy string // its Content-Security-Policy
}

// Template is the content of a page under its heading.
type Template struct{ content *template.Template }

// MustParse reads the text of a template, which is part of the program, and those of the
// templates that it uses.
func MustParse(text string, parts ...string) *Template {
	t := template.Must(template.New("content").Parse(text))
	for _, part := range parts {
		template.Must(t.Parse(part))
	}
	return &Template{t}
}

// document is what the layout shows.
type document struct {
	Page
	Style  template.CSS
	Script template.JS
	Body   template.HTML
}

// Render makes the page; it fails only where the template does not fit data.
func (t *Template) Render(p Page, data any) (Document, error) {
	var content, whole bytes.Buffer
	if err := t.content.Execute(&content, data); err != nil {
		return Document{}, fmt.Errorf("render page %q: %w", p.Title, err)
	}
	if p.Lang == "" {
		p.Lang = "en"
	}
	style := style + p.Brand.style()
	// Our own texts, and what html/template escaped.
	d := document{p, template.CSS(style), template.JS(script), template.HTML(content.String())}
	if err := layout.Execute(&whole, d); err != nil {
		return Document{}, fmt.Errorf("render page %q: %w", p.Title, err)
	}
	return Document{whole.Bytes(), policy(style, p.OwnScript, p.origins())}, nil
}

// origins are those of all pictures, as a policy names them.
func (p *Page) origins() (list []string) {
	for _, address := range append([]string{p.Brand.LogoURL, p.Brand.IconURL}, p.Images...) {
		if u, err := url.Parse(address); err == nil && u.Host != "" {
			list = append(list, u.Scheme+"://"+u.Host)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}
