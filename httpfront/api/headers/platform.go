package headers

import "cmp"

import "strings"

// UnknownPlatform is the platform of a device that cannot be told.
const UnknownPlatform = unknown

// unknown is what cannot be told.
const unknown = "unknown"

// platforms are the normalised platform names by what apps call their
// operating system, in lower case.
var platforms = map[string]string{
	"android":         "Android",
	"chrome os":       "ChromeOS",
	"fire os":         "FireOS",
	"ios":             "iOS",
	"ipados":          "iOS",
	"linux":           "Linux",
	"mac os":          "macOS",
	"mac os x":        "macOS",
	"macos":           "macOS",
	"openbsd":         "OpenBSD",
	"os x":            "macOS",
	"playstation os":  "PlayStation",
	"roku":            "Roku",
	"roku os":         "Roku",
	"tizen":           "Tizen",
	"tvos":            "tvOS",
	"web0s":           "webOS",
	"webos":           "webOS",
	"windows":         "Windows",
	"xbox":            "Xbox",
	"xbox os":         "Xbox",
	"playstation":     "PlayStation",
	"amazon fire os":  "FireOS",
	"google chromeos": "ChromeOS",
}

// platformOf names the device's platform. The family is asked before the name
// where the name is a kernel that many platforms have in common, and Amazon's
// devices call their Android an Android.
func platformOf(said, implied *deviceInfo) string {
	name := cmp.Or(platforms[strings.ToLower(said.osName)], platforms[strings.ToLower(said.osFamily)])
	if name == "Linux" {
		name = cmp.Or(platforms[strings.ToLower(said.osFamily)], name)
	}
	if said.osName == "" && said.osFamily == "" {
		name = platforms[strings.ToLower(implied.osName)]
	}
	maker := cmp.Or(said.manufacturer, said.vendor, implied.manufacturer)
	switch {
	case name == "Android" && strings.EqualFold(maker, "Amazon"):
		return "FireOS"
	case name == "Windows" && strings.EqualFold(said.hardware, "GamesConsole"):
		return "Xbox"
	default:
		return cmp.Or(name, unknown)
	}
}
