package httpfront

import "bytes"

// maxSegments is one more than the longest path has.
const maxSegments = 8

// path is the path of a request target, taken apart as it stands: nothing is
// decoded, because a proxy may have decoded it already, or not.
type path struct {
	segments [maxSegments][]byte
	n        int
}

// splitPath takes a target apart and reports false for one that some server on
// the way may have understood differently;
// httpfront/docs/errors.md#requests-that-are-not-understood. Empty and dot segments,
// backslashes, semicolons, and escapes of those, of slashes, of control characters and of
// the percent sign have no honest use in this API. One trailing slash is the same as
// none.
func splitPath(target []byte) (p path, ok bool) {
	raw, _, _ := bytes.Cut(target, []byte{'?'})
	if !plainPath(raw) {
		return p, false
	}
	raw = raw[1:]
	for len(raw) > 0 {
		segment, rest, slash := bytes.Cut(raw, []byte{'/'})
		if len(segment) == 0 || isDots(segment) {
			return p, false
		}
		if p.n < maxSegments {
			p.segments[p.n] = segment
			p.n++
		}
		if raw = rest; slash && len(rest) > 0 && rest[0] == '/' {
			return p, false
		}
	}
	return p, true
}

func isDots(segment []byte) bool {
	return string(segment) == "." || string(segment) == ".."
}

func plainPath(raw []byte) bool {
	for i, c := range raw {
		switch {
		case c == '\\' || c == ';' || c >= 0x80:
			return false
		case c == '%' && !plainEscape(raw[i+1:]):
			return false
		}
	}
	return true
}

// plainEscape reports whether b begins with two digits that stand for a
// harmless character.
func plainEscape(b []byte) bool {
	if len(b) < 2 {
		return false
	}
	high, ok1 := hexDigit(b[0])
	low, ok2 := hexDigit(b[1])
	if !ok1 || !ok2 {
		return false
	}
	switch c := high<<4 | low; c {
	case '/', '\\', '%', '.', ';', 0x7f:
		return false
	default:
		return c >= ' '
	}
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	default:
		return 0, false
	}
}

// is reports whether segment i is s.
func (p *path) is(i int, s string) bool { return i < p.n && string(p.segments[i]) == s }
