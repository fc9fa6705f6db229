package headers

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"ssod/actors/profile"
)

func TestKept(t *testing.T) {
	long := strings.Repeat("a", maxKept)
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"as long as may be", long, long},
		{"too long", long + "b", long},
		{"cut before a character", long[1:] + "\u00e4", long[1:]},
		{"cut behind a character", long[2:] + "\u00e4b", long[2:] + "\u00e4"},
		{"no UTF-8", "a\xffb", "a\uFFFDb"},
		{"no UTF-8 where it is cut", long[1:] + "\xc3", long[1:]},
		{"control characters", "a\x00\x1b[1m\u0085b", "a[1mb"},
		{"very long", strings.Repeat("\xff", 32<<10), strings.Repeat("\uFFFD", maxKept/3)},
	} {
		if got := kept(tt.text); got != tt.want {
			t.Errorf("%s: got %d bytes %.20q, want %d", tt.name, len(got), got, len(tt.want))
		}
	}
}

// TestNothingLongIsKept: the longest headers there can be, filled with what takes
// most room in JSON, against every text that a description has.
func TestNothingLongIsKept(t *testing.T) {
	names := []string{
		"userAgent", "model", "vendor", "manufacturer", "version", "osName", "osFamily", "osVendor", "osVersion", "browserName",
		"browserVendor", "browserVersion", "applicationId", "connectionIp", "connectionPort", "connectionType", "primaryHardwareType",
	}
	for _, filler := range []string{"x", `\"`, "\u00e4", "<", "\x01"} {
		for _, name := range names {
			value, _ := json.Marshal(strings.Repeat(filler, 3000/len(filler)))
			for len(value) > maxDeviceInfo-100 {
				value, _ = json.Marshal(strings.Repeat(filler, 600/len(filler)))
			}
			r := requestOf(base64.StdEncoding.EncodeToString(fmt.Appendf(nil, `{%q:%s}`, name, value)), strings.Repeat(filler, 30<<10))
			device, people, err := Describe(r)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			var said any
			if err := json.Unmarshal(device, &said); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if longest := longest(said); longest > maxKept || len(people) > maxKept || len(device) > 8<<10 {
				t.Errorf("%s full of %q: a text of %d bytes, for people %d, %d in all", name, filler, longest, len(people), len(device))
			}
			a, err := Attributes(r)
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range []string{a.UserAgent, a.Model, a.Os, a.OsVersion, a.Manufacturer, a.Vendor} {
				if len(text) > maxKept || !utf8.ValidString(text) {
					t.Errorf("%s full of %q: an attribute of %d bytes", name, filler, len(text))
				}
			}
			if n := len(profile.EncodeAttributes(a)); n > profile.MaxAttributes {
				t.Errorf("%s full of %q: %d bytes of attributes", name, filler, n)
			}
		}
	}
}

// longest is the length of the longest text in a JSON value.
func longest(v any) (n int) {
	switch v := v.(type) {
	case string:
		return len(v)
	case map[string]any:
		for _, member := range v {
			n = max(n, longest(member))
		}
	}
	return n
}
