package headers

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"ssod/httpfront/strictjson"

	"ssod/httpfront/api"
	"ssod/httpfront/wire"
)

// text is a value that is null in JSON when nothing is known.
type text string

// MarshalJSON implements json.Marshaler.
func (t text) MarshalJSON() ([]byte, error) {
	if t == "" {
		return []byte("null"), nil
	}
	return strictjson.AppendString(nil, []byte(t)), nil
}

// description is the device as sessions show it;
// httpfront/docs/entitlement.md#read-a-session. Every version is an object, whose numbers
// are 0 when nothing is known.
type description struct {
	Type            text       `json:"type"`
	Model           text       `json:"model"`
	Version         version    `json:"version"`
	Hardware        hardware   `json:"hardware"`
	OperatingSystem system     `json:"operatingSystem"`
	Browser         browser    `json:"browser"`
	Display         display    `json:"display"`
	ApplicationID   text       `json:"applicationId"`
	Connection      connection `json:"connection"`
}

type version struct {
	Major   int  `json:"major"`
	Minor   int  `json:"minor"`
	Patch   int  `json:"patch"`
	Profile text `json:"profile"`
}

type hardware struct {
	Name         text    `json:"name"`
	Vendor       text    `json:"vendor"`
	Version      version `json:"version"`
	Manufacturer text    `json:"manufacturer"`
}

type system struct {
	Name    text    `json:"name"`
	Family  text    `json:"family"`
	Vendor  text    `json:"vendor"`
	Version version `json:"version"`
}

type browser struct {
	Name              text    `json:"name"`
	Vendor            text    `json:"vendor"`
	Version           version `json:"version"`
	UserAgent         text    `json:"userAgent"`
	OriginalUserAgent text    `json:"originalUserAgent"`
}

type display struct {
	Width        int64   `json:"width"`
	Height       int64   `json:"height"`
	PPI          int64   `json:"ppi"`
	Name         text    `json:"name"`
	Vendor       text    `json:"vendor"`
	Version      version `json:"version"`
	DiagonalSize text    `json:"diagonalSize"` // inches
}

type connection struct {
	IPAddress text `json:"ipAddress"`
	Port      text `json:"port"`
	Secure    bool `json:"secure"`
	Type      text `json:"type"`
}

// Describe describes the calling device: for clients that read sessions, and in a few
// words for people. What X-Device-Info does not say comes from the User-Agent and the
// connection.
func Describe(r *api.Request) (device []byte, name string, err error) {
	said, err := members(r)
	if err != nil {
		return nil, "", err
	}
	agent := kept(string(r.Header(wire.UserAgent)))
	implied := impliedBy(cmp.Or(said["userAgent"], agent))
	d := description{
		Type:    hardwareType(cmp.Or(said["primaryHardwareType"], said["type"], implied.hardware)),
		Model:   text(cmp.Or(said["model"], implied.model)),
		Version: versionOf(said["version"]),
		Hardware: hardware{
			Name: text(said["model"]), Vendor: text(said["vendor"]), Version: versionOf(said["version"]),
			Manufacturer: text(cmp.Or(said["manufacturer"], implied.manufacturer)),
		},
		OperatingSystem: system{
			text(cmp.Or(said["osName"], implied.osName)), text(said["osFamily"]),
			text(said["osVendor"]), versionOf(cmp.Or(said["osVersion"], implied.osVersion)),
		},
		Browser: browser{
			text(said["browserName"]), text(said["browserVendor"]), versionOf(said["browserVersion"]),
			text(cmp.Or(said["userAgent"], agent)), text(agent),
		},
		Display: display{
			Width: whole(said["displayWidth"]), Height: whole(said["displayHeight"]),
			PPI: whole(said["displayPpi"]), DiagonalSize: size(said["diagonalScreenSize"]),
		},
		ApplicationID: text(said["applicationId"]),
		Connection: connection{
			text(cmp.Or(said["connectionIp"], address(r))), text(said["connectionPort"]),
			said["connectionSecure"] == "true", text(said["connectionType"]),
		},
	}
	var encoded bytes.Buffer
	to := json.NewEncoder(&encoded)
	to.SetEscapeHTML(false) // six bytes instead of one: whoever answers with it does that
	if err := to.Encode(d); err != nil {
		return nil, "", fmt.Errorf("describe the device: %w", err)
	}
	people := cmp.Or(said["manufacturer"], implied.manufacturer) + " " + string(d.Model)
	return bytes.TrimSpace(encoded.Bytes()), kept(strings.TrimSpace(people)), nil
}

// members are the simple values of X-Device-Info; none when it was not sent.
func members(r *api.Request) (map[string]string, error) {
	header := r.Header(wire.DeviceInfo)
	if len(header) == 0 {
		return nil, nil
	}
	said, ok := parseDeviceInfo(header)
	if !ok {
		return nil, api.ErrDeviceInfo
	}
	return said, nil
}

// parseDeviceInfo is lenient about what the object says and how, because apps
// are careless; it only has to be an object.
func parseDeviceInfo(header []byte) (said map[string]string, ok bool) {
	raw, ok := Base64(header, maxDeviceInfo)
	if !ok {
		return nil, false
	}
	object, ok := describedObject(raw)
	if !ok {
		return nil, false
	}
	said = make(map[string]string)
	for name, value := range object.Members() {
		said[string(name)] = simple(value)
	}
	return said, true
}

func address(r *api.Request) string {
	if !r.Address.IsValid() {
		return ""
	}
	return r.Address.Unmap().String()
}

// versionOf reads 14.5.1; anything else is in the profile.
func versionOf(s string) (v version) {
	parts := strings.SplitN(s, ".", 4)
	for i, to := range []*int{&v.Major, &v.Minor, &v.Patch} {
		if i == len(parts) {
			break
		}
		n, err := strconv.ParseUint(parts[i], 10, 31)
		if err != nil {
			v.Profile = text(s)
			break
		}
		*to = int(n)
	}
	return v
}

// number is 0 for what is none.
func number(s string) float64 {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || !(n >= 0 && n <= 1e9) {
		return 0
	}
	return n
}

func whole(s string) int64 { return int64(math.Round(number(s))) }

// size is a number as text, empty for what is none.
func size(s string) text {
	n := number(s)
	if n == 0 {
		return ""
	}
	return text(strconv.FormatFloat(n, 'f', -1, 64))
}

// hardwareTypes are the known types of devices; any other is unknownHardware.
var hardwareTypes = []string{
	"Camera", "DataCollectionTerminal", "Desktop", "EmbeddedNetworkModule", "eReader", "GamesConsole", "GeolocationTracker",
	"Glasses", "MediaPlayer", "MobilePhone", "PaymentTerminal", "PluginModem", "Projector", "SetTopBox", "TV", "Tablet",
	"VehicleMultimediaSystem", "WirelessHotspot", "Wristwatch", unknownHardware,
}

const unknownHardware = "Unknown"

// hardwareType is one of a list, because apps decide by it what to show; empty
// when nothing was said.
func hardwareType(said string) text {
	if said == "" {
		return ""
	}
	for _, known := range hardwareTypes {
		if strings.EqualFold(known, said) {
			return text(known)
		}
	}
	return unknownHardware
}

// CheckDeviceInfo reports whether X-Device-Info, if it was sent, can be read.
func CheckDeviceInfo(r *api.Request) error {
	_, err := members(r)
	return err
}
