package render

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"path"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"ssod/httpfront/api/apidoc"
)

// Sources is what the pages are made from.
type Sources struct {
	// Public and Admin are the OpenAPI documents; a nil one has no page.
	Public, Admin []byte
	// Markdown are the files of [Directory] by name.
	Markdown map[string][]byte
}

// Where the sources are, from the root of the repository.
const (
	Directory  = "httpfront/docs"
	PublicFile = "httpfront/openapi.yaml"
	AdminFile  = "httpfront/api/admin/openapi.yaml"
)

// The pages that are not named after their file.
const (
	startFile    = "start.md"  // /docs
	overviewFile = "README.md" // /docs/overview
)

// The files in the order of the navigation; others come last.
var (
	guides   = []string{startFile, "tv.md", "flows.md"}
	contract = []string{overviewFile, "sso.md", "entitlement.md", "registration.md", "headers.md", "errors.md", "limits.md", "link-safety.md"}
)

var (
	//go:embed page.html
	pageText string
	//go:embed reference.html
	referenceText string

	pageTemplate      = template.Must(template.New("page").Parse(pageText))
	referenceTemplate = template.Must(template.New("reference").Parse(referenceText))
)

// Files are the pages by the name of their file.
type Files map[string][]byte

// site is the pages in the making.
type site struct {
	groups []group
	pages  map[string]string // addresses by source
	public Files
	admin  Files
}

type group struct {
	Title string
	Pages []entryPage
}

// entryPage is a page in the navigation.
type entryPage struct {
	Address, Title string
	Here           bool
	Inner          []entryPage
}

// content is a page before it has its surroundings.
type content struct {
	file, name, address, title string
	html                       template.HTML
	inner                      []entryPage
	sections                   []section
}

// Site makes all pages: those of both listeners, and those of the admin listener.
func Site(s Sources) (public, admin Files, err error) {
	w := site{pages: addresses(s), public: Files{}, admin: Files{}}
	articles, err := w.articles(s)
	if err != nil {
		return nil, nil, err
	}
	api, err := w.reference(s.Public, "reference", "API reference", "/openapi.yaml", shell{"HOST", "TOKEN"}, PublicFile)
	if err != nil {
		return nil, nil, err
	}
	first := 0
	for first < len(articles) && slices.Contains(guides, articles[first].file) {
		first++
	}
	w.groups = []group{newGroup("Guides", articles[:first]), newGroup("Reference", []content{api}), newGroup("Contract", articles[first:])}
	if err := w.finish(w.public, append(articles, api), "/docs/search.json"); err != nil {
		return nil, nil, err
	}
	if s.Admin == nil {
		w.admin["admin.json"] = []byte("[]")
		return w.public, w.admin, nil
	}
	operators, err := w.reference(s.Admin, "admin", "Admin API", "/admin/openapi.yaml", shell{"ADMIN", "ADMIN_TOKEN"}, AdminFile)
	if err != nil {
		return nil, nil, err
	}
	w.groups = append(w.groups, newGroup("Operators", []content{operators}))
	return w.public, w.admin, w.finish(w.admin, []content{operators}, "/docs/search.json /docs/admin.json")
}

// addresses tells where the pages of all sources are.
func addresses(s Sources) map[string]string {
	pages := map[string]string{
		PublicFile: apidoc.Prefix + "/reference", "/openapi.yaml": "/openapi.yaml", apidoc.Prefix: apidoc.Prefix,
	}
	for file := range s.Markdown {
		pages[path.Join(Directory, file)] = address(pageName(file))
	}
	return pages
}

// pageName is the name of the page of a Markdown file.
func pageName(file string) string {
	switch file {
	case startFile:
		return "index"
	case overviewFile:
		return "overview"
	}
	return strings.TrimSuffix(file, ".md")
}

func address(name string) string { return strings.TrimSuffix(apidoc.Prefix+"/"+name, "/index") }

// articles are the Markdown files in their order.
func (w *site) articles(s Sources) (list []content, err error) {
	m := newMarkdown(Directory, w.pages)
	m.titles = titles(s.Markdown)
	for _, file := range sorted(s.Markdown) {
		a, err := m.article(s.Markdown[file])
		if err != nil {
			return nil, fmt.Errorf("%s/%s: %w", Directory, file, err)
		}
		c := content{
			file: file, name: pageName(file), address: address(pageName(file)),
			title: a.Title, html: a.HTML, sections: a.Sections,
		}
		for _, s := range a.Sections {
			if s.Level == 2 {
				c.inner = append(c.inner, entryPage{Address: c.address + "#" + s.ID, Title: s.Title})
			}
		}
		list = append(list, c)
	}
	return list, nil
}

// titles are what the pages of files are called, by the name that links have for
// them in other files.
func titles(files map[string][]byte) map[string]string {
	found := map[string]string{path.Base(PublicFile): "The API reference"}
	for name, text := range files {
		line, _, _ := strings.Cut(string(text), "\n")
		found[name] = strings.TrimPrefix(line, "# ")
	}
	return found
}

// sorted are the names of the files in the order of the navigation.
func sorted(files map[string][]byte) (names []string) {
	for name := range files {
		names = append(names, name)
	}
	order := slices.Concat(guides, contract)
	rank := func(name string) int {
		if i := slices.Index(order, name); i >= 0 {
			return i
		}
		return len(order)
	}
	slices.SortFunc(names, func(a, b string) int {
		if rank(a) != rank(b) {
			return rank(a) - rank(b)
		}
		return strings.Compare(a, b)
	})
	return names
}

// reference is the page of an OpenAPI document.
func (w *site) reference(document []byte, name, title, served string, sh shell, file string) (content, error) {
	var s spec
	if err := yaml.Unmarshal(document, &s); err != nil {
		return content{}, fmt.Errorf("%s: %w", file, err)
	}
	v := viewer{spec: &s, shell: sh, markdown: newMarkdown(path.Dir(file), w.pages)}
	r := v.view(served)
	if v.err != nil {
		return content{}, fmt.Errorf("%s: %w", file, v.err)
	}
	r.Setup = sh.setup()
	var html bytes.Buffer
	if err := referenceTemplate.Execute(&html, r); err != nil {
		return content{}, fmt.Errorf("%s: %w", file, err)
	}
	c := content{name: name, address: address(name), title: title, html: template.HTML(html.String())}
	c.inner, c.sections = r.contents(c.address)
	return c, nil
}

func newGroup(title string, pages []content) group {
	g := group{Title: title}
	for _, p := range pages {
		g.Pages = append(g.Pages, entryPage{Address: p.address, Title: p.title})
	}
	return g
}

// finish puts pages into their surroundings, and what is in them into an index.
func (w *site) finish(files Files, pages []content, index string) error {
	for _, p := range pages {
		var html bytes.Buffer
		err := pageTemplate.Execute(&html, map[string]any{
			"Title": p.title, "Groups": w.around(p), "Body": p.html, "Index": index,
			"Style": template.CSS(apidoc.Style), "Script": template.JS(apidoc.Script),
		})
		if err != nil {
			return fmt.Errorf("page %s: %w", p.name, err)
		}
		files[p.name+".html"] = html.Bytes()
	}
	found, err := searchIndex(pages)
	if err != nil {
		return err
	}
	files[path.Base(index)] = found
	return nil
}

// around is the navigation as a page shows it: with what is on the page.
func (w *site) around(p content) []group {
	groups := slices.Clone(w.groups)
	for i := range groups {
		groups[i].Pages = slices.Clone(groups[i].Pages)
		for j := range groups[i].Pages {
			if e := &groups[i].Pages[j]; e.Address == p.address {
				e.Here, e.Inner = true, p.inner
			}
		}
	}
	return groups
}
