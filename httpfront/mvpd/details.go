package mvpd

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxDetails is the longest text about a deny in bytes.
const MaxDetails = 512

// Details explain a deny to people: the provider's message and, if there is one, its hint.
// The text is untrusted: it becomes one line, without characters that change how others
// are shown.
func (d *Decision) Details() string {
	if d.Verdict == Permit {
		return ""
	}
	hint := line(d.Upgrade)
	if len(hint) > MaxDetails/2 { // half an address leads nowhere
		hint = ""
	}
	return strings.TrimSpace(cut(line(d.Message), MaxDetails-len(hint)-1) + " " + hint)
}

// line makes one line of a text.
func line(text string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "\uFFFD"), invisible), " ")
}

// invisible are blanks, controls, and what turns the direction of writing.
func invisible(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\uFEFF'
}

// cut shortens a text to at most n bytes without splitting a character.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}
