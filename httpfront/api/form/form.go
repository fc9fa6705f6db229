// Package form reads application/x-www-form-urlencoded from strangers: bodies
// and queries. Where two parsers could read it differently it is refused.
package form

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

// ContentType is what a body must be sent as.
const ContentType = "application/x-www-form-urlencoded"

// maxParameters bounds a form.
const maxParameters = 32

// Parse reads a form. A parameter that is there twice, in whatever spelling, is
// an error (RFC 6749, 3.2), and so is what is not UTF-8.
func Parse(text string) (map[string]string, bool) {
	form := make(map[string]string)
	for pair := range strings.SplitSeq(text, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err1 := url.QueryUnescape(name)
		value, err2 := url.QueryUnescape(value)
		_, repeated := form[name]
		if err1 != nil || err2 != nil || repeated || len(form) == maxParameters || !utf8.ValidString(name+value) {
			return nil, false
		}
		form[name] = value
	}
	return form, true
}
