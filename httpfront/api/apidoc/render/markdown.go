package render

import (
	"bytes"
	"fmt"
	"html/template"
	"net/url"
	"path"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extensionast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// markdown renders the Markdown of one directory.
type markdown struct {
	// directory is where relative links begin, from the root of the repository.
	directory string
	// pages maps files, from the root of the repository, to addresses.
	pages map[string]string
	// titles are what a link shows that shows the name of a file.
	titles map[string]string
	engine goldmark.Markdown
}

func newMarkdown(directory string, pages map[string]string) *markdown {
	m := &markdown{directory: directory, pages: pages}
	m.engine = goldmark.New(
		goldmark.WithExtensions(extension.Table, extension.Strikethrough),
		goldmark.WithParserOptions(parser.WithAutoHeadingID()),
		goldmark.WithRendererOptions(renderer.WithNodeRenderers(util.Prioritized(&blocks{}, 100))),
	)
	return m
}

// article is a Markdown file as HTML, and what a search finds in it.
type article struct {
	Title    string
	HTML     template.HTML
	Sections []section
}

// section is a heading of the second or third level, or the page itself (ID is
// empty then), and the text below it.
type section struct {
	ID, Title, Text string
	Level           int
}

// article renders a whole file.
func (m *markdown) article(source []byte) (article, error) {
	context := parser.NewContext(parser.WithIDs(anchors{}))
	doc := m.engine.Parser().Parse(text.NewReader(source), parser.WithContext(context))
	if err := m.relink(doc, source); err != nil {
		return article{}, err
	}
	labelCells(doc, source)
	var html bytes.Buffer
	if err := m.engine.Renderer().Render(&html, source, doc); err != nil {
		return article{}, err
	}
	a := article{HTML: template.HTML(html.String()), Sections: sections(doc, source)}
	if len(a.Sections) > 0 {
		a.Title = a.Sections[0].Title
	}
	return a, nil
}

// description renders a description of an OpenAPI document.
func (m *markdown) description(source string) (template.HTML, error) {
	a, err := m.article([]byte(source))
	return a.HTML, err
}

// relink makes links between files links between pages. What is not on a page
// is kept as text.
func (m *markdown) relink(doc ast.Node, source []byte) error {
	var links []*ast.Link
	err := ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if link, ok := n.(*ast.Link); ok && entering {
			links = append(links, link)
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		return err
	}
	for _, link := range links {
		address, ok, err := m.address(string(link.Destination))
		if err != nil {
			return err
		}
		if title, named := m.titles[plain(link, source)]; ok && named {
			link.RemoveChildren(link)
			link.AppendChild(link, ast.NewString([]byte(title)))
		}
		if link.Destination = []byte(address); !ok {
			unlink(link)
		}
	}
	return nil
}

// unlink puts what a link says in its place.
func unlink(link *ast.Link) {
	parent := link.Parent()
	for child := link.FirstChild(); child != nil; child = link.FirstChild() {
		link.RemoveChild(link, child)
		parent.InsertBefore(parent, link, child)
	}
	parent.RemoveChild(parent, link)
}

// address is where a link of a file leads to on the pages; not ok: nowhere.
func (m *markdown) address(destination string) (address string, ok bool, err error) {
	u, err := url.Parse(destination)
	if err != nil {
		return "", false, fmt.Errorf("link to %q: %w", destination, err)
	}
	if u.IsAbs() || u.Path == "" {
		return destination, true, nil
	}
	file := path.Join(m.directory, u.Path)
	if path.IsAbs(u.Path) {
		file = u.Path // an address of the service
	}
	page, ok := m.pages[file]
	if !ok {
		return "", false, nil
	}
	if u.Fragment != "" {
		page += "#" + u.Fragment
	}
	return page, true, nil
}

// labelCells writes the heading of its column on each cell of a table, which is
// shown where the table is too wide for the screen.
func labelCells(doc ast.Node, source []byte) {
	var labels []string
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n.(type) {
		case *extensionast.TableHeader:
			labels = labels[:0]
			for cell := n.FirstChild(); cell != nil; cell = cell.NextSibling() {
				labels = append(labels, plain(cell, source))
			}
		case *extensionast.TableRow:
			for i, cell := 0, n.FirstChild(); cell != nil && i < len(labels); i, cell = i+1, cell.NextSibling() {
				cell.SetAttributeString("data-label", []byte(labels[i]))
			}
		}
		return ast.WalkContinue, nil
	})
}

// anchors names headings as GitHub does. Two of one name are numbered.
type anchors map[string]bool

// Generate implements [parser.IDs].
func (a anchors) Generate(value []byte, _ ast.NodeKind) []byte {
	id := slug(string(value))
	for n, base := 1, id; a[id]; n++ {
		id = fmt.Sprintf("%s-%d", base, n)
	}
	a[id] = true
	return []byte(id)
}

// Put implements [parser.IDs].
func (a anchors) Put(value []byte) { a[string(value)] = true }

// slug is a heading in lower case, without punctuation, with hyphens for blanks.
func slug(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, strings.TrimSpace(heading))
}

// sections takes a document apart at its headings.
func sections(doc ast.Node, source []byte) []section {
	list := []section{{Level: 1}}
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		last := &list[len(list)-1]
		heading, ok := n.(*ast.Heading)
		switch {
		case ok && heading.Level == 1:
			last.Title = plain(n, source)
		case ok && heading.Level <= 3:
			id, _ := heading.AttributeString("id")
			list = append(list, section{ID: string(id.([]byte)), Title: plain(n, source), Level: heading.Level})
		default:
			last.Text += plain(n, source) + " "
		}
	}
	return list
}

// plain is the text of a node.
func plain(n ast.Node, source []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.Text:
			if entering {
				b.Write(n.Value(source))
				if n.SoftLineBreak() || n.HardLineBreak() {
					b.WriteByte(' ')
				}
			}
		case *ast.FencedCodeBlock:
			if entering {
				b.Write(n.Lines().Value(source))
			}
		default:
			if n.Type() == ast.TypeBlock && !entering || n.Kind() == extensionast.KindTableCell && !entering {
				b.WriteByte(' ')
			}
		}
		return ast.WalkContinue, nil
	})
	return strings.Join(strings.Fields(b.String()), " ")
}

// blocks renders what the pages show differently: headings that can be linked
// to, code with a button, tables that can be scrolled.
type blocks struct{}

// RegisterFuncs implements [renderer.NodeRenderer].
func (r *blocks) RegisterFuncs(register renderer.NodeRendererFuncRegisterer) {
	register.Register(ast.KindHeading, r.heading)
	register.Register(ast.KindFencedCodeBlock, r.code)
	register.Register(extensionast.KindTable, r.table)
}

func (r *blocks) heading(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	heading := n.(*ast.Heading)
	id, _ := heading.AttributeString("id")
	switch {
	case entering && heading.Level == 1:
		fmt.Fprint(w, "<h1>")
	case entering:
		fmt.Fprintf(w, "<h%d id=%q>", heading.Level, id)
	case heading.Level == 1:
		fmt.Fprint(w, "</h1>\n")
	default:
		fmt.Fprintf(w, ` <a class="anchor" href="#%s" aria-label="Link to this section">#</a></h%d>`+"\n", id, heading.Level)
	}
	return ast.WalkContinue, nil
}

func (r *blocks) code(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		code := template.HTMLEscapeString(string(n.Lines().Value(source)))
		fmt.Fprintf(w, "<figure class=\"code\"><pre><code>%s</code></pre></figure>\n", code)
	}
	return ast.WalkSkipChildren, nil
}

func (r *blocks) table(w util.BufWriter, _ []byte, _ ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		fmt.Fprint(w, "<div class=\"wide\" role=\"group\" aria-label=\"Table\" tabindex=\"0\"><table>\n")
		return ast.WalkContinue, nil
	}
	fmt.Fprint(w, "</table></div>\n")
	return ast.WalkContinue, nil
}
