package strictjson

import "unicode/utf8"

const hexDigits = "0123456789abcdef"

// AppendString appends s as a JSON string. Bytes that are not UTF-8 become
// U+FFFD, so that a body is always valid.
func AppendString[S string | []byte](b []byte, s S) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		if c := s[i]; ' ' <= c && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		b = append(b, s[start:i]...)
		var n int
		b, n = appendSpecial(b, string(s[i:min(i+utf8.UTFMax, len(s))]))
		i += n
		start = i
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

// appendSpecial appends the first character of s, which does not stand for
// itself or may be broken, and returns its length in s.
func appendSpecial(b []byte, s string) ([]byte, int) {
	switch c := s[0]; {
	case c == '"' || c == '\\':
		return append(b, '\\', c), 1
	case c < ' ':
		return append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15]), 1
	}
	r, n := utf8.DecodeRuneInString(s)
	return utf8.AppendRune(b, r), n
}
