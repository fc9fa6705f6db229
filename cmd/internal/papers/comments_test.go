package papers

import (
	"go/scanner"
	"go/token"
	"path"
	"regexp"
	"strings"
)

var (
	cited    = regexp.MustCompile(`[\w./-]*\w\.md\b(#[\w-]*)?|[\w./-]*openapi\.yaml#[\w-]*`)
	numbered = regexp.MustCompile(`\b[A-Z]{4,}(\.md)?,? T?[0-9]+`)
	anyRFC   = regexp.MustCompile(`(?i)(?:^|[^\w./-])(rfc[ -]?[0-9]+)([^\n]{0,10})`)
	goodRFC  = regexp.MustCompile(`^RFC [0-9]+$`)
	// badSection is a section that does not stand behind a comma, or is called one.
	badSection = regexp.MustCompile(`^(,? ?(§|#|[Ss]ect?(ion)?\b)| [0-9])`)
)

// outside names the papers that stand beside the repository, which nothing in it may.
var papersOutside = "../" + "shared"

func outside(text string) []string {
	if strings.Contains(text, papersOutside) {
		return []string{"names " + papersOutside}
	}
	return nil
}

// commentsOf returns the comments of a file, and whether it can have any. In other
// files than those of Go a whole line counts.
func commentsOf(name, text string) (comments string, ok bool) {
	switch path.Ext(name) {
	case ".go":
		return goComments(text), true
	case ".proto", ".yaml", ".yml", ".sh", ".mk", ".ts", ".js", ".mjs":
		return text, true
	}
	return text, path.Base(name) == "Makefile" || strings.HasPrefix(text, "#!")
}

func goComments(text string) string {
	var s scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(text))
	s.Init(file, []byte(text), nil, scanner.ScanComments)
	var comments strings.Builder
	for {
		_, tok, literal := s.Scan()
		switch tok {
		case token.EOF:
			return comments.String()
		case token.COMMENT:
			comments.WriteString(strings.TrimPrefix(literal, "//") + "\n")
		}
	}
}

// comments returns what is wrong with comments.
func (tr *tree) comments(text string) (complaints []string) {
	for _, page := range cited.FindAllString(text, -1) {
		file, anchor, _ := strings.Cut(page, "#")
		complaints = append(complaints, tr.anchor(page, anchor, file, true)...)
	}
	return append(complaints, numbers(text)...)
}

// anchor follows a citation, which needs an anchor or may do without.
func (tr *tree) anchor(citation, anchor, file string, needed bool) []string {
	switch {
	case !tr.exists(file):
		return []string{citation + " is not in the repository"}
	case anchor == "" && needed:
		return []string{citation + " has no anchor"}
	case anchor != "" && !tr.anchors(file)[anchor]:
		return []string{citation + ": there is no such heading or operation"}
	}
	return nil
}

// numbers returns what is cited by a number that nobody can follow.
func numbers(text string) (complaints []string) {
	for _, m := range numbered.FindAllString(text, -1) {
		switch name, _, _ := strings.Cut(strings.TrimSuffix(m, ","), " "); strings.TrimSuffix(strings.TrimSuffix(name, ","), ".md") {
		case "SECURITY", "ARCHITECTURE", "RELIABILITY", "STYLE", "DESIGN", "README":
			complaints = append(complaints, m+" is no heading")
		}
	}
	for _, m := range anyRFC.FindAllStringSubmatch(text, -1) {
		if !goodRFC.MatchString(m[1]) || badSection.MatchString(m[2]) {
			complaints = append(complaints, m[1]+m[2]+": want the form RFC 8628, 5.1")
		}
	}
	return complaints
}
