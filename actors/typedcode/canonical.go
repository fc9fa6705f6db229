package typedcode

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxTyped is the longest text in bytes that is looked at: ten times a code of
// the widest characters.
const maxTyped = 256

// Canonical returns what was typed in the one spelling that codes have. It need
// not be a code.
func Canonical(typed string) string {
	if len(typed) > maxTyped {
		return ""
	}
	if isCanonical(typed) {
		return typed
	}
	return strings.Map(fold, norm.NFKC.String(typed))
}

// isCanonical tells quickly that nothing is to be done.
func isCanonical(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

// fold returns a letter in upper case, the value of a digit, and -1 for what is
// neither: strings.Map drops it. Bytes that are no UTF-8 arrive as a symbol.
func fold(r rune) rune {
	switch {
	case '0' <= r && r <= '9':
		return r
	case unicode.IsDigit(r):
		return '0' + value(r)
	case unicode.IsLetter(r):
		return unicode.ToUpper(r)
	default:
		return -1
	}
}

// value is that of a decimal digit: those of a script follow one another from
// zero (Unicode Standard, 4.6), and so do the five sets of mathematical ones.
func value(digit rune) rune {
	for _, run := range unicode.Nd.R16 {
		if low := rune(run.Lo); low <= digit && digit <= rune(run.Hi) {
			return (digit - low) % 10
		}
	}
	for _, run := range unicode.Nd.R32 {
		if low := rune(run.Lo); low <= digit && digit <= rune(run.Hi) {
			return (digit - low) % 10
		}
	}
	return 0
}
