package mvpd

import (
	"strings"

	"golang.org/x/text/language"
)

// Text is a text of a TV provider in a language, as BCP 47 names it; empty where the
// provider does not say which.
type Text struct{ Language, Text string }

// maxLanguages bounds how much of an Accept-Language is read, in bytes.
const maxLanguages = 256

// InLanguage is the text that a viewer reads best, by the Accept-Language of the request
// (RFC 9110, 12.5.4); the first where none fits, "" where there is none.
func InLanguage(accept string, texts []Text) string {
	if len(texts) == 0 {
		return ""
	}
	if len(accept) <= maxLanguages {
		wanted, _, err := language.ParseAcceptLanguage(accept)
		for _, tag := range wanted {
			if best := fitting(tag, texts); err == nil && best != nil {
				return best.Text
			}
		}
	}
	return texts[0].Text
}

// fitting is the text in a language: of the same region or script if there is one.
func fitting(tag language.Tag, texts []Text) *Text {
	base, _ := tag.Base()
	var near *Text
	for i := range texts {
		text := &texts[i]
		primary, _, _ := strings.Cut(text.Language, "-")
		switch {
		case strings.EqualFold(text.Language, tag.String()):
			return text
		case near == nil && strings.EqualFold(primary, base.String()):
			near = text
		}
	}
	return near
}
