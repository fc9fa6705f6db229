package api

import "unicode/utf8"

const hexDigits = "0123456789abcdef"

// AppendString appends s as a JSON string. Bytes that are not UTF-8 become
// U+FFFD, so that a body is always valid.
func AppendString(b []byte, s string) []byte {
	b = append(b, '"')
	for len(s) > 0 {
		n := plain(s)
		b = append(b, s[:n]...)
		if s = s[n:]; s == "" {
			break
		}
		b, s = appendEscaped(b, s)
	}
	return append(b, '"')
}

// plain returns how many bytes of s stand for themselves.
func plain(s string) int {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return i
		}
	}
	return len(s)
}

// appendEscaped appends the first character of s and returns the rest.
func appendEscaped(b []byte, s string) ([]byte, string) {
	c := s[0]
	switch {
	case c == '"' || c == '\\':
		return append(b, '\\', c), s[1:]
	case c < ' ':
		return append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15]), s[1:]
	}
	r, n := utf8.DecodeRuneInString(s)
	return utf8.AppendRune(b, r), s[n:]
}
