package headers

import (
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
	var info deviceInfo
	if header := r.Header(wire.DeviceInfo); len(header) > 0 {
		var ok bool
		if info, ok = parseDeviceInfo(header); !ok {
			return nil, api.ErrDeviceInfo
		}
	}
	return info.attributes(string(r.Header(wire.UserAgent))), nil
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

// parseDeviceInfo is lenient about what the object says and how, because apps
// are careless; it only has to be an object.
func parseDeviceInfo(header []byte) (info deviceInfo, ok bool) {
	raw, ok := Base64(header, maxDeviceInfo)
	if !ok {
		return info, false
	}
	object, ok := describedObject(raw)
	if !ok {
		return info, false
	}
	alias := ""
	for name, value := range object.Members() {
		if string(name) == "type" { // what the vendor's snippets send
			alias = simple(value)
		} else if field := info.field(string(name)); field != nil {
			*field = simple(value)
		}
	}
	if info.hardware == "" {
		info.hardware = alias
	}
	return info, true
}

func (i *deviceInfo) field(name string) *string {
	switch name {
	case "primaryHardwareType":
		return &i.hardware
	case "model":
		return &i.model
	case "manufacturer":
		return &i.manufacturer
	case "vendor":
		return &i.vendor
	case "osName":
		return &i.osName
	case "osFamily":
		return &i.osFamily
	case "osVersion":
		return &i.osVersion
	case "userAgent":
		return &i.userAgent
	default:
		return nil
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
	agent := first(i.userAgent, kept(header))
	implied := impliedBy(agent)
	return &profile.Attributes{
		DeviceType:   deviceTypeOf(first(i.hardware, implied.hardware)),
		Model:        first(i.model, i.manufacturer, implied.model),
		Os:           first(i.osName, i.osFamily, implied.osName),
		OsVersion:    first(i.osVersion, implied.osVersion),
		Platform:     platformOf(i, &implied),
		UserAgent:    agent,
		Manufacturer: first(i.manufacturer, implied.manufacturer),
		Vendor:       first(i.vendor, implied.vendor),
	}
}

func first(options ...string) string {
	for _, s := range options {
		if s != "" {
			return s
		}
	}
	return ""
}

// deviceTypes are the values of deviceType; httpfront/docs/sso.md#device-attributes.
var deviceTypes = map[string]string{
	"tv": "smartTV", "mobilephone": "mobile", "tablet": "tablet", "desktop": "desktop",
	"settopbox": "setTopBox", "gamesconsole": "gamesConsole", "mediaplayer": "mediaPlayer",
}

func deviceTypeOf(hardware string) string {
	return first(deviceTypes[strings.ToLower(hardware)], unknown)
}
