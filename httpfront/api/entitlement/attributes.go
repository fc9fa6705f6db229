package entitlement

import (
	"iter"

	"ssod/httpfront/strictjson"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of login.Account and login.Attribute.
const (
	accountSubject    = 1
	accountAttributes = 2
	attributeName     = 1
	attributeValue    = 2
	attributeIsSealed = 3
)

// appendAttributes appends the user metadata straight from the encoding of a
// login.Account, because every query for profiles does: userID first, which
// protobuf writes first. Fields of a later version are left out.
func appendAttributes(b, account []byte) []byte {
	first := true
	for number, field := range fields(account) {
		name, value, state := []byte("userID"), field.bytes, "plain"
		if number == accountAttributes {
			name, value, state = attribute(field.bytes)
		} else if number != accountSubject {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(strictjson.AppendString(b, name), `:{"value":`...)
		if number == accountSubject {
			b = strictjson.AppendString(b, value)
		} else {
			b = append(b, value...) // JSON, checked when it came
		}
		b = append(append(b, `,"state":"`...), state...)
		b = append(b, `"}`...)
	}
	return b
}

// attribute reads one login.Attribute.
func attribute(encoded []byte) (name, value []byte, state string) {
	state = "plain"
	for number, field := range fields(encoded) {
		switch number {
		case attributeName:
			name = field.bytes
		case attributeValue:
			value = field.bytes
		case attributeIsSealed:
			if field.number != 0 {
				state = "enc"
			}
		}
	}
	return name, value, state
}

// field is the value of one field.
type field struct {
	bytes  []byte
	number uint64
}

// fields yields the texts and numbers of a message that we encoded.
func fields(encoded []byte) iter.Seq2[protowire.Number, field] {
	return func(yield func(protowire.Number, field) bool) {
		for len(encoded) > 0 {
			number, kind, n := protowire.ConsumeTag(encoded)
			if n < 0 {
				return
			}
			var f field
			size := protowire.ConsumeFieldValue(number, kind, encoded[n:])
			switch {
			case size < 0:
				return
			case kind == protowire.BytesType:
				f.bytes, _ = protowire.ConsumeBytes(encoded[n:])
			case kind == protowire.VarintType:
				f.number, _ = protowire.ConsumeVarint(encoded[n:])
			}
			if !yield(number, f) {
				return
			}
			encoded = encoded[n+size:]
		}
	}
}
