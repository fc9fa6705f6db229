package strictjson

import (
	"errors"
	"unicode/utf8"
)

// MaxDepth is how many objects and arrays may be inside one another.
const MaxDepth = 8

// ErrSyntax says that the input is not one JSON value, or is one that two
// parsers might read differently.
var ErrSyntax = errors.New("malformed JSON")

// Parse checks data, which must hold exactly one JSON value. The value points
// into data, which must not change while the value is in use.
func Parse(data []byte) (Value, error) {
	if !utf8.Valid(data) {
		return Value{}, ErrSyntax
	}
	s := scanner{data: data}
	s.space()
	start := s.at
	if !s.value(0) {
		return Value{}, ErrSyntax
	}
	end := s.at
	if s.space(); s.at != len(data) {
		return Value{}, ErrSyntax
	}
	return Value{raw: data[start:end]}, nil
}

// scanner checks the grammar of RFC 8259. Its methods report whether what they
// are named for starts at the current position, and move behind it.
type scanner struct {
	data []byte
	at   int
}

func (s *scanner) space() {
	for s.at < len(s.data) {
		switch s.data[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return
		}
	}
}

// peek returns the next byte, 0 at the end.
func (s *scanner) peek() byte {
	if s.at < len(s.data) {
		return s.data[s.at]
	}
	return 0
}

func (s *scanner) accept(c byte) bool {
	if s.peek() != c || s.at == len(s.data) {
		return false
	}
	s.at++
	return true
}

func (s *scanner) value(depth int) bool {
	switch s.peek() {
	case '{':
		return depth < MaxDepth && s.object(depth+1)
	case '[':
		return depth < MaxDepth && s.array(depth+1)
	case '"':
		return s.text()
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	default:
		return s.number()
	}
}

func (s *scanner) object(depth int) bool {
	var seen names
	s.at++
	if s.space(); s.accept('}') {
		return true
	}
	for {
		s.space()
		start := s.at
		if !s.text() || !seen.add(unquote(s.data[start:s.at])) {
			return false
		}
		if s.space(); !s.accept(':') {
			return false
		}
		if s.space(); !s.value(depth) {
			return false
		}
		s.space()
		if !s.accept(',') {
			return s.accept('}')
		}
	}
}

func (s *scanner) array(depth int) bool {
	s.at++
	if s.space(); s.accept(']') {
		return true
	}
	for {
		if s.space(); !s.value(depth) {
			return false
		}
		s.space()
		if !s.accept(',') {
			return s.accept(']')
		}
	}
}

func (s *scanner) literal(word string) bool {
	end := s.at + len(word)
	if end > len(s.data) || string(s.data[s.at:end]) != word {
		return false
	}
	s.at = end
	return true
}

// number accepts [-] int [frac] [exp]; a leading zero stands alone.
func (s *scanner) number() bool {
	s.accept('-')
	if !s.accept('0') && !s.digits() {
		return false
	}
	if s.accept('.') && !s.digits() {
		return false
	}
	if s.accept('e') || s.accept('E') {
		if !s.accept('+') {
			s.accept('-')
		}
		return s.digits()
	}
	return true
}

func (s *scanner) digits() bool {
	start := s.at
	for c := s.peek(); '0' <= c && c <= '9'; c = s.peek() {
		s.at++
	}
	return s.at > start
}

func (s *scanner) text() bool {
	if !s.accept('"') {
		return false
	}
	for s.at < len(s.data) {
		c := s.data[s.at]
		s.at++
		switch {
		case c == '"':
			return true
		case c < ' ':
			return false
		case c == '\\' && !s.escape():
			return false
		}
	}
	return false
}

// escape accepts what may follow a backslash. A surrogate must be one half of
// a pair: alone it stands for no character.
func (s *scanner) escape() bool {
	if s.at == len(s.data) {
		return false
	}
	c := s.data[s.at]
	s.at++
	switch c {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		high, ok := s.hex4()
		if !ok || 0xDC00 <= high && high <= 0xDFFF {
			return false
		}
		if high < 0xD800 || high > 0xDBFF {
			return true
		}
		if !s.literal(`\u`) {
			return false
		}
		low, ok := s.hex4()
		return ok && 0xDC00 <= low && low <= 0xDFFF
	default:
		return false
	}
}

func (s *scanner) hex4() (rune, bool) {
	if s.at+4 > len(s.data) {
		return 0, false
	}
	r, ok := hex4(s.data[s.at:])
	s.at += 4
	return r, ok
}

// hex4 reads the four hexadecimal digits at the start of b.
func hex4(b []byte) (r rune, ok bool) {
	for _, c := range b[:4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// names are the member names of one object so far. Most objects have few; the
// map keeps a hostile one from costing the square of its length.
type names struct {
	few  [16][]byte
	n    int
	many map[string]struct{}
}

// add reports whether name is new.
func (n *names) add(name []byte) bool {
	if n.many == nil && n.n < len(n.few) {
		for _, other := range n.few[:n.n] {
			if string(other) == string(name) {
				return false
			}
		}
		n.few[n.n] = name
		n.n++
		return true
	}
	return n.addToMap(name)
}

func (n *names) addToMap(name []byte) bool {
	if n.many == nil {
		n.many = make(map[string]struct{}, 4*len(n.few))
		for _, other := range n.few {
			n.many[string(other)] = struct{}{}
		}
	}
	if _, found := n.many[string(name)]; found {
		return false
	}
	n.many[string(name)] = struct{}{}
	return true
}
