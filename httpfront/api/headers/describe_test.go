package headers

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ssod/httpfront/api"
	"ssod/httpfront/wire"
)

// requestOf is a request with a device info and a User-Agent.
func requestOf(info, agent string) *api.Request {
	r := &api.Request{Request: &wire.Request{}, Address: netip.MustParseAddr("::ffff:203.0.113.7")}
	r.Set(wire.DeviceInfo, []byte(info))
	r.Set(wire.UserAgent, []byte(agent))
	return r
}

func TestDescribe(t *testing.T) {
	info := base64.StdEncoding.EncodeToString([]byte(`{"type":"TV","model":"QX-55","manufacturer":"Samsung","version":"7.1",
		"osName":"Linux","osFamily":"Tizen","osVersion":"5.0","browserVersion":"60.0.3112","displayWidth":"1920","displayHeight":1080.4,"diagonalScreenSize":"55.50","connectionPort":53124,"connectionSecure":true,"connectionType":"LAN"}`))
	device, name, err := Describe(requestOf(info, "App/1"))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(device, &got); err != nil {
		t.Fatal(err)
	}
	nowhere := map[string]any{"major": 0.0, "minor": 0.0, "patch": 0.0, "profile": nil}
	version := func(major, minor, patch float64) map[string]any {
		return map[string]any{"major": major, "minor": minor, "patch": patch, "profile": nil}
	}
	want := map[string]any{
		"type": "TV", "model": "QX-55", "applicationId": nil,
		"version":         version(7, 1, 0),
		"hardware":        map[string]any{"name": "QX-55", "vendor": nil, "version": version(7, 1, 0), "manufacturer": "Samsung"},
		"operatingSystem": map[string]any{"name": "Linux", "family": "Tizen", "vendor": nil, "version": version(5, 0, 0)},
		"browser":         map[string]any{"name": nil, "vendor": nil, "version": version(60, 0, 3112), "userAgent": "App/1", "originalUserAgent": "App/1"},
		"display":         map[string]any{"width": 1920.0, "height": 1080.0, "ppi": 0.0, "name": nil, "vendor": nil, "version": nowhere, "diagonalSize": "55.5"},
		"connection":      map[string]any{"ipAddress": "203.0.113.7", "port": "53124", "secure": true, "type": "LAN"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if name != "Samsung QX-55" {
		t.Errorf("for people: %q", name)
	}
}

func TestDescribeByUserAgent(t *testing.T) {
	device, name, err := Describe(requestOf("", "Mozilla/5.0 (iPhone; CPU iPhone OS 14_5 like Mac OS X)"))
	var got struct {
		Model           string
		OperatingSystem struct {
			Name    string
			Version version
		}
	}
	if err != nil || json.Unmarshal(device, &got) != nil {
		t.Fatalf("%s %v", device, err)
	}
	if got.Model != "iPhone" || got.OperatingSystem.Name != "iOS" || got.OperatingSystem.Version != (version{Major: 14, Minor: 5}) || name != "Apple iPhone" {
		t.Errorf("got %+v, %q", got, name)
	}
}

func TestDescribeRefusesWhatIsNoObject(t *testing.T) {
	for _, info := range []string{"@@@", "WzFd", "eyJhIjo="} {
		if _, _, err := Describe(requestOf(info, "")); !errors.Is(err, api.ErrDeviceInfo) {
			t.Errorf("%s: got %v", info, err)
		}
	}
}

func TestVersions(t *testing.T) {
	for text, want := range map[string]version{
		"14.5.1": {14, 5, 1, ""}, "7": {7, 0, 0, ""}, "14,5": {0, 0, 0, "14,5"}, "1.x": {1, 0, 0, "1.x"}, "": {0, 0, 0, ""}, "1.2.3.4": {1, 2, 3, ""},
		"1.2147483647": {1, 2147483647, 0, ""}, "1.2147483648": {1, 0, 0, "1.2147483648"}, "-1": {0, 0, 0, "-1"}, "+1": {0, 0, 0, "+1"},
	} {
		if got := versionOf(text); got != want {
			t.Errorf("%q: got %+v, want %+v", text, got, want)
		}
	}
}

// What is no number of a display is not known, and a device is one of a list.
func TestDescribeIsStrict(t *testing.T) {
	for said, want := range map[string]text{"TV": "TV", "tv": "TV", "SETTOPBOX": "SetTopBox", "projector": "Projector", "Toaster": "Unknown", "unknown": "Unknown", "": ""} {
		if got := hardwareType(said); got != want {
			t.Errorf("type %q: got %q, want %q", said, got, want)
		}
	}
	for said, want := range map[string]text{"5.5": "5.5", "55": "55", "5.50": "5.5", "1e2": "100", "NaN": "", "-1": "", "Inf": "", "big": "", "0": "", "": ""} {
		if got := size(said); got != want {
			t.Errorf("size %q: got %q, want %q", said, got, want)
		}
	}
	for said, want := range map[string]int64{"1920": 1920, "1920.5": 1921, "NaN": 0, "-1": 0, "1e30": 0, "": 0} {
		if got := whole(said); got != want {
			t.Errorf("width %q: got %d, want %d", said, got, want)
		}
	}
}
