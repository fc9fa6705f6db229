package profile

import (
	"unicode/utf8"

	"google.golang.org/protobuf/proto"
)

// MaxAttributes is how many bytes the encoded attributes of a device may have;
// httpfront/docs/limits.md#sizes-and-counts.
const MaxAttributes = 512

// NewDevice describes the calling device; nil attributes mean that the call
// said nothing about it. Attributes that are too large are cut, see [Fit].
func NewDevice(id []byte, a *Attributes) *Device {
	return &Device{Id: id, Attributes: EncodeAttributes(a)}
}

// EncodeAttributes is how attributes travel and are stored, cut to
// MaxAttributes. Nil and empty attributes have an empty encoding.
func EncodeAttributes(a *Attributes) []byte {
	if a == nil {
		return nil
	}
	fitted := Fit(a)
	encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(fitted)
	if err != nil { // only invalid UTF-8 can do this: say nothing about the device
		return nil
	}
	return encoded
}

// DecodeAttributes reads what EncodeAttributes made.
func DecodeAttributes(encoded []byte) (*Attributes, error) {
	a := &Attributes{}
	return a, proto.Unmarshal(encoded, a)
}

// Fit returns a itself when its encoding has at most MaxAttributes bytes, else
// a copy that fits: userAgent is cut first, then attributes are dropped from
// the end of the list; httpfront/docs/headers.md#x-device-info.
func Fit(a *Attributes) *Attributes {
	over := proto.Size(a) - MaxAttributes
	if over <= 0 {
		return a
	}
	a = proto.Clone(a).(*Attributes)
	a.ProtoReflect().SetUnknown(nil)
	a.UserAgent = cut(a.UserAgent, len(a.UserAgent)-over)
	for _, last := range []*string{&a.Vendor, &a.Manufacturer, &a.UserAgent, &a.Platform, &a.OsVersion, &a.Os, &a.Model, &a.DeviceType} {
		if proto.Size(a) <= MaxAttributes {
			break
		}
		*last = ""
	}
	return a
}

// cut shortens s to at most n bytes without splitting a character.
func cut(s string, n int) string {
	if n <= 0 {
		return ""
	}
	for n < len(s) && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
