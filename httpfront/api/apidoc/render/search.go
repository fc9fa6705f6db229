package render

import (
	"encoding/json"
	"html"
	"regexp"
	"strings"
)

// hit is what a search can find; the script on the pages reads it.
type hit struct {
	Address string `json:"u"`
	Title   string `json:"t"`
	Page    string `json:"p"`
	Text    string `json:"x"`
}

// searchIndex lists the sections of pages.
func searchIndex(pages []content) ([]byte, error) {
	list := []hit{}
	for _, p := range pages {
		for _, s := range p.sections {
			h := hit{Address: p.address, Title: s.Title, Page: p.title, Text: strings.TrimSpace(s.Text)}
			if s.ID != "" {
				h.Address += "#" + s.ID
			}
			list = append(list, h)
		}
	}
	return json.Marshal(list)
}

// contents is what is on the page of a reference: for the navigation and for the
// search.
func (r *reference) contents(address string) (inner []entryPage, sections []section) {
	sections = append(sections, section{Title: r.Title, Text: unmarked(string(r.Text))})
	for _, t := range r.Tags {
		e := entryPage{Address: address + "#" + t.ID, Title: t.Name}
		for _, o := range t.Operations {
			e.Inner = append(e.Inner, entryPage{Address: address + "#" + o.ID, Title: o.Summary})
			sections = append(sections, section{ID: o.ID, Title: o.Summary, Text: o.words()})
		}
		inner = append(inner, e)
	}
	for _, s := range r.Schemas {
		words := []string{unmarked(string(s.Text))}
		for _, row := range s.Rows {
			words = append(words, row.Name, unmarked(string(row.Text)))
		}
		sections = append(sections, section{ID: "schema-" + s.Name, Title: s.Name, Text: strings.Join(words, " ")})
	}
	return append(inner, entryPage{Address: address + "#schemas", Title: "Schemas"}), sections
}

// words is what an operation is found by.
func (o *operationView) words() string {
	words := []string{o.Method, o.Path, o.ID, unmarked(string(o.Text))}
	for _, p := range o.Parameters {
		words = append(words, p.Name)
	}
	for _, a := range o.Answers {
		for _, b := range a.Bodies {
			for _, e := range b.Errors {
				words = append(words, e.Code)
			}
		}
	}
	return strings.Join(words, " ")
}

var mark = regexp.MustCompile(`<[^>]*>`)

// unmarked is the text of HTML.
func unmarked(markup string) string {
	return strings.Join(strings.Fields(html.UnescapeString(mark.ReplaceAllString(markup, " "))), " ")
}
