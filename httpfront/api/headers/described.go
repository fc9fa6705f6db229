package headers

import (
	"bytes"
	"encoding/json"
	"io"
	"unicode/utf8"

	"ssod/httpfront/strictjson"
)

// describedObject reads the JSON object in a description of a device. Nothing is decided
// by it, so careless writing is accepted: Latin-1 as from a browser's btoa, a byte order
// mark, the NUL of a C string, half of a split character, a repeated member, of which the
// last counts as in browsers. A login should not fail because of a model's name. Anything
// but an object is refused.
func describedObject(raw []byte) (strictjson.Value, bool) {
	object, err := strictjson.Parse(raw)
	if err != nil {
		object, err = strictjson.Parse(repaired(raw))
	}
	return object, err == nil && object.Kind() == strictjson.Object
}

// repaired encodes an object again that encoding/json, which is lenient, can read; nil when
// it cannot.
func repaired(raw []byte) []byte {
	raw = bytes.TrimRight(bytes.TrimPrefix(raw, byteOrderMark), "\x00")
	if !utf8.Valid(raw) {
		raw = fromLatin1(raw)
	}
	var members map[string]any
	in := json.NewDecoder(bytes.NewReader(raw))
	in.UseNumber()
	if in.Decode(&members) != nil || members == nil {
		return nil
	}
	if _, err := in.Token(); err != io.EOF {
		return nil
	}
	out, err := json.Marshal(members)
	if err != nil {
		return nil
	}
	return out
}

var byteOrderMark = []byte("\uFEFF")

// fromLatin1 is text of ISO 8859-1 in UTF-8: its bytes are the first characters
// of Unicode.
func fromLatin1(raw []byte) []byte {
	text := make([]byte, 0, 2*len(raw))
	for _, c := range raw {
		text = utf8.AppendRune(text, rune(c))
	}
	return text
}
