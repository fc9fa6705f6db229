package headers

import (
	"cmp"
	"strings"

	"ssod/actors/profile"
	"ssod/httpfront/api"
	"ssod/httpfront/strictjson"
	"ssod/httpfront/wire"
)

// maxDeviceInfo is the longest decoded X-Device-Info;
// httpfront/docs/limits.md#sizes-and-counts.
const maxDeviceInfo = 4 << 10

// deviceInfo is what the members of X-Device-Info say that we keep;
// httpfront/docs/headers.md#x-device-info. All others are ignored.
type deviceInfo struct {
	hardware, model, manufacturer, vendor string
	osName, osFamily, osVersion           string
	userAgent                             string
}

// Attributes describes the calling device: what X-Device-Info says, and
// where it is silent what the User-Agent gives away.
func Attributes(r *api.Request) (*profile.Attributes, error) {
	said, err := members(r)
	if err != nil {
		return nil, err
	}
	return newDeviceInfo(said).attributes(string(r.Header(wire.UserAgent))), nil
}

// AttributesOrAgent is Attributes for a call whose X-Device-Info is no
// part of its contract: there it is a help, never a mistake.
func AttributesOrAgent(r *api.Request) *profile.Attributes {
	if a, err := Attributes(r); err == nil {
		return a
	}
	var nothing deviceInfo
	return nothing.attributes(string(r.Header(wire.UserAgent)))
}

func newDeviceInfo(said map[string]string) *deviceInfo {
	return &deviceInfo{
		hardware: cmp.Or(said["primaryHardwareType"], said["type"]), // the latter is what the vendor's snippets send
		model:    said["model"], manufacturer: said["manufacturer"], vendor: said["vendor"],
		osName: said["osName"], osFamily: said["osFamily"], osVersion: said["osVersion"],
		userAgent: said["userAgent"],
	}
}

// simple returns a text, number or truth value as text, cut; "" for all others.
func simple(v strictjson.Value) string {
	switch v.Kind() {
	case strictjson.Text:
		text, _ := v.Text()
		return kept(strings.TrimSpace(text))
	case strictjson.Number, strictjson.Bool:
		return kept(string(v.Raw()))
	default:
		return ""
	}
}

// attributes merges what was said with what the User-Agent header implies; the
// explicit wins.
func (i *deviceInfo) attributes(header string) *profile.Attributes {
	agent := cmp.Or(i.userAgent, kept(header))
	implied := impliedBy(agent)
	return &profile.Attributes{
		DeviceType:   deviceTypeOf(cmp.Or(i.hardware, implied.hardware)),
		Model:        cmp.Or(i.model, i.manufacturer, implied.model),
		Os:           cmp.Or(i.osName, i.osFamily, implied.osName),
		OsVersion:    cmp.Or(i.osVersion, implied.osVersion),
		Platform:     platformOf(i, &implied),
		UserAgent:    agent,
		Manufacturer: cmp.Or(i.manufacturer, implied.manufacturer),
		Vendor:       cmp.Or(i.vendor, implied.vendor),
	}
}

// deviceTypes are the values of deviceType; httpfront/docs/sso.md#device-attributes.
var deviceTypes = map[string]string{
	"tv": "smartTV", "mobilephone": "mobile", "tablet": "tablet", "desktop": "desktop",
	"settopbox": "setTopBox", "gamesconsole": "gamesConsole", "mediaplayer": "mediaPlayer",
}

func deviceTypeOf(hardware string) string {
	return cmp.Or(deviceTypes[strings.ToLower(hardware)], unknown)
}
