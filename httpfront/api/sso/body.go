package sso

import (
	"encoding/base64"
	"strconv"

	"ssod/httpfront/strictjson"

	"google.golang.org/protobuf/encoding/protowire"

	"ssod/actors/linking"
	"ssod/actors/profile"
	"ssod/httpfront/api"
	"ssod/httpfront/token/keys"
)

// appendToken appends the success body of both serviceToken calls. Clients
// read the token from either field;
// httpfront/docs/sso.md#where-the-vendors-pages-disagree.
func appendToken(b []byte, status int, t keys.Signed) []byte {
	b = append(b, `{"status":"`...)
	b = append(b, api.StatusName(status)...)
	b = append(b, `","serviceToken":"`...)
	b = append(b, t.Token...) // Base64url and dots
	b = append(b, `","jws":"`...)
	b = append(b, t.Token...)
	b = append(b, `","notBefore":`...)
	b = strconv.AppendInt(b, t.NotBefore.UnixMilli(), 10)
	b = append(b, `,"notAfter":`...)
	b = strconv.AppendInt(b, t.NotAfter.UnixMilli(), 10)
	return append(b, '}')
}

// appendCode appends the success body of link; both names of the code, and its QR code if
// there is one.
func appendCode(b []byte, c linking.Code, qr string) []byte {
	b = append(b, `{"status":"CREATED","code":`...)
	b = strictjson.AppendString(b, c.Text)
	b = append(b, `,"link":`...)
	b = strictjson.AppendString(b, c.Text)
	b = append(b, `,"notBefore":`...)
	b = strconv.AppendInt(b, c.NotBefore.UnixMilli(), 10)
	b = append(b, `,"notAfter":`...)
	b = strconv.AppendInt(b, c.NotAfter.UnixMilli(), 10)
	if qr != "" {
		b = append(b, `,"qr":`...)
		b = strictjson.AppendString(b, qr)
	}
	return append(b, '}')
}

// appendUnlinked appends the success body of unlink: the client's spellings of
// the devices that were removed.
func appendUnlinked(b []byte, spellings []string, removed []int32) []byte {
	b = append(b, `{"status":"OK","unlinkedDevices":[`...)
	for i, index := range removed {
		if i > 0 {
			b = append(b, ',')
		}
		b = strictjson.AppendString(b, spellings[index])
	}
	return append(b, "]}"...)
}

// appendMembers appends the success body of list, which has no status.
func appendMembers(b []byte, members []*profile.Member) []byte {
	b = append(b, `{"devices":{`...)
	for i, m := range members {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = base64.StdEncoding.AppendEncode(b, m.Device)
		b = append(b, `":{`...)
		b = appendDevice(b, m)
		b = append(b, '}')
	}
	return append(b, "}}"...)
}

// appendDevice appends what is told of a device.
func appendDevice(b []byte, m *profile.Member) []byte {
	b = appendAttributes(b, m.Attributes)
	b = append(b, `"lastSeen":`...)
	b = strconv.AppendInt(b, m.LastSeenMs, 10)
	b = append(b, `,"type":"`...)
	b = append(b, memberType(m.Type)...)
	return append(b, '"')
}

// appendLink appends the success body of both calls about a link code.
func appendLink(b []byte, c *profile.CodeReply) []byte {
	b = append(b, `{"status":"`...)
	b = append(b, c.Status.String()...)
	b = append(b, `","notAfter":`...)
	b = strconv.AppendInt(b, c.NotAfterMs, 10)
	if c.Device != nil {
		b = append(b, `,"device":{`...)
		b = appendDevice(b, c.Device)
		b = append(b, `,"network":"`...)
		b = append(b, network(c.OtherNetwork)...)
		b = append(b, `"}`...)
	}
	return append(b, '}')
}

// network says whether a device is in the network of the one that made the code.
func network(other bool) string {
	if other {
		return "other"
	}
	return "same"
}

func memberType(t profile.MemberType) string {
	if t == profile.MemberType_REGULAR {
		return "regular"
	}
	return "sso"
}

// attributeNames are the JSON names of profile.Attributes by field number.
var attributeNames = [...]string{
	1: "deviceType", 2: "model", 3: "os", 4: "osVersion", 5: "platform", 6: "userAgent", 7: "manufacturer", 8: "vendor",
}

// appendAttributes appends the attributes straight from their encoding, each
// followed by a comma. Fields of a later version are left out.
func appendAttributes(b, encoded []byte) []byte {
	for len(encoded) > 0 {
		number, kind, n := protowire.ConsumeTag(encoded)
		if n < 0 {
			return b
		}
		size := protowire.ConsumeFieldValue(number, kind, encoded[n:])
		if size < 0 {
			return b
		}
		if kind == protowire.BytesType && int(number) < len(attributeNames) {
			value, _ := protowire.ConsumeBytes(encoded[n:])
			b = append(b, '"')
			b = append(b, attributeNames[number]...)
			b = append(b, `":`...)
			b = strictjson.AppendString(b, value)
			b = append(b, ',')
		}
		encoded = encoded[n+size:]
	}
	return b
}
