package temppass

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"

	"ssod/httpfront/strictjson"
)

// Identity is how an app names a viewer: the members of the object in AP-TempPass-Identity
// that are texts, numbers or truth values.
type Identity struct{ members []string }

// ParseIdentity reads a JSON object that names somebody; false when it does not.
func ParseIdentity(object []byte) (Identity, bool) {
	parsed, err := strictjson.Parse(object)
	if err != nil || parsed.Kind() != strictjson.Object {
		return Identity{}, false
	}
	var i Identity
	for name, value := range parsed.Members() {
		if text := simple(value); text != "" {
			i.members = append(i.members, string(name), text)
		}
	}
	return i, len(i.members) > 0
}

// Of is the identity by one member alone; false when it has no such member.
func (i Identity) Of(name string) (Identity, bool) {
	for n := 0; n < len(i.members); n += 2 {
		if i.members[n] == name {
			return Identity{i.members[n : n+2]}, true
		}
	}
	return Identity{}, false
}

func simple(v strictjson.Value) string {
	switch v.Kind() {
	case strictjson.Text:
		text, _ := v.Text()
		return strings.TrimSpace(text)
	case strictjson.Number, strictjson.Bool:
		return string(v.Raw())
	}
	return ""
}

// bytes are the same for objects that differ in the order of their members only.
func (i Identity) bytes() (b []byte) {
	var pairs []string
	for n := 0; n < len(i.members); n += 2 {
		pairs = append(pairs, i.members[n]+"\x00"+i.members[n+1])
	}
	slices.Sort(pairs)
	for _, pair := range pairs {
		b = append(binary.AppendUvarint(b, uint64(len(pair))), pair...)
	}
	return b
}

// Names makes what is kept of identities and addresses. Without the key nobody can try
// which e-mail address a stored name stands for.
type Names struct {
	Key  []byte // of the realm, which is the same on all nodes
	MVPD string
}

// Identity is the name of an identity.
func (n Names) Identity(i Identity) []byte { return n.mac("identity", i.bytes()) }

// Network is the name of the network of an address: the address itself, or of IPv6 its /64;
// nil when it is not known.
func (n Names) Network(a netip.Addr) []byte {
	bits := 64
	if a = a.Unmap().WithZone(""); a.Is4() {
		bits = 32
	}
	prefix, err := a.Prefix(bits)
	if err != nil || !a.IsValid() {
		return nil
	}
	return n.mac("network", prefix.Addr().AsSlice())[:16]
}

// UserID is the userID of a device's temporary profile. It has the documented form: 40
// hexadecimal digits.
func (n Names) UserID(device []byte) string {
	return "temppass_" + hex.EncodeToString(n.mac("user", device)[:20])
}

func (n Names) mac(what string, of []byte) []byte {
	mac := hmac.New(sha256.New, n.Key)
	mac.Write([]byte("temporary access\x00" + what + "\x00" + n.MVPD + "\x00"))
	mac.Write(of)
	return mac.Sum(nil)
}
