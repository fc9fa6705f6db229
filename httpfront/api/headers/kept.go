package headers

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxKept bounds a text about a device in bytes. Headers may have 32 KiB, and every replica
// stores what is kept.
const maxKept = 512

// kept is a text of a header as it is stored and shown: valid UTF-8 of at most
// maxKept bytes, without control characters.
func kept(s string) string {
	const enough = 4 * maxKept // what is dropped or replaced makes room for little more
	if len(s) > enough {
		s = s[:enough]
	}
	s = strings.Map(printable, s)
	if len(s) <= maxKept {
		return s
	}
	end := maxKept
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// printable drops control characters. Bytes that are no UTF-8 arrive as U+FFFD, and
// strings.Map writes that in their place.
func printable(r rune) rune {
	if unicode.IsControl(r) {
		return -1
	}
	return r
}
