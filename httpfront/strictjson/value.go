package strictjson

import (
	"bytes"
	"iter"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Kind is what a JSON value can be.
type Kind uint8

// The kinds of JSON values. Absent is the kind of the zero [Value].
const (
	Absent Kind = iota
	Null
	Bool
	Number
	Text
	Array
	Object
)

// Value is one value of a document that [Parse] accepted.
type Value struct {
	raw []byte
}

// Kind says what v is.
func (v Value) Kind() Kind {
	if len(v.raw) == 0 {
		return Absent
	}
	switch v.raw[0] {
	case '{':
		return Object
	case '[':
		return Array
	case '"':
		return Text
	case 't', 'f':
		return Bool
	case 'n':
		return Null
	default:
		return Number
	}
}

// Raw returns the bytes of v as they are in the input.
func (v Value) Raw() []byte { return v.raw }

// Text returns the characters of a string; false when v is something else.
func (v Value) Text() (string, bool) {
	if v.Kind() != Text {
		return "", false
	}
	return string(unquote(v.raw)), true
}

// Is reports whether v is the string s. It does not allocate.
func (v Value) Is(s string) bool {
	return v.Kind() == Text && string(unquote(v.raw)) == s
}

// Bool returns the truth of v; false when v is something else.
func (v Value) Bool() (value, ok bool) {
	return v.raw != nil && v.raw[0] == 't', v.Kind() == Bool
}

// Int64 returns v as an integer; false when v is no number, has a fraction or
// an exponent, or is too large.
func (v Value) Int64() (int64, bool) {
	if v.Kind() != Number {
		return 0, false
	}
	n, err := strconv.ParseInt(string(v.raw), 10, 64)
	return n, err == nil
}

// Float64 returns v as a number; false when v is none or too large.
func (v Value) Float64() (float64, bool) {
	if v.Kind() != Number {
		return 0, false
	}
	n, err := strconv.ParseFloat(string(v.raw), 64)
	return n, err == nil
}

// Texts returns the elements of an array of strings; false when v is something
// else or has another element.
func (v Value) Texts() ([]string, bool) {
	if v.Kind() != Array {
		return nil, false
	}
	texts := []string{}
	for e := range v.Elements() {
		text, ok := e.Text()
		if !ok {
			return nil, false
		}
		texts = append(texts, text)
	}
	return texts, true
}

// Member returns the member of an object with exactly this name; false when
// there is none or v is no object.
func (v Value) Member(name string) (Value, bool) {
	for n, member := range v.Members() {
		if string(n) == name {
			return member, true
		}
	}
	return Value{}, false
}

// Members calls yield for each member of an object, in order, and never when
// v is something else. A name must not be changed.
func (v Value) Members() iter.Seq2[[]byte, Value] {
	return func(yield func([]byte, Value) bool) {
		if v.Kind() != Object {
			return
		}
		s := scanner{data: v.raw, at: 1}
		for s.space(); s.peek() != '}'; s.next() {
			name := unquote(s.skip())
			s.space()
			s.at++ // the colon
			s.space()
			if !yield(name, Value{raw: s.skip()}) {
				return
			}
		}
	}
}

// Elements calls yield for each element of an array, in order, and never when
// v is something else.
func (v Value) Elements() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		if v.Kind() != Array {
			return
		}
		s := scanner{data: v.raw, at: 1}
		for s.space(); s.peek() != ']'; s.next() {
			if !yield(Value{raw: s.skip()}) {
				return
			}
		}
	}
}

// next moves behind the comma, if there is one, and the space around it. The
// grammar was checked by Parse.
func (s *scanner) next() {
	s.space()
	if s.accept(',') {
		s.space()
	}
}

// skip moves behind the value at the current position and returns it.
func (s *scanner) skip() []byte {
	start := s.at
	for open := 0; ; {
		switch s.data[s.at] {
		case '"':
			s.text()
		case '{', '[':
			open++
			s.at++
		case '}', ']':
			open--
			s.at++
		case ',', ':', ' ', '\t', '\r', '\n':
			s.at++
		default:
			s.scalar()
		}
		if open == 0 {
			return s.data[start:s.at]
		}
	}
}

// scalar moves behind a number or a literal.
func (s *scanner) scalar() {
	for s.at < len(s.data) {
		switch s.data[s.at] {
		case ',', ':', '}', ']', ' ', '\t', '\r', '\n':
			return
		}
		s.at++
	}
}

// unquote returns the characters of a string that the scanner accepted; a
// string without escapes is not copied.
func unquote(raw []byte) []byte {
	body := raw
	if len(raw) >= 2 {
		body = raw[1 : len(raw)-1]
	}
	if bytes.IndexByte(body, '\\') < 0 {
		return body
	}
	text := make([]byte, 0, len(body))
	for i := 0; i < len(body); {
		if body[i] != '\\' {
			text = append(text, body[i])
			i++
			continue
		}
		var n int
		text, n = unescape(text, body[i:])
		i += n
	}
	return text
}

// unescape appends the character of the escape at the start of b and says how
// long the escape is.
func unescape(text, b []byte) ([]byte, int) {
	switch c := b[1]; c {
	case 'b':
		return append(text, '\b'), 2
	case 'f':
		return append(text, '\f'), 2
	case 'n':
		return append(text, '\n'), 2
	case 'r':
		return append(text, '\r'), 2
	case 't':
		return append(text, '\t'), 2
	case 'u':
		r, _ := hex4(b[2:])
		if !utf16.IsSurrogate(r) {
			return utf8.AppendRune(text, r), 6
		}
		low, _ := hex4(b[8:])
		return utf8.AppendRune(text, utf16.DecodeRune(r, low)), 12
	default:
		return append(text, c), 2
	}
}
