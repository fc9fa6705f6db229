package papers

import (
	"path"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

var (
	fence      = regexp.MustCompile("(?ms)^ *```.*?^ *```[^\n]*$")
	inlineCode = regexp.MustCompile("`[^`]+`")
	link       = regexp.MustCompile(`\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)`)
	reference  = regexp.MustCompile(`(?m)^\[[^\]]+\]: +(\S+)`)
	heading    = regexp.MustCompile(`(?m)^#{1,6} +(.+?) *#*$`)
	operation  = regexp.MustCompile(`(?m)^ +operationId: *(\S+)`)
	elsewhere  = regexp.MustCompile(`^[a-z][a-z0-9+.-]*:`)
)

// markdown returns what is wrong with a page.
func (tr *tree) markdown(name, text string) (complaints []string) {
	code := fence.FindAllString(text, -1)
	text = fence.ReplaceAllString(text, "")
	code = append(code, inlineCode.FindAllString(text, -1)...)
	for _, snippet := range code {
		complaints = append(complaints, tr.paths(strings.Fields(strings.Trim(snippet, "`")))...)
	}
	prose := inlineCode.ReplaceAllString(text, "code")
	for _, m := range link.FindAllStringSubmatch(prose, -1) {
		complaints = append(complaints, tr.target(name, m[2])...)
	}
	for _, m := range reference.FindAllStringSubmatch(prose, -1) {
		complaints = append(complaints, tr.target(name, m[1])...)
	}
	prose = reference.ReplaceAllString(link.ReplaceAllString(prose, "link"), "")
	for _, page := range cited.FindAllString(prose, -1) {
		complaints = append(complaints, page+" is not a link")
	}
	return append(complaints, numbers(prose)...)
}

// target follows a link of a page.
func (tr *tree) target(page, target string) []string {
	if elsewhere.MatchString(target) {
		return nil
	}
	if strings.HasPrefix(target, "/") {
		return []string{target + " is not relative"}
	}
	file, anchor, _ := strings.Cut(target, "#")
	if file == "" {
		return tr.anchor(target, anchor, page, true)
	}
	return tr.anchor(target, anchor, path.Join(path.Dir(page), file), false)
}

// paths are those of the repository in a line of code: words that begin with one of
// its directories.
func (tr *tree) paths(words []string) (complaints []string) {
	for _, word := range words {
		name := strings.TrimRight(strings.TrimPrefix(word, "./"), ".,;:/\\")
		first, _, deep := strings.Cut(name, "/")
		if !deep || !tr.dirs[first] || strings.ContainsAny(name, "{}<>()$=\"'|") {
			continue
		}
		name, anchor, cites := strings.Cut(name, "#")
		switch {
		case cites:
			complaints = append(complaints, tr.anchor(word, anchor, name, false)...)
		case !tr.matches(name):
			complaints = append(complaints, word+" does not exist")
		}
	}
	return complaints
}

// anchors are those of a page, or the operations of an OpenAPI document.
func (tr *tree) anchors(name string) map[string]bool {
	if known, ok := tr.known[name]; ok {
		return known
	}
	anchors := map[string]bool{}
	tr.known[name] = anchors
	if strings.HasSuffix(name, ".yaml") {
		for _, m := range operation.FindAllStringSubmatch(tr.files[name], -1) {
			anchors[m[1]] = true
		}
		return anchors
	}
	for _, m := range heading.FindAllStringSubmatch(fence.ReplaceAllString(tr.files[name], ""), -1) {
		slug := slugOf(m[1])
		for n := 0; anchors[slug]; {
			n++
			slug = slugOf(m[1]) + "-" + strconv.Itoa(n)
		}
		anchors[slug] = true
	}
	return anchors
}

// slugOf is the anchor that GitHub gives to a heading.
func slugOf(title string) string {
	title = link.ReplaceAllString(title, "$1")
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-', r == '_', unicode.IsLetter(r), unicode.IsDigit(r):
			return unicode.ToLower(r)
		default:
			return -1
		}
	}, title)
}
