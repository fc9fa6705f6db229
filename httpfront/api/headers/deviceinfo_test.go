package headers

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"ssod/actors/profile"
)

// TestAttributes: what apps and browsers say becomes the attributes of the
// list; httpfront/docs/sso.md#device-attributes.
func TestAttributes(t *testing.T) {
	tests := []struct {
		name, info, agent string
		want              *profile.Attributes
	}{
		{
			"everything said",
			`{"primaryHardwareType":"TV","model":"QX-55","manufacturer":"Samsung","vendor":"Samsung","version":"7.1","osName":"Linux","osFamily":"Tizen","osVersion":"5.0","userAgent":"App/1"}`, "ignored/1",
			&profile.Attributes{DeviceType: "smartTV", Model: "QX-55", Os: "Linux", OsVersion: "5.0", Platform: "Tizen", UserAgent: "App/1", Manufacturer: "Samsung", Vendor: "Samsung"},
		},
		{
			"phone", `{"primaryHardwareType":"MobilePhone","model":"iPhone","manufacturer":"Apple","osName":"iOS","osVersion":"17.2"}`, "",
			&profile.Attributes{DeviceType: "mobile", Model: "iPhone", Os: "iOS", OsVersion: "17.2", Platform: "iOS", Manufacturer: "Apple"},
		},
		{
			"maker where the model is missing, family where the name is", `{"manufacturer":"LG","osFamily":"webOS"}`, "",
			&profile.Attributes{DeviceType: "unknown", Model: "LG", Os: "webOS", Platform: "webOS", Manufacturer: "LG"},
		},
		{
			"the vendor's alias and values outside the lists", `{"type":"SetTopBox","osName":"Roku","connectionType":"WIFI"}`, "",
			&profile.Attributes{DeviceType: "setTopBox", Os: "Roku", Platform: "Roku"},
		},
		{
			"alias does not win", `{"type":"TV","primaryHardwareType":"Tablet"}`, "",
			&profile.Attributes{DeviceType: "tablet", Platform: "unknown"},
		},
		{
			"numbers and texts change places", `{"model":5,"osVersion":14.5,"displayWidth":"1920","osName":true}`, "",
			&profile.Attributes{DeviceType: "unknown", Model: "5", OsVersion: "14.5", Os: "true", Platform: "unknown"},
		},
		{
			"what is not simple is ignored", `{"model":{"a":1},"manufacturer":["x"],"vendor":null,"osName":"Windows","other":[{}]}`, "",
			&profile.Attributes{DeviceType: "unknown", Os: "Windows", Platform: "Windows"},
		},
		{
			"unknown hardware", `{"primaryHardwareType":"Wristwatch"}`, "",
			&profile.Attributes{DeviceType: "unknown", Platform: "unknown"},
		},
		{
			"Fire TV", `{"osName":"Android","manufacturer":"Amazon"}`, "",
			&profile.Attributes{DeviceType: "unknown", Model: "Amazon", Os: "Android", Platform: "FireOS", Manufacturer: "Amazon"},
		},
		{"nothing said", "", "", &profile.Attributes{DeviceType: "unknown", Platform: "unknown"}},
		{
			"explicit and implied are merged", `{"model":"UE55"}`, "Mozilla/5.0 (SMART-TV; Linux; Tizen 5.0)",
			&profile.Attributes{DeviceType: "smartTV", Model: "UE55", Os: "Tizen", OsVersion: "5.0", Platform: "Tizen", Manufacturer: "Samsung", UserAgent: "Mozilla/5.0 (SMART-TV; Linux; Tizen 5.0)"},
		},
		{
			"iPhone's browser", "", "Mozilla/5.0 (iPhone; CPU iPhone OS 14_5 like Mac OS X)",
			&profile.Attributes{DeviceType: "mobile", Model: "iPhone", Os: "iOS", OsVersion: "14.5", Platform: "iOS", Manufacturer: "Apple", UserAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 14_5 like Mac OS X)"},
		},
		{
			"iPad's browser", "", "Mozilla/5.0 (iPad; CPU OS 16_1 like Mac OS X)",
			&profile.Attributes{DeviceType: "tablet", Model: "iPad", Os: "iPadOS", OsVersion: "16.1", Platform: "iOS", Manufacturer: "Apple", UserAgent: "Mozilla/5.0 (iPad; CPU OS 16_1 like Mac OS X)"},
		},
		{
			"Roku", "", "Roku/DVP-9.10 (519.10E04111A)",
			&profile.Attributes{DeviceType: "mediaPlayer", Os: "Roku OS", OsVersion: "9.10", Platform: "Roku", Manufacturer: "Roku", UserAgent: "Roku/DVP-9.10 (519.10E04111A)"},
		},
		{
			"Android phone", "", "Mozilla/5.0 (Linux; Android 12; SM-G930V) Mobile",
			&profile.Attributes{DeviceType: "mobile", Os: "Android", OsVersion: "12", Platform: "Android", UserAgent: "Mozilla/5.0 (Linux; Android 12; SM-G930V) Mobile"},
		},
		{
			"desktop", "", "Mozilla/5.0 (Windows NT 10.0; Win64; x64)",
			&profile.Attributes{DeviceType: "desktop", Os: "Windows", OsVersion: "10.0", Platform: "Windows", UserAgent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"},
		},
		{"curl", "", "curl/8.5", &profile.Attributes{DeviceType: "unknown", Platform: "unknown", UserAgent: "curl/8.5"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var said map[string]string
			if tt.info != "" {
				var ok bool
				if said, ok = parseDeviceInfo([]byte(base64.StdEncoding.EncodeToString([]byte(tt.info)))); !ok {
					t.Fatal("refused")
				}
			}
			if diff := cmp.Diff(tt.want, newDeviceInfo(said).attributes(tt.agent), protocmp.Transform()); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestDeviceInfoSyntax(t *testing.T) {
	standard := base64.StdEncoding.EncodeToString([]byte(`{"model":"??>>"}`))
	tests := []struct {
		name, header string
		ok           bool
	}{
		{"padded", standard, true},
		{"without padding", strings.TrimRight(standard, "="), true},
		{"URL-safe", base64.URLEncoding.EncodeToString([]byte(`{"model":"??>>"}`)), true},
		{"not Base64", "@@@", false},
		{"both alphabets", "+-", false},
		{"not JSON", encode("model"), false},
		{"empty object", encode("{}"), true},
		{"array", encode("[]"), false},
		{"text", encode(`"a"`), false},
		{"null", encode("null"), false},
		{"missing comma", encode(`{"a":1 "b":2}`), false},
		{"two objects", encode(`{"model":"a"}{"model":"b"}`), false},
		{"a bracket too many", encode(`{"model":"a"}}`), false},
		{"a control character", encode("{\"model\":\"a\x01\"}"), false},
		{"nothing but NUL", encode("\x00\x00"), false},
		{"UTF-16", encode("{\x00\"\x00a\x00\"\x00:\x001\x00}\x00"), false},
		{"escaped twice", strings.ReplaceAll(url.QueryEscape(standard), "%", "%25"), false},
		{"bad escape", "%zz" + standard, false},
		{"padding inside", "YQ==" + standard, false},
		{"too deep", encode(strings.Repeat(`{"a":`, 9) + "1" + strings.Repeat("}", 9)), false},
		{"4 KiB", encode(`{"a":"` + strings.Repeat("a", 4<<10-8) + `"}`), true},
		{"over 4 KiB", encode(`{"a":"` + strings.Repeat("a", 4<<10-7) + `"}`), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, ok := parseDeviceInfo([]byte(tt.header)); ok != tt.ok {
				t.Errorf("accepted %v, want %v", ok, tt.ok)
			}
		})
	}
}

// TestDeviceInfoWrittenCarelessly: a login does not fail for how a device's name
// is spelled, and what can be read of it is.
func TestDeviceInfoWrittenCarelessly(t *testing.T) {
	const plain = `{"primaryHardwareType":"TV","model":"QX-55","manufacturer":"Example Electronics","osName":"Tizen"}`
	lines := func(end string) string {
		var b strings.Builder
		for text := encode(plain); text != ""; text = text[min(76, len(text)):] {
			b.WriteString(text[:min(76, len(text))] + end)
		}
		return b.String()
	}
	for name, tt := range map[string]struct{ header, model string }{
		"plain":                     {encode(plain), "QX-55"},
		"escaped padding":           {strings.ReplaceAll(encode(`{"model":"QX-5"}`), "=", "%3D"), "QX-5"},
		"escaped, lower case":       {strings.ReplaceAll(encode(`{"model":"QX-5"}`), "=", "%3d"), "QX-5"},
		"escaped for a form":        {url.QueryEscape(encode(`{"model":"??>>\u00ff"}`)), "??>>\u00ff"},
		"lines joined with blanks":  {lines(" "), "QX-55"},
		"lines joined with tabs":    {lines("\t"), "QX-55"},
		"lines escaped":             {lines("%0A"), "QX-55"},
		"lines of Windows, escaped": {lines("%0D%0A"), "QX-55"},
		"UTF-8":                     {encode("{\"model\":\"T\u00e9l\u00e9\"}"), "T\u00e9l\u00e9"},
		"Latin-1":                   {encode("{\"model\":\"T\xe9l\xe9\"}"), "T\u00e9l\u00e9"},
		"half a character, first":   {encode(`{"model":"TV \ud83d"}`), "TV \ufffd"},
		"half a character, second":  {encode(`{"model":"\udcfa TV"}`), "\ufffd TV"},
		"a whole one":               {encode(`{"model":"\ud83d\udcfa"}`), "\U0001f4fa"},
		"byte order mark":           {encode("\ufeff" + plain), "QX-55"},
		"end of a C string":         {encode(plain + "\x00"), "QX-55"},
		"a member twice":            {encode(`{"model":"A","model":"B"}`), "B"},
		"a member twice inside":     {encode(`{"model":"A","x":{"y":1,"y":2}}`), "A"},
		"everything at once":        {strings.ReplaceAll(encode("\ufeff{\"model\":\"\xe9\",\"model\":\"T\xe9 \\ud83d\"}\x00"), "=", "%3D"), "T\u00e9 \ufffd"},
	} {
		t.Run(name, func(t *testing.T) {
			r := requestOf(tt.header, "")
			a, err := Attributes(r)
			if err != nil || a.GetModel() != tt.model {
				t.Errorf("got model %q, %v; want %q", a.GetModel(), err, tt.model)
			}
			if device, _, err := Describe(r); err != nil || !json.Valid(device) {
				t.Errorf("described as %s, %v", device, err)
			}
		})
	}
}

func encode(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func TestParseDevice(t *testing.T) {
	long := strings.Repeat("a", MaxDevice)
	tests := []struct {
		header, want string
		ok           bool
	}{
		{"fingerprint cGhvbmUtMDAwMg==", "phone-0002", true},
		{"fingerprint cGhvbmUtMDAwMg", "phone-0002", true},
		{"Fingerprint   cGhvbmUtMDAwMg==", "phone-0002", true},
		{"  FINGERPRINT cGhvbmUtMDAwMg==  ", "phone-0002", true},
		{"fingerprint Pz8_Pj4-", "???>>>", true},
		{"fingerprint Pz8/Pj4+", "???>>>", true},
		{"fingerprint " + encode(long), long, true},
		{"fingerprint " + encode(long+"a"), "", false},
		{"fingerprint", "", false},
		{"fingerprint ", "", false},
		{"fingerprint =", "", false},
		{"fingerprint ***", "", false},
		{"fingerprint a b", "", false},
		{"fingerprint YQ== YQ==", "", false},
		{"fingerprint cGhvbmUtMDAwMg%3D%3D", "phone-0002", true},
		{"fingerprint Pz8%2FPj4%2B", "???>>>", true},
		{"fingerprint cGhvbmUt%0AMDAwMg==%0a", "phone-0002", true},
		{"fingerprint cGhvbmUtMDAwMg%", "", false},
		{"fingerprint cGhvbmUt MDAwMg==", "", false},
		{"fingerprint %20", "", false},
		{"fingerprint a", "", false},
		{"cGhvbmUtMDAwMg==", "", false},
		{"idfa cGhvbmUtMDAwMg==", "", false},
		{"", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.header, func(t *testing.T) {
			id, ok := ParseDevice([]byte(tt.header))
			if ok != tt.ok || ok && string(id) != tt.want {
				t.Errorf("got %q, %v; want %q, %v", id, ok, tt.want, tt.ok)
			}
		})
	}
}

func FuzzDevice(f *testing.F) {
	for _, s := range []string{"fingerprint cGhvbmUtMDAwMg==", "fingerprint ***", " Fingerprint  YQ", "fingerprint Pz8_Pj4-"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, header []byte) {
		id, ok := ParseDevice(header)
		if !ok {
			return
		}
		if len(id) == 0 || len(id) > MaxDevice {
			t.Fatalf("identifier of %d bytes", len(id))
		}
		again, ok := ParseDevice([]byte(deviceType + " " + CanonicalDevice(id)))
		if !ok || string(again) != string(id) {
			t.Errorf("%q is not read from its canonical form", id)
		}
	})
}

func FuzzDeviceInfo(f *testing.F) {
	f.Add([]byte(encode(`{"primaryHardwareType":"TV","model":"QX-55"}`)), "Mozilla/5.0 (SMART-TV; Linux; Tizen 5.0)")
	f.Add([]byte("@@@"), "Roku/DVP-9.10")
	f.Add([]byte(encode(`{"model":{"a":[1,2]},"osName":5e3}`)), "\xff\xfe")
	f.Fuzz(func(t *testing.T, header []byte, agent string) {
		said, ok := parseDeviceInfo(header)
		if !ok {
			return
		}
		a := newDeviceInfo(said).attributes(agent)
		encoded := profile.EncodeAttributes(a)
		if len(encoded) > profile.MaxAttributes {
			t.Errorf("%d bytes of attributes", len(encoded))
		}
		if len(encoded) == 0 {
			t.Error("the attributes could not be encoded")
		}
		if again, err := profile.DecodeAttributes(encoded); err != nil || !utf8.ValidString(again.UserAgent+again.Model+again.Os) {
			t.Errorf("attributes %v, %v", again, err)
		}
	})
}
