package texts

import (
	"bytes"
	"embed"
	"html/template"
	"strings"

	"golang.org/x/text/language"
	"gopkg.in/yaml.v3"
)

// names are the languages; a browser that asks for another one gets the first.
var names = []string{"en", "de", "es", "fr"}

//go:embed *.yaml
var files embed.FS

// Texts are all texts in one language.
type Texts struct {
	Lang string `yaml:"-"` // BCP 47, as in the attribute lang

	Help          string            `yaml:"help"`
	Device        string            `yaml:"device"`
	App           string            `yaml:"app"`
	Code          string            `yaml:"code"`
	UnknownDevice string            `yaml:"unknownDevice"`
	Devices       map[string]string `yaml:"devices"` // by the types of package headers

	Problems Problems `yaml:"problems"`
	Brands   Passage  `yaml:"brands"`
	Enter    Enter    `yaml:"enter"`
	Choose   Choose   `yaml:"choose"`
	Question Question `yaml:"question"`
	Passing  Notice   `yaml:"passing"` // a form on its way to a TV provider
	Done     Passage  `yaml:"done"`

	Declined  Notice `yaml:"declined"`
	Expired   Notice `yaml:"expired"`
	Replaced  Notice `yaml:"replaced"`
	Used      Notice `yaml:"used"`
	Cancelled Notice `yaml:"cancelled"`
	Failed    Notice `yaml:"failed"`
	SignedOut Notice `yaml:"signedOut"`
}

// Passage is a heading and what stands below it.
type Passage struct {
	Title string `yaml:"title"`
	Text  string `yaml:"text"`
}

// Notice is a passage with the one thing to do about it.
type Notice struct {
	Title  string `yaml:"title"`
	Text   string `yaml:"text"`
	Action string `yaml:"action"`
}

// Problems are the pages of errors.
type Problems struct {
	Link        Passage `yaml:"link"`
	Page        Passage `yaml:"page"`
	Busy        Passage `yaml:"busy"`
	Unavailable Passage `yaml:"unavailable"`
	Fault       Passage `yaml:"fault"`
}

// Enter is the page where a code is typed.
type Enter struct {
	Title   string  `yaml:"title"`
	Text    string  `yaml:"text"`
	Scanned string  `yaml:"scanned"` // in place of Text, when the code came with the link
	Hint    string  `yaml:"hint"`
	Submit  string  `yaml:"submit"`
	Invalid Passage `yaml:"invalid"`
	Stale   string  `yaml:"stale"` // the browser did not send back what it was given
}

// Choose is the page where the TV provider is chosen.
type Choose struct {
	Title    string `yaml:"title"`
	Only     string `yaml:"only"` // the title when there is no choice
	Text     string `yaml:"text"`
	Advice   string `yaml:"advice"`
	Search   string `yaml:"search"`
	Submit   string `yaml:"submit"`
	None     string `yaml:"none"`
	All      string `yaml:"all"`
	More     string `yaml:"more"`
	Continue string `yaml:"continue"`
}

// Question is the page that asks whose device it is.
type Question struct {
	Title    string `yaml:"title"`
	Asks     string `yaml:"asks"`
	Advice   string `yaml:"advice"`
	Continue string `yaml:"continue"`
	Decline  string `yaml:"decline"`
}

var (
	all     = read()
	matcher = newMatcher()
)

// read reads the files, which are part of the program.
func read() []*Texts {
	list := make([]*Texts, len(names))
	for i, name := range names {
		list[i] = &Texts{Lang: name}
		text, err := files.ReadFile(name + ".yaml")
		if err != nil {
			panic(err)
		}
		d := yaml.NewDecoder(bytes.NewReader(text))
		d.KnownFields(true)
		if err := d.Decode(list[i]); err != nil {
			panic(name + ": " + err.Error())
		}
	}
	return list
}

func newMatcher() language.Matcher {
	tags := make([]language.Tag, len(names))
	for i, name := range names {
		tags[i] = language.MustParse(name)
	}
	return language.NewMatcher(tags)
}

// English is the default.
func English() *Texts { return all[0] }

// maxHeader is the longest Accept-Language that is looked at; those of browsers have some
// dozen bytes.
const maxHeader = 512

// For returns the texts that suit a browser best, by its Accept-Language (RFC 9110, 12.5.4).
func For(acceptLanguage []byte) *Texts {
	if len(acceptLanguage) == 0 || len(acceptLanguage) > maxHeader {
		return English()
	}
	tags, _, err := language.ParseAcceptLanguage(string(acceptLanguage))
	if err != nil {
		return English()
	}
	_, i, confidence := matcher.Match(tags...)
	if confidence == language.No {
		return English()
	}
	return all[i]
}

// Fill puts values, pairs of name and value, where a text has their names in braces. Values
// are emphasised, and isolated from the direction of the text around them.
func Fill(text string, values ...string) template.HTML {
	pairs := make([]string, len(values))
	for i := 0; i < len(values); i += 2 {
		pairs[i] = "{" + values[i] + "}"
		pairs[i+1] = "<strong><bdi>" + template.HTMLEscapeString(values[i+1]) + "</bdi></strong>"
	}
	return template.HTML(strings.NewReplacer(pairs...).Replace(template.HTMLEscapeString(text)))
}

// FillPlain is Fill for where no markup can be, such as a title.
func FillPlain(text string, values ...string) string {
	pairs := make([]string, len(values))
	for i := 0; i < len(values); i += 2 {
		pairs[i], pairs[i+1] = "{"+values[i]+"}", values[i+1]
	}
	return strings.NewReplacer(pairs...).Replace(text)
}
